use std::time::Duration;

use postern_core::error::Error;
use postern_core::model::{AuthRequest, State, Timestamp, WrongCodes};
use postern_core::ports::{Decide, Decision, Found};

use super::Breakage;

/// The rule, but a request that it refuses as spent is shown to it once more, as it was before; if it
/// accepts then, that counts.
pub(super) fn flattered(mut decide: Decide, breakage: Breakage) -> Decide {
    Box::new(move |found: Found<'_>, now| {
        let decision = decide(found, now);
        let Some((request, shown)) = found
            .request
            .and_then(|request| Some((request, before(request, breakage, &decision, now)?)))
        else {
            return decision;
        };
        let mut again = decide(
            Found {
                request: Some(&shown),
                ..found
            },
            now,
        );
        match &mut again.change {
            Some(change) if matches!(change.request.state, State::Used(_)) => {
                change.request = AuthRequest {
                    state: change.request.state,
                    ..request.clone()
                };
                again
            }
            _ => decision,
        }
    })
}

/// The request before it was spent in the way that is not to matter, if it is.
fn before(
    request: &AuthRequest,
    breakage: Breakage,
    decision: &Decision,
    now: Timestamp,
) -> Option<AuthRequest> {
    let mut shown = request.clone();
    match (breakage, decision.outcome.as_ref().err()?) {
        (Breakage::AcceptExpired, Error::AuthRequestExpired) => {
            shown.expires_at = now.plus(Duration::from_mins(1));
        }
        (Breakage::AcceptDead, Error::TooManyAttempts) => {
            shown.state = State::Open;
            shown.wrong = WrongCodes::default();
        }
        (Breakage::AcceptSuperseded, Error::CodeSuperseded) => {
            shown.generation = request.generation.checked_sub(1)?;
        }
        _ => return None,
    }
    Some(shown)
}
