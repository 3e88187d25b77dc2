//! The clock and the randomness of the system.

use std::time::{SystemTime, UNIX_EPOCH};

use postern_core::model::Timestamp;
use postern_core::ports::{Clock, Entropy};
use rustix::rand::{GetRandomFlags, getrandom};

/// The system's clock.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is where the port meets the system's clock"
    )]
    fn now(&self) -> Timestamp {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
    }
}

/// The cryptographic library's generator, seeded by the system.
#[derive(Clone, Copy, Debug)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is where the port meets the system's randomness"
    )]
    fn fill(&self, out: &mut [u8]) {
        aws_lc_rs::rand::fill(out).expect("the system gives random bytes");
    }
}

/// Bytes that no other process or connection is likely to have, from the system at once: names, not
/// secrets. The library's generator would make the first caller wait until it is seeded.
///
/// # Panics
/// The system gives no random bytes, which it does for every process once it has started.
pub fn name<const N: usize>() -> [u8; N] {
    let mut out = [0; N];
    let given = getrandom(&mut out, GetRandomFlags::empty());
    assert_eq!(given, Ok(N), "up to 256 bytes are given whole");
    out
}

/// Seeds the generator on a thread of its own: its first use takes 45 to 75 ms, which would
/// otherwise stand before the first answer.
pub fn seed_early() {
    let seeding = std::thread::Builder::new().name("entropy".to_owned());
    // Without the thread the first use seeds it, only later.
    let _ = seeding.spawn(|| SystemEntropy.fill(&mut [0; 1]));
}
