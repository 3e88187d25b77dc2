//! Pure decisions on values: in go what was found and the moment, out comes what is to be done.

mod deliver;
pub(crate) mod domain;
mod issue;
mod judge;
mod page;
mod receive;
mod reissue;
mod retry;
mod route;
pub(crate) mod suppression;
pub(crate) mod test_identity;
mod throttle;

pub use deliver::{settle, undeliverable};
pub use domain::{DomainRule, domain_rule};
pub use issue::{Issue, LEASE, SKEW};
pub use judge::{Claimed, Judgement, Proof, judge};
pub use page::{PageEnd, page_end};
pub use receive::receive;
pub use reissue::{MAX_RESENDS, RESENDABLE_FOR, Reissue};
pub use retry::{BACKOFF_FLOOR, next_attempt_at};
pub use route::order_of_providers;
pub use suppression::{check_suppression, is_bad_mailbox, suppress};
pub use test_identity::is_test_identity;
pub use throttle::{BUDGET_SPAN, Quotas, budget_spent, throttle};

#[cfg(test)]
pub(crate) mod fixtures;
