//! The chances of a run: all of them come from its seed.

use commerce_core::store::Random;
use commerce_core::testing::SeededRandom;
use std::time::Duration;

/// Draws what happens. Everybody in a run has dice of their own, so that what one draws does not depend on when another one does.
pub(crate) struct Dice(SeededRandom);

impl Dice {
    /// The dice of somebody in the run of `seed`.
    pub(crate) fn of(seed: u64, who: u64) -> Self {
        Self(SeededRandom::new(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ who.wrapping_mul(0xD1B5_4A32_D192_ED03)))
    }

    pub(crate) fn chance(&self, percent: u8) -> bool {
        self.0.happens(percent)
    }

    /// A number in `0..count`.
    pub(crate) fn below(&self, count: usize) -> usize {
        let last = u64::try_from(count.saturating_sub(1)).unwrap_or_default();
        usize::try_from(self.0.up_to(last)).unwrap_or_default()
    }

    pub(crate) fn between(&self, least: i64, most: i64) -> i64 {
        least + i64::try_from(self.0.up_to(u64::try_from(most - least).unwrap_or_default())).unwrap_or_default()
    }

    pub(crate) fn pick<T: Copy>(&self, among: &[T]) -> Option<T> {
        among.get(self.below(among.len())).copied()
    }

    /// A time up to `most` milliseconds.
    pub(crate) fn millis(&self, most: u64) -> Duration {
        Duration::from_millis(self.0.up_to(most))
    }
}
