use crate::store::StoreError;
use crate::{EventId, Timestamp};
use async_trait::async_trait;
use std::fmt;

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

/// Some of the groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Groups(u8);

impl Groups {
    /// Whether it is none of them.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether a group is one of them.
    pub const fn contains(self, group: Group) -> bool {
        self.0 & Self::bit(group) != 0
    }

    /// Adds a group.
    pub const fn insert(&mut self, group: Group) {
        self.0 |= Self::bit(group);
    }

    /// Reads what [`Display`](fmt::Display) writes, and passes over names that no group has.
    pub fn named(names: &str) -> Self {
        names.split(',').filter_map(Group::named).collect()
    }

    const fn bit(group: Group) -> u8 {
        1 << group as u8
    }
}

impl FromIterator<Group> for Groups {
    fn from_iter<I: IntoIterator<Item = Group>>(groups: I) -> Self {
        groups.into_iter().fold(Self::default(), |mut all, group| {
            all.insert(group);
            all
        })
    }
}

/// Writes their names with commas in between, such as `stock,order`.
impl fmt::Display for Groups {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = Group::ALL.into_iter().filter(|group| self.contains(*group)).map(Group::name).collect();
        f.write_str(&names.join(","))
    }
}

/// Which events a group has handled: kept in the unit of work of the change they caused, so that each counts once.
#[async_trait]
pub trait InboxRepository: Send {
    /// Notes that `group` handles these distinct events, and answers those it had not noted before, in the order given.
    async fn record(&mut self, group: Group, events: &[EventId], now: Timestamp) -> Result<Vec<EventId>, StoreError>;

    /// Forgets that `group` handled an event, so that it can be handled again.
    async fn forget(&mut self, group: Group, event: EventId) -> Result<(), StoreError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_read_as_they_were_written() {
        for bits in 0..1 << Group::ALL.len() {
            let groups: Groups = Group::ALL.into_iter().filter(|group| bits & 1 << *group as u8 != 0).collect();
            assert_eq!(Groups::named(&groups.to_string()), groups);
            assert_eq!(groups.is_empty(), bits == 0);
        }
        assert_eq!([Group::Order, Group::Stock].into_iter().collect::<Groups>().to_string(), "stock,order");
        assert_eq!(Groups::named("stock,painting"), [Group::Stock].into_iter().collect());
    }
}
