use crate::store::StoreError;
use crate::{EventId, Timestamp};
use async_trait::async_trait;

/// Consumers that share the work of reading a topic: each event is handled once by each group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Group {
    /// Reserves and releases stock.
    Stock,
    /// Uses coupons and gives them back.
    Coupon,
    /// Moves orders along.
    Order,
    /// Tells waiting clients.
    Notification,
    /// Issues coupons.
    CouponIssuer,
    /// Tells the gate what was issued.
    CouponGate,
    /// Counts sales.
    Ranking,
}

impl Group {
    /// Every group.
    pub const ALL: [Self; 7] =
        [Self::Stock, Self::Coupon, Self::Order, Self::Notification, Self::CouponIssuer, Self::CouponGate, Self::Ranking];

    /// The name of the group, such as `coupon-issuer`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Stock => "stock",
            Self::Coupon => "coupon",
            Self::Order => "order",
            Self::Notification => "notification",
            Self::CouponIssuer => "coupon-issuer",
            Self::CouponGate => "coupon-gate",
            Self::Ranking => "ranking",
        }
    }

    /// The group of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|group| group.name() == name)
    }
}

/// Which events a group has handled: kept in the unit of work of the change they caused, so that each counts once.
#[async_trait]
pub trait InboxRepository: Send {
    /// Notes that `group` handles these distinct events, and answers those it had not noted before, in the order given.
    async fn record(&mut self, group: Group, events: &[EventId], now: Timestamp) -> Result<Vec<EventId>, StoreError>;

    /// Notes that `group` handles these events, which this unit of work has appended: nobody else can know of them yet.
    ///
    /// # Errors
    /// MUST fail with [`StoreError::Duplicate`], at the latest with the commit, if the group has noted one of them before.
    async fn note(&mut self, group: Group, events: &[EventId], now: Timestamp) -> Result<(), StoreError>;

    /// Forgets that `group` handled an event, so that it can be handled again.
    async fn forget(&mut self, group: Group, event: EventId) -> Result<(), StoreError>;
}
