use super::judge::exhausted;
use crate::model::{AuthRequest, State, Timestamp};
use crate::settings::Settings;

/// Why the page between a mail and the app leads no further.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageEnd {
    /// The request was accepted before.
    Used,
    /// Too many wrong codes.
    Dead,
    /// Its lifetime is over.
    Expired,
    /// A newer mail of the same request has other credentials.
    Superseded,
}

/// Whether the page of a mail's generation still leads to the app, in the order in which a proof
/// would be judged (lifecycle §3). Only tells: it writes nothing, and the verify after it judges anew.
pub fn page_end(
    request: &AuthRequest,
    generation: u16,
    settings: &Settings,
    now: Timestamp,
) -> Option<PageEnd> {
    match request.state {
        State::Used(_) => Some(PageEnd::Used),
        State::Dead => Some(PageEnd::Dead),
        State::Open if exhausted(request, settings) => Some(PageEnd::Dead),
        State::Open if now >= request.expires_at => Some(PageEnd::Expired),
        State::Open if generation != request.generation => Some(PageEnd::Superseded),
        State::Open => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::UsedBy;
    use crate::rules::fixtures::{at, request};

    #[test]
    fn a_page_ends_for_the_reason_that_a_proof_would_hear_first() {
        let settings = Settings::default();
        let end = |request: &AuthRequest, seconds| page_end(request, 0, &settings, at(seconds));
        let open = request();
        assert_eq!(end(&open, 299), None);
        assert_eq!(end(&open, 300), Some(PageEnd::Expired));
        let newer = AuthRequest {
            generation: 1,
            ..request()
        };
        assert_eq!(end(&newer, 1), Some(PageEnd::Superseded));
        assert_eq!(end(&newer, 300), Some(PageEnd::Expired));
        for (state, expected) in [
            (State::Used(UsedBy::Code), PageEnd::Used),
            (State::Dead, PageEnd::Dead),
        ] {
            assert_eq!(
                end(&AuthRequest { state, ..request() }, 999),
                Some(expected)
            );
        }
    }
}
