use crate::model::{Fault, LastTry};

/// How often in a row a provider that asks for patience is asked again before another one is.
const PATIENCE: u16 = 2;

/// The order in which providers are tried for one mail, as indexes into `names`.
///
/// The first attempt takes them as they stand, and so does one after plain trouble: who was in
/// trouble may have recovered. A mail whose answer was lost goes to the same provider first, because
/// that one can tell the repeat by its Message-ID. One that was deferred goes to the same provider
/// once more, because greylisting wants to see the same sender again, and from then on to the next.
pub fn order_of_providers(names: &[&str], last: Option<&LastTry>) -> Vec<usize> {
    let mut order: Vec<usize> = (0..names.len()).collect();
    let Some(last) = last else { return order };
    let Some(place) = names.iter().position(|name| *name == last.provider) else {
        return order;
    };
    match last.fault {
        None | Some(Fault::Trouble) => {}
        Some(Fault::Deferred) if last.in_a_row >= PATIENCE => order.rotate_left(place + 1),
        Some(Fault::Deferred | Fault::Unsure) => order[..=place].rotate_right(1),
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(provider: &str, fault: Fault, in_a_row: u16) -> Vec<usize> {
        let last = LastTry {
            provider: provider.to_owned(),
            fault: Some(fault),
            in_a_row,
        };
        order_of_providers(&["a", "b", "c"], Some(&last))
    }

    #[test]
    fn a_first_attempt_and_one_after_trouble_take_providers_as_they_stand() {
        assert_eq!(order_of_providers(&["a", "b", "c"], None), [0, 1, 2]);
        assert_eq!(after("b", Fault::Trouble, 1), [0, 1, 2]);
    }

    #[test]
    fn a_lost_answer_goes_back_to_the_provider_that_may_have_the_mail() {
        assert_eq!(after("b", Fault::Unsure, 1), [1, 0, 2]);
        assert_eq!(after("c", Fault::Unsure, 7), [2, 0, 1]);
    }

    #[test]
    fn a_deferred_mail_asks_the_same_provider_once_more_and_then_the_next() {
        assert_eq!(after("b", Fault::Deferred, 1), [1, 0, 2]);
        assert_eq!(after("b", Fault::Deferred, 2), [2, 0, 1]);
        assert_eq!(after("c", Fault::Deferred, 3), [0, 1, 2]);
    }

    #[test]
    fn a_provider_that_was_removed_changes_nothing() {
        assert_eq!(after("gone", Fault::Unsure, 1), [0, 1, 2]);
    }
}
