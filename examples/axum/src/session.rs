//! Sessions in memory, named by a cookie; a real app keeps them in its store.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use axum::http::header::COOKIE;
use axum::http::{HeaderMap, HeaderValue};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

/// What a browser's session knows.
#[derive(Clone, Default)]
pub(crate) struct Session {
    /// Its name: 256 random bits.
    pub(crate) id: String,
    /// What its forms carry.
    pub(crate) csrf: String,
    /// Between send and verify: a capability, which goes nowhere else.
    pub(crate) auth_request_id: Option<String>,
    /// Who is signed in.
    pub(crate) email: Option<String>,
}

/// Every session.
#[derive(Default)]
pub(crate) struct Sessions(Mutex<HashMap<String, Session>>);

impl Sessions {
    /// The session of a request, or a new one.
    pub(crate) fn of(&self, headers: &HeaderMap) -> Session {
        let cookies = headers.get(COOKIE).and_then(|value| value.to_str().ok());
        let mut pairs = cookies.unwrap_or_default().split("; ");
        let id = pairs.find_map(|pair| pair.strip_prefix("shop="));
        let held = id.and_then(|id| self.lock().get(id).cloned());
        held.unwrap_or_else(|| self.fresh())
    }

    /// A new session, so that nobody can have planted it.
    pub(crate) fn fresh(&self) -> Session {
        let session = Session {
            id: random(),
            csrf: random(),
            ..Session::default()
        };
        self.keep(&session);
        session
    }

    /// Keeps a session as it is now.
    pub(crate) fn keep(&self, session: &Session) {
        self.lock().insert(session.id.clone(), session.clone());
    }

    /// Ends a session.
    pub(crate) fn end(&self, session: &Session) {
        self.lock().remove(&session.id);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Session>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Session {
    /// The cookie: `Lax`, so that a link in a mail finds the session that asked; `Secure` behind https.
    pub(crate) fn cookie(&self) -> HeaderValue {
        let text = format!("shop={}; Path=/; HttpOnly; SameSite=Lax", self.id);
        HeaderValue::from_str(&text).expect("base64url is visible ASCII")
    }
}

#[expect(clippy::disallowed_methods, reason = "an app has no entropy port")]
fn random() -> String {
    let mut bytes = [0; 32];
    aws_lc_rs::rand::fill(&mut bytes).expect("the system gives random bytes");
    URL_SAFE_NO_PAD.encode(bytes)
}
