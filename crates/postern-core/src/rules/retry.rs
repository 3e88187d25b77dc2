use std::time::Duration;

use crate::model::{AuthRequest, Timestamp};

/// The first wait; each later one is twice as long, up to a minute.
pub const BACKOFF_FLOOR: Duration = Duration::from_secs(2);

const CEILING: Duration = Duration::from_mins(1);

/// When a delivery is tried again after its `attempts`-th failure (from 1), or `None` when hardly
/// anything is left of the credential's life.
///
/// Exponential with full jitter over the upper half, so that what failed together does not come back
/// together; `jitter` is any random number. Never longer than half of what is left, so that no mail is given
/// up while its credential lives.
pub fn next_attempt_at(
    request: &AuthRequest,
    attempts: u16,
    jitter: u32,
    now: Timestamp,
) -> Option<Timestamp> {
    let doubled = BACKOFF_FLOOR.saturating_mul(
        1_u32
            .checked_shl(u32::from(attempts.saturating_sub(1)))
            .unwrap_or(u32::MAX),
    );
    let left = request.expires_at.since(now);
    let full = doubled.min(CEILING).min(left / 2);
    let wait = full / 2 + (full / 2).mul_f64(f64::from(jitter) / f64::from(u32::MAX));
    (left > BACKOFF_FLOOR).then(|| now.plus(wait))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::fixtures::{at, request};

    fn wait(attempts: u16, jitter: u32) -> Option<Duration> {
        next_attempt_at(&request(), attempts, jitter, at(0)).map(|next| next.since(at(0)))
    }

    #[test]
    fn the_wait_doubles_up_to_a_minute_and_is_jittered_over_its_upper_half() {
        assert_eq!(
            (wait(1, 0), wait(1, u32::MAX)),
            (Some(Duration::from_secs(1)), Some(Duration::from_secs(2)))
        );
        assert_eq!(wait(3, u32::MAX), Some(Duration::from_secs(8)));
        assert_eq!(wait(9, u32::MAX), Some(Duration::from_mins(1)));
        assert_eq!(wait(u16::MAX, 0), Some(Duration::from_secs(30)));
    }

    #[test]
    fn no_mail_is_given_up_while_its_credential_lives() {
        let next = |now| next_attempt_at(&request(), 14, u32::MAX, at(now));
        assert_eq!(next(248), Some(at(274)));
        assert_eq!(next(274), Some(at(287)));
    }

    #[test]
    fn nothing_is_tried_again_once_the_credential_has_ended() {
        assert_eq!(next_attempt_at(&request(), 1, u32::MAX, at(298)), None);
        assert!(next_attempt_at(&request(), 1, u32::MAX, at(297)).is_some());
    }
}
