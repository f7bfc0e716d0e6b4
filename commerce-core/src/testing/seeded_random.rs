use crate::store::Random;
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use std::sync::{Mutex, PoisonError};

/// Randomness that is the same for the same seed, so that a failing test can be run again.
#[derive(Debug)]
pub struct SeededRandom(Mutex<SmallRng>);

impl SeededRandom {
    /// The randomness of `seed`.
    pub fn new(seed: u64) -> Self {
        Self(Mutex::new(SmallRng::seed_from_u64(seed)))
    }

    /// Whether something that happens to `percent` of all cases happens in this one.
    pub fn happens(&self, percent: u8) -> bool {
        self.up_to(99) < u64::from(percent)
    }
}

impl Random for SeededRandom {
    fn up_to(&self, max: u64) -> u64 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).random_range(0..=max)
    }
}
