use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher as _};
use std::sync::{Arc, Mutex};

use postern_core::model::Timestamp;
use postern_core::ports::Clock as _;
use postern_store::testing::FrozenClock;
use postern_testkit::smtp::{Act, Step};

/// A mail that a server took, whether or not it said so.
pub(super) struct Taken {
    pub(super) to: String,
    pub(super) at: Timestamp,
}

/// A number that depends on nothing but its arguments.
pub(super) fn rolled(seed: u64, what: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    seed.hash(&mut hasher);
    what.hash(&mut hasher);
    hasher.finish()
}

/// What a server does of itself, and the note it takes of each mail it takes.
pub(super) fn whim(
    seed: u64,
    clock: Arc<FrozenClock>,
    taken: Arc<Mutex<Vec<Taken>>>,
) -> impl FnMut(Step, &[String]) -> Option<Act> {
    let mut visits: HashMap<(Step, String), u64> = HashMap::new();
    move |step, recipients| {
        let to = recipients.first().cloned().unwrap_or_default();
        let visit = visits.entry((step, to.clone())).or_default();
        *visit += 1;
        let act = fault(step, &to, rolled(seed, &(step, &to, *visit)) % 1000);
        if step == Step::EndOfData
            && matches!(act, None | Some(Act::AcceptAndDrop | Act::AcceptAndSilence))
        {
            let at = clock.now();
            taken
                .lock()
                .expect("no test panics with it")
                .push(Taken { to, at });
        }
        act
    }
}

/// Out of a thousand mails at each step.
fn fault(step: Step, to: &str, roll: u64) -> Option<Act> {
    let no_mailbox = || Act::Reply(550, "5.1.1 no such user".to_owned());
    Some(match (step, roll) {
        (Step::Rcpt, _) if to.starts_with("never") => Act::reply(451),
        (Step::Banner, 0..10) | (Step::Mail, 0..15) => Act::reply(421),
        (Step::Banner, 10..20) | (Step::Data, 15..20) => Act::reply(554),
        (Step::Banner, 20..23) | (Step::Rcpt | Step::EndOfData, 0..5) => Act::Silence,
        (Step::Banner, 23..30)
        | (Step::Ehlo | Step::Data, 0..5)
        | (Step::Mail, 20..30)
        | (Step::Rcpt, 5..15)
        | (Step::Body, 0..20)
        | (Step::EndOfData, 5..25) => Act::Drop,
        (Step::Rcpt, 15..75) | (Step::Data, 5..15) | (Step::EndOfData, 25..40) => Act::reply(451),
        (Step::Rcpt, 75..95) => no_mailbox(),
        (Step::Mail, 15..20) | (Step::Rcpt, 95..105) | (Step::EndOfData, 40..50) => Act::reply(550),
        (Step::EndOfData, 50..80) => Act::AcceptAndDrop,
        (Step::EndOfData, 80..85) => Act::AcceptAndSilence,
        _ => return None,
    })
}
