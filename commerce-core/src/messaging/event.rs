use crate::coupon::{CouponRequest, Position};
use crate::order::{Order, OrderItem, OrderLines};
use crate::payment::Payment;
use crate::{CouponId, ErrorCode, Money, OrderId, ProductId, TaskId, Timestamp, UserCouponId, UserId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A stream of events that are read together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Topic {
    /// What happens to orders; keyed by order.
    Order,
    /// Admitted requests for coupons; keyed by coupon.
    CouponIssue,
    /// What became of them, and what else a gate is to be told; keyed by coupon.
    CouponIssueResult,
}

impl Topic {
    /// Every topic.
    pub const ALL: [Self; 3] = [Self::Order, Self::CouponIssue, Self::CouponIssueResult];

    /// The name of the topic: `order`, `coupon-issued` or `coupon-issued-success`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Order => "order",
            Self::CouponIssue => "coupon-issued",
            Self::CouponIssueResult => "coupon-issued-success",
        }
    }

    /// The name of the topic that copies of its dead letters travel to: its own with `.dlq` behind it.
    pub const fn dead_letter_name(self) -> &'static str {
        match self {
            Self::Order => "order.dlq",
            Self::CouponIssue => "coupon-issued.dlq",
            Self::CouponIssueResult => "coupon-issued-success.dlq",
        }
    }

    /// The topic of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|topic| topic.name() == name)
    }
}

/// What kind of aggregate an event is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AggregateType {
    /// An order.
    Order,
    /// A coupon.
    Coupon,
}

impl AggregateType {
    /// The name as it is written: `order` or `coupon`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Order => "order",
            Self::Coupon => "coupon",
        }
    }
}

/// An order was placed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OrderCreated {
    /// The order.
    pub order_id: OrderId,
    /// Who placed it.
    pub user_id: UserId,
    /// The coupon to be used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_coupon_id: Option<UserCouponId>,
    /// What was asked for.
    pub lines: OrderLines,
}

/// The stock of every line was taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StockReserved {
    /// The order.
    pub order_id: OrderId,
    /// Who placed it.
    pub user_id: UserId,
    /// The coupon to be used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_coupon_id: Option<UserCouponId>,
    /// What was taken, with the names and prices of that moment.
    pub items: Vec<OrderItem>,
    /// The price of the items.
    pub original_price: Money,
}

/// The stock of a line could not be taken; nothing was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StockRejected {
    /// The order.
    pub order_id: OrderId,
    /// Why.
    pub code: ErrorCode,
}

/// The coupon was used for the order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CouponApplied {
    /// The order.
    pub order_id: OrderId,
    /// What comes off.
    pub discount: Money,
    /// What was taken.
    pub items: Vec<OrderItem>,
}

/// The coupon could not be used: the order fails and its stock goes back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CouponRejected {
    /// The order.
    pub order_id: OrderId,
    /// Why.
    pub code: ErrorCode,
    /// What was taken.
    pub items: Vec<OrderItem>,
}

/// Everything is taken: the order waits for its payment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OrderConfirmed {
    /// The order.
    pub order_id: OrderId,
    /// What is to be paid.
    pub total: Money,
}

/// A step was refused: the order is over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OrderFailed {
    /// The order.
    pub order_id: OrderId,
    /// Which refusal it was.
    pub code: ErrorCode,
}

/// Units of one product, summed over its options.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SoldUnits {
    /// The product.
    pub product_id: ProductId,
    /// The units.
    pub units: u64,
}

/// The order was paid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OrderPaid {
    /// The order.
    pub order_id: OrderId,
    /// Who paid.
    pub user_id: UserId,
    /// What was paid.
    pub total: Money,
    /// What was sold.
    pub sold: Vec<SoldUnits>,
    /// When.
    pub paid_at: Timestamp,
}

/// The order was cancelled, expired or refunded: what it holds goes back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OrderClosed {
    /// The order.
    pub order_id: OrderId,
    /// Who placed it.
    pub user_id: UserId,
    /// The coupon it held.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_coupon_id: Option<UserCouponId>,
    /// What it was to cost.
    pub total: Money,
    /// What was ordered, summed by product.
    pub sold: Vec<SoldUnits>,
    /// When it had been paid, if it was: the ranking takes back on that day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paid_at: Option<Timestamp>,
    /// The points that went back, of an order that was paid.
    pub refund: Money,
}

/// A request for a coupon was admitted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CouponIssueRequested {
    /// The request.
    pub task_id: TaskId,
    /// The coupon.
    pub coupon_id: CouponId,
    /// Who asked.
    pub user_id: UserId,
    /// Its place, from 1.
    pub position: Position,
    /// When it was admitted.
    pub at: Timestamp,
}

/// A coupon is in the user's hands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CouponIssued {
    /// The request.
    pub task_id: TaskId,
    /// The coupon.
    pub coupon_id: CouponId,
    /// Who holds it.
    pub user_id: UserId,
    /// Its place, from 1.
    pub position: Position,
    /// When it was issued.
    pub at: Timestamp,
}

/// A coupon was not issued.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CouponIssueFailed {
    /// The request.
    pub task_id: TaskId,
    /// The coupon.
    pub coupon_id: CouponId,
    /// Who asked.
    pub user_id: UserId,
    /// Why.
    pub code: ErrorCode,
    /// When it was decided.
    pub at: Timestamp,
}

/// An operator asked whoever has the gate of a coupon to rebuild it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GateRebuildAsked {
    /// The coupon.
    pub coupon_id: CouponId,
}

macro_rules! events {
    ($($variant:ident($payload:ty) = $topic:ident / $aggregate:ident . $key:ident),+ $(,)?) => {
        /// Something that happened.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum Event {
            $(#[doc = concat!("See [`", stringify!($payload), "`].")] $variant($payload),)+
        }

        /// The name of what happened.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum EventType {
            $(#[doc = concat!("See [`", stringify!($payload), "`].")] $variant,)+
        }

        impl EventType {
            /// Every event type.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The name as it is written, such as `OrderCreated`.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => stringify!($variant),)+ }
            }

            /// The topic events of this type travel in.
            pub const fn topic(self) -> Topic {
                match self { $(Self::$variant => Topic::$topic,)+ }
            }

            /// The kind of aggregate events of this type are about.
            pub const fn aggregate_type(self) -> AggregateType {
                match self { $(Self::$variant => AggregateType::$aggregate,)+ }
            }
        }

        impl Event {
            /// What happened.
            pub const fn event_type(&self) -> EventType {
                match self { $(Self::$variant(_) => EventType::$variant,)+ }
            }

            /// The aggregate the event is about: events with the same one stay in order.
            pub const fn aggregate_id(&self) -> i64 {
                match self { $(Self::$variant(payload) => payload.$key.get(),)+ }
            }

            /// The payload as JSON.
            pub(crate) fn to_json(&self) -> String {
                let json = match self { $(Self::$variant(payload) => serde_json::to_string(payload),)+ };
                json.expect("payloads have string keys only, so they can be written as JSON")
            }

            /// Reads a payload.
            pub(crate) fn from_json(event_type: EventType, json: &str) -> Result<Self, serde_json::Error> {
                match event_type { $(EventType::$variant => serde_json::from_str(json).map(Self::$variant),)+ }
            }
        }
    };
}

events! {
    OrderCreated(OrderCreated) = Order / Order.order_id,
    StockReserved(StockReserved) = Order / Order.order_id,
    StockRejected(StockRejected) = Order / Order.order_id,
    CouponApplied(CouponApplied) = Order / Order.order_id,
    CouponRejected(CouponRejected) = Order / Order.order_id,
    OrderConfirmed(OrderConfirmed) = Order / Order.order_id,
    OrderFailed(OrderFailed) = Order / Order.order_id,
    OrderPaid(OrderPaid) = Order / Order.order_id,
    OrderCancelled(OrderClosed) = Order / Order.order_id,
    OrderExpired(OrderClosed) = Order / Order.order_id,
    OrderRefunded(OrderClosed) = Order / Order.order_id,
    CouponIssueRequested(CouponIssueRequested) = CouponIssue / Coupon.coupon_id,
    CouponIssued(CouponIssued) = CouponIssueResult / Coupon.coupon_id,
    CouponIssueFailed(CouponIssueFailed) = CouponIssueResult / Coupon.coupon_id,
    GateRebuildAsked(GateRebuildAsked) = CouponIssueResult / Coupon.coupon_id,
}

impl EventType {
    /// The type of this name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|event_type| event_type.as_str() == text)
    }
}

impl OrderClosed {
    /// An order that was never paid.
    pub(crate) fn unpaid(order: &Order) -> Self {
        Self {
            order_id: order.id,
            user_id: order.user_id,
            user_coupon_id: order.user_coupon_id,
            total: order.total,
            sold: SoldUnits::of(order),
            paid_at: None,
            refund: Money::ZERO,
        }
    }

    /// An order whose payment was given back.
    pub(crate) fn refunded(order: &Order, payment: &Payment) -> Self {
        Self { paid_at: Some(payment.at), refund: payment.amount, ..Self::unpaid(order) }
    }
}

impl CouponIssueRequested {
    /// A request that was admitted.
    pub(crate) fn of(request: &CouponRequest) -> Self {
        let CouponRequest { task_id, coupon_id, user_id, position, admitted_at, .. } = *request;
        Self { task_id, coupon_id, user_id, position, at: admitted_at }
    }
}

impl OrderPaid {
    /// An order that was paid.
    pub(crate) fn of(order: &Order, paid_at: Timestamp) -> Self {
        Self { order_id: order.id, user_id: order.user_id, total: order.total, sold: SoldUnits::of(order), paid_at }
    }
}

impl SoldUnits {
    /// The units of an order, summed by product, ascending.
    pub fn of(order: &Order) -> Vec<Self> {
        let mut units = BTreeMap::new();
        for item in &order.items {
            *units.entry(item.product_id).or_insert(0) += u64::from(item.quantity.units());
        }
        units.into_iter().map(|(product_id, units)| Self { product_id, units }).collect()
    }
}
