use super::*;
use crate::model::{ClientId, CodeShape, Email, Method};
use crate::rules::fixtures::{at, keyring, request};

/// A request with the policy around it; every test changes one thing.
struct Case {
    request: AuthRequest,
    guesses: History,
    settings: Settings,
    now: i64,
}

impl Case {
    fn new() -> Self {
        let (request, settings) = (request(), Settings::default());
        Self {
            request,
            guesses: History::default(),
            settings,
            now: 10,
        }
    }

    fn with(request: AuthRequest) -> Self {
        Self {
            request,
            ..Self::new()
        }
    }

    fn judge(&self, proof: &Proof) -> Decision {
        let judgement = Judgement {
            request: &self.request,
            key: self.request.address.key(),
            guesses: &self.guesses,
            settings: &self.settings,
            keyring: &keyring(),
            now: at(self.now),
        };
        judge(&judgement, proof)
    }

    /// The code of the answer, or `OK`.
    fn answer(&self, proof: &Proof) -> &'static str {
        self.judge(proof)
            .outcome
            .map_or_else(|error| error.code(), |()| "OK")
    }

    fn code(&self, generation: u16) -> Proof {
        let code = keyring()
            .passcode(&Binding::new(&self.request, generation))
            .unwrap();
        Proof::Code(code.expose().to_owned())
    }

    fn link(&self, generation: u16, claimed: Claimed) -> Proof {
        let token = keyring()
            .link_token(&Binding::new(&self.request, generation))
            .unwrap();
        Proof::Link {
            link: keyring().read_link(token.expose()).unwrap(),
            claimed,
        }
    }

    /// Six digits that none of the first generations' codes reads.
    fn wrong(&self, n: usize) -> Proof {
        let known: Vec<_> = (0..10).map(|g| self.code(g)).collect();
        let taken = |code: &String| {
            known
                .iter()
                .any(|k| matches!(k, Proof::Code(c) if c == code))
        };
        let fresh = (0..).map(|n| format!("{n:06}")).filter(|code| !taken(code));
        Proof::Code(fresh.into_iter().nth(n).unwrap())
    }
}

fn used() -> AuthRequest {
    AuthRequest {
        state: State::Used(UsedBy::Code),
        ..request()
    }
}

#[test]
fn the_right_code_or_link_is_accepted_and_everything_of_the_request_is_dead() {
    let case = Case::new();
    for (proof, by) in [
        (case.code(0), UsedBy::Code),
        (case.link(0, Claimed::Nothing), UsedBy::Link),
        (
            case.link(0, Claimed::Request(case.request.id)),
            UsedBy::Link,
        ),
    ] {
        let decision = case.judge(&proof);
        assert!(decision.outcome.is_ok());
        let after = Case::with(decision.change.unwrap().request);
        assert_eq!(after.request.state, State::Used(by));
        assert_eq!(after.answer(&after.code(0)), "AUTH_REQUEST_USED");
        assert_eq!(
            after.answer(&after.link(0, Claimed::Nothing)),
            "AUTH_REQUEST_USED"
        );
    }
}

#[test]
fn used_comes_before_expired_and_dead_before_expired() {
    let late = |request| Case {
        now: 9_999,
        ..Case::with(request)
    };
    assert_eq!(
        late(used()).answer(&Case::new().code(0)),
        "AUTH_REQUEST_USED"
    );
    let dead = AuthRequest {
        state: State::Dead,
        ..request()
    };
    assert_eq!(late(dead).answer(&Case::new().code(0)), "TOO_MANY_ATTEMPTS");
    assert_eq!(
        late(request()).answer(&Case::new().code(0)),
        "AUTH_REQUEST_EXPIRED"
    );
}

#[test]
fn a_request_lives_up_to_its_last_moment_and_not_at_it() {
    let at_second = |now| Case { now, ..Case::new() };
    assert_eq!(at_second(299).answer(&Case::new().code(0)), "OK");
    assert_eq!(
        at_second(300).answer(&Case::new().code(0)),
        "AUTH_REQUEST_EXPIRED"
    );
}

#[test]
fn a_dead_request_takes_no_link_either() {
    let dead = Case::with(AuthRequest {
        state: State::Dead,
        ..request()
    });
    let refused = dead
        .judge(&dead.link(0, Claimed::Nothing))
        .outcome
        .unwrap_err();
    assert_eq!(
        (refused.code(), refused.retry_after()),
        ("TOO_MANY_ATTEMPTS", None)
    );
}

#[test]
fn a_proof_of_a_kind_that_was_not_mailed_is_refused_uncounted() {
    let otp = Case::with(AuthRequest {
        method: Method::Otp,
        ..request()
    });
    assert_eq!(otp.answer(&otp.link(0, Claimed::Nothing)), "INVALID_LINK");
    let link = Case::with(AuthRequest {
        method: Method::Link,
        ..request()
    });
    let decision = link.judge(&link.code(0));
    assert_eq!(decision.outcome.unwrap_err().code(), "INVALID_CODE");
    assert!(decision.change.is_none());
}

#[test]
fn a_code_of_impossible_length_or_alphabet_is_refused_uncounted() {
    let case = Case::new();
    for impossible in ["12345", "1234567", "12345A", "", "１２３４５６"] {
        let decision = case.judge(&Proof::Code(impossible.to_owned()));
        assert!(matches!(
            decision.outcome,
            Err(Error::InvalidCode { attempts_left: 5 })
        ));
        assert!(decision.change.is_none());
    }
}

#[test]
fn same_browser_wants_the_request_id_beside_the_link_and_a_wrong_one_is_always_refused() {
    let other = Claimed::Request(AuthRequestId::from_bytes([9; 16]));
    for same_browser in [false, true] {
        let settings = Settings {
            enforce_same_browser_origin: same_browser,
            ..Settings::default()
        };
        let case = Case {
            settings,
            ..Case::new()
        };
        let bare = if same_browser { "OTHER_BROWSER" } else { "OK" };
        assert_eq!(case.answer(&case.link(0, Claimed::Nothing)), bare);
        assert_eq!(
            case.answer(&case.link(0, Claimed::Request(case.request.id))),
            "OK"
        );
        assert_eq!(case.answer(&case.link(0, other)), "OTHER_BROWSER");
        assert_eq!(case.answer(&case.link(0, Claimed::Forged)), "OTHER_BROWSER");
    }
}

#[test]
fn past_the_guess_budget_codes_wait_links_work_and_hardened_codes_work() {
    let guesses = History::new((0..100).map(|n| at(n - 200)).collect());
    let case = Case {
        guesses: guesses.clone(),
        ..Case::new()
    };
    let refused = case.judge(&case.code(0)).outcome.unwrap_err();
    assert_eq!(refused.code(), "RATE_LIMITED");
    assert_eq!(refused.retry_after().unwrap().as_secs(), 86_400 - 210);
    assert_eq!(case.answer(&case.link(0, Claimed::Nothing)), "OK");
    let hardened = AuthRequest {
        hardened: true,
        shape: CodeShape::HARDENED,
        ..request()
    };
    let case = Case {
        guesses,
        request: hardened,
        ..Case::new()
    };
    assert_eq!(case.answer(&case.code(0)), "OK");
}

#[test]
fn the_last_three_older_generations_are_told_to_use_the_newest_mail() {
    let case = Case::with(AuthRequest {
        generation: 5,
        ..request()
    });
    for older in 2..=4 {
        let decision = case.judge(&case.code(older));
        assert_eq!(decision.outcome.unwrap_err().code(), "CODE_SUPERSEDED");
        assert!(decision.change.is_none());
        assert_eq!(
            case.answer(&case.link(older, Claimed::Nothing)),
            "LINK_SUPERSEDED"
        );
    }
    assert_eq!(case.answer(&case.code(1)), "INVALID_CODE");
    assert_eq!(case.answer(&case.link(1, Claimed::Nothing)), "INVALID_LINK");
    assert_eq!(case.answer(&case.link(6, Claimed::Nothing)), "INVALID_LINK");
    assert_eq!(case.answer(&case.code(5)), "OK");
}

#[test]
fn five_different_wrong_codes_kill_the_request_whatever_its_generations() {
    let mut case = Case::new();
    for n in 0..5_u8 {
        case.request.generation = u16::from(n);
        let decision = case.judge(&case.wrong(n.into()));
        let left = 4 - n;
        assert!(
            matches!(decision.outcome, Err(Error::InvalidCode { attempts_left }) if attempts_left == left)
        );
        case.request = decision.change.unwrap().request;
    }
    assert_eq!(case.request.state, State::Dead);
    assert_eq!(case.answer(&case.code(4)), "TOO_MANY_ATTEMPTS");
}

#[test]
fn the_same_wrong_code_again_changes_nothing_at_all() {
    let mut case = Case::new();
    case.request = case.judge(&case.wrong(0)).change.unwrap().request;
    let again = case.judge(&case.wrong(0));
    assert!(matches!(
        again.outcome,
        Err(Error::InvalidCode { attempts_left: 4 })
    ));
    assert!(again.change.is_none());
}

#[test]
fn a_wrong_code_counts_against_request_and_budget_and_a_hardened_one_only_against_the_request() {
    let case = Case::new();
    let change = case.judge(&case.wrong(0)).change.unwrap();
    assert_eq!(
        (
            change.request.wrong.count(),
            change.guesses.unwrap().times().len()
        ),
        (1, 1)
    );
    let hardened = AuthRequest {
        hardened: true,
        shape: CodeShape::HARDENED,
        ..request()
    };
    let case = Case::with(hardened);
    let change = case
        .judge(&Proof::Code("2222222222".to_owned()))
        .change
        .unwrap();
    assert_eq!((change.request.wrong.count(), change.guesses), (1, None));
}

#[test]
fn the_guess_that_spends_the_budget_says_so_once() {
    let guesses = History::new((0..99).map(|n| at(n - 200)).collect());
    let case = Case {
        guesses,
        ..Case::new()
    };
    let change = case.judge(&case.wrong(0)).change.unwrap();
    assert!(
        change
            .events
            .iter()
            .any(|event| event.what == EventKind::BudgetPassed)
    );
}

#[test]
fn a_lowered_attempt_limit_holds_for_requests_under_way() {
    let mut case = Case::new();
    case.request = case.judge(&case.wrong(0)).change.unwrap().request;
    case.settings.attempt_limit = 1;
    let decision = case.judge(&case.code(0));
    assert_eq!(decision.outcome.unwrap_err().code(), "TOO_MANY_ATTEMPTS");
    case.request = decision.change.unwrap().request;
    case.settings.attempt_limit = 5;
    assert_eq!(case.answer(&case.code(0)), "TOO_MANY_ATTEMPTS");
}

#[test]
fn a_link_does_not_survive_a_change_of_address_client_or_type_in_the_store() {
    let token = Case::new().link(0, Claimed::Nothing);
    for changed in [
        AuthRequest {
            address: Email::parse("eve@example.com").unwrap(),
            ..request()
        },
        AuthRequest {
            client: ClientId::parse("skc_9").unwrap(),
            ..request()
        },
        AuthRequest {
            method: Method::Link,
            ..request()
        },
    ] {
        assert_eq!(Case::with(changed).answer(&token), "INVALID_LINK");
    }
}
