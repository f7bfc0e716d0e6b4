use std::time::Duration;

/// Randomness for back-off, handed in so that tests can seed it.
pub trait Random: Send + Sync {
    /// A number drawn uniformly from `0..=max`.
    fn up_to(&self, max: u64) -> u64;
}

/// Full-jitter exponential back-off: before attempt n+1 sleep a time drawn uniformly from 0 … min(cap, base · 2^n).
///
/// The technique is described in Marc Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015: it spreads contenders evenly,
/// where a plain exponential wait lets them collide again and again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// The longest first wait.
    pub base: Duration,
    /// The longest wait of all.
    pub cap: Duration,
    /// How often the work is tried at most, the first time included.
    pub attempts_max: u32,
}

impl Backoff {
    /// For units of work: at most 8 attempts, 2 ms doubling up to 200 ms.
    pub const STORE: Self = Self { base: Duration::from_millis(2), cap: Duration::from_millis(200), attempts_max: 8 };

    /// How long to wait after `failures` failed attempts, or `None` once the attempts are used up.
    pub fn delay(&self, failures: u32, random: &dyn Random) -> Option<Duration> {
        (failures < self.attempts_max).then(|| self.jitter(failures, random))
    }

    /// How long to wait after `failures` failed attempts, without a bound on the attempts.
    pub fn jitter(&self, failures: u32, random: &dyn Random) -> Duration {
        let doublings = failures.saturating_sub(1).min(31);
        let ceiling = self.base.saturating_mul(1 << doublings).min(self.cap);
        Duration::from_micros(random.up_to(u64::try_from(ceiling.as_micros()).unwrap_or(u64::MAX)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Longest;
    impl Random for Longest {
        fn up_to(&self, max: u64) -> u64 {
            max
        }
    }

    #[test]
    fn the_wait_doubles_up_to_its_cap_and_ends_with_the_attempts() {
        let backoff = Backoff { base: Duration::from_millis(2), cap: Duration::from_millis(5), attempts_max: 4 };
        let waits: Vec<_> = (1..=4).map(|failures| backoff.delay(failures, &Longest).map(|wait| wait.as_millis())).collect();
        assert_eq!(waits, [Some(2), Some(4), Some(5), None]);
        assert_eq!(backoff.jitter(u32::MAX, &Longest).as_millis(), 5);
    }
}
