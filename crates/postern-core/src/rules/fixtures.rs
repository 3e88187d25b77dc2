//! Values for the rules' tests.

use std::time::Duration;

use crate::keyring::{Keyring, RootSecret};
use crate::model::{
    AuthRequest, AuthRequestId, ClientId, CodeAlphabet, CodeShape, Email, Method, State, Timestamp,
    WrongCodes,
};

/// The moment `seconds` after the fixtures' start.
pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix_seconds(1_800_000_000 + seconds)
}

pub(crate) fn keyring() -> Keyring {
    Keyring::new(
        &[(1, RootSecret::new([7; 32])), (2, RootSecret::new([8; 32]))],
        1,
    )
    .unwrap()
}

pub(crate) fn client() -> ClientId {
    ClientId::parse("skc_1").unwrap()
}

/// An open request for a passcode and a link, opened at 0, expiring at 300.
pub(crate) fn request() -> AuthRequest {
    AuthRequest {
        id: AuthRequestId::new(at(0), [3; 10]),
        kid: 1,
        client: client(),
        address: Email::parse("ada@example.com").unwrap(),
        method: Method::LinkOtp,
        template: None,
        shape: CodeShape {
            length: 6,
            alphabet: CodeAlphabet::Numeric,
        },
        hardened: false,
        test: false,
        lifetime: Duration::from_mins(5),
        generation: 0,
        generation_at: at(0),
        sent_at: at(0),
        expires_at: at(300),
        resends: 0,
        state: State::Open,
        wrong: WrongCodes::default(),
        caller_state: None,
    }
}
