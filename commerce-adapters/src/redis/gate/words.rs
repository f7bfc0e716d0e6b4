//! How requests, places and verdicts are written for the scripts, and read.

use commerce_core::coupon::{GateRefusal, GateVerdict, PendingPlace, PlaceState, Position};
use commerce_core::{CouponId, TaskId, Timestamp};
use redis::{ErrorKind, RedisError};
use std::time::Duration;

/// A task with sixteen digits: as text, tasks have the order of their numbers.
pub(super) fn task(id: TaskId) -> String {
    format!("{:016}", id.get())
}

/// A time in whole milliseconds, rounded up: a window that is open for a part of a millisecond is open.
pub(super) fn millis_up(time: Duration) -> u64 {
    u64::try_from(time.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX)
}

pub(super) fn state(state: PlaceState) -> &'static str {
    match state {
        PlaceState::Pending => "P",
        PlaceState::Issued => "I",
    }
}

/// What a script says to a request with this window.
pub(super) fn verdict(word: i64, window: Duration) -> Result<GateVerdict, RedisError> {
    let refused = |refusal| Ok(GateVerdict::Refused(refusal));
    match word {
        -1 => Ok(GateVerdict::Closed),
        -2 => refused(GateRefusal::Inactive),
        -3 => refused(GateRefusal::Expired),
        -4 => refused(GateRefusal::Duplicated),
        -5 => refused(GateRefusal::OutOfStock),
        ..-100 => {
            let since = Duration::from_millis(millis_up(window).saturating_sub(word.unsigned_abs() - 100));
            refused(GateRefusal::TooManyRequests { retry_after: window.saturating_sub(since) })
        }
        position => {
            let position = u32::try_from(position).ok().and_then(Position::new);
            position.map(GateVerdict::Admitted).ok_or_else(|| unreadable("a verdict of the gate"))
        }
    }
}

/// Reads a `task:user:position` and when it was given.
pub(super) fn pending(coupon_id: CouponId, place: &str, at: &str) -> Result<PendingPlace, RedisError> {
    let read = || {
        let mut numbers = place.split(':').map(str::parse::<i64>);
        let (task, user, position) = (numbers.next()?.ok()?, numbers.next()?.ok()?, numbers.next()?.ok()?);
        let position = Position::new(u32::try_from(position).ok()?)?;
        let at = Timestamp::from_millis(at.parse().ok()?);
        Some(PendingPlace { coupon_id, task_id: TaskId::new(task).ok()?, user_id: user.try_into().ok()?, position, at })
    };
    read().ok_or_else(|| unreadable("a pending place of the gate"))
}

fn unreadable(what: &'static str) -> RedisError {
    RedisError::from((ErrorKind::UnexpectedReturnType, "cannot read this", what.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_of_a_window_is_told_to_the_nanosecond() {
        let window = Duration::from_micros(2_500);
        let refused = |left| GateVerdict::Refused(GateRefusal::TooManyRequests { retry_after: left });
        assert_eq!(verdict(-103, window).unwrap(), refused(window), "none of its three milliseconds have passed");
        assert_eq!(verdict(-101, window).unwrap(), refused(Duration::from_micros(500)));
    }

    #[test]
    fn verdicts_are_read() {
        let read = |word| verdict(word, Duration::ZERO);
        assert_eq!(read(-1).unwrap(), GateVerdict::Closed);
        assert_eq!(read(7).unwrap(), GateVerdict::Admitted(Position::new(7).unwrap()));
        assert_eq!(read(-5).unwrap(), GateVerdict::Refused(GateRefusal::OutOfStock));
        for word in [0, -6, -100, i64::MAX] {
            assert!(read(word).is_err(), "{word}");
        }
    }
}
