//! For whom a call is made, beside what it did.

use crate::model::{Event, EventKind, Person};
use crate::ports::Decide;

/// The rule, whose events also tell for whom the call was made; without a person it is the same rule.
pub(super) fn telling(person: Option<Box<Person>>, mut decide: Decide) -> Decide {
    let Some(person) = person else {
        return decide;
    };
    Box::new(move |found, now| {
        let mut decision = decide(found, now);
        if let Some(change) = &mut decision.change
            && let Some(first) = change.events.first()
        {
            let what = EventKind::Person {
                ip: person.ip.clone(),
                agent: person.agent.clone(),
            };
            // First, so that the last event of an act stays what the call came to.
            let event = Event {
                what,
                ..first.clone()
            };
            change.events.insert(0, event);
        }
        decision
    })
}
