//! Orders: from the request through the saga to payment, or to giving everything back.

mod cancel;
mod confirm;
mod expire;
mod lines;
mod place;
mod purchase_order;
mod repository;

pub use cancel::{CancelOrder, CancelOrders};
pub use confirm::OrderSteps;
pub use expire::{ExpireOrder, ExpireOrders};
pub use lines::{OrderLine, OrderLines, Quantity};
pub use place::{PlaceOrder, PlaceOrders};
pub use purchase_order::{Order, OrderError, OrderItem, OrderStatus};
pub use repository::OrderRepository;
