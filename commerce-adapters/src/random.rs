//! Randomness from a generator of each thread.

use commerce_core::store::Random;
use rand::RngExt;

/// Draws from the generator of the calling thread, which the operating system seeds.
#[derive(Debug, Clone, Copy, Default)]
pub struct ThreadRandom;

impl Random for ThreadRandom {
    #[expect(clippy::disallowed_methods, reason = "this is the adapter that draws for everybody")]
    fn up_to(&self, max: u64) -> u64 {
        rand::rng().random_range(0..=max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_stay_in_range() {
        assert_eq!(ThreadRandom.up_to(0), 0);
        assert!((0..1_000).all(|_| ThreadRandom.up_to(3) <= 3));
        ThreadRandom.up_to(u64::MAX);
    }
}
