//! Orders: from the request through the saga to payment, or to giving everything back.

mod cancel;

mod expire;
mod lines;
mod place;
mod purchase_order;
mod repository;
mod steps;

pub use cancel::{CancelOrder, CancelOrders};
pub use expire::{ExpireOrder, ExpireOrders};
pub use lines::{OrderLine, OrderLines, Quantity};
pub use place::{PlaceOrder, PlaceOrders};
pub use purchase_order::{Order, OrderError, OrderItem, OrderStatus};
pub use repository::OrderRepository;
pub use steps::OrderSteps;
