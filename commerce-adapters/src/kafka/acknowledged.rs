use super::member::Place;
use commerce_core::messaging::Group;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// What readers of this process acknowledged: the brokers learn of it a moment later.
#[derive(Default)]
pub(super) struct Acknowledged(Mutex<HashMap<(Group, Place), i64>>);

impl Acknowledged {
    /// Notes up to where a group has acknowledged partitions.
    pub(super) fn note(&self, group: Group, offsets: HashMap<Place, i64>) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.extend(offsets.into_iter().map(|(place, offset)| ((group, place), offset)));
    }

    /// Up to where a group has acknowledged a partition, as far as this process knows.
    pub(super) fn of(&self, group: Group, place: Place) -> Option<i64> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&(group, place)).copied()
    }

    /// Leaves partitions to the memory of the brokers, which know better where somebody begins to read.
    pub(super) fn forget(&self, group: Group, places: &[Place]) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for place in places {
            known.remove(&(group, *place));
        }
    }
}
