use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::keyring::{Keyring, SealProblem};
use crate::model::{AuthRequestId, Languages, LinkUri, Sealed, Slot, Variables};

/// What a caller gave for the mail: kept sealed, apart from the request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MailInput {
    /// Where the link leads.
    pub uri: Option<LinkUri>,
    /// The caller's variables.
    pub variables: Variables,
    /// What the call's `Accept-Language` said.
    pub languages: Languages,
}

/// [`MailInput`], opened.
pub type OpenedInput = Result<MailInput, SealProblem>;

#[derive(Serialize, Deserialize)]
struct Stored {
    #[serde(skip_serializing_if = "Option::is_none", default)]
    uri: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    variables: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "String::is_empty", default)]
    languages: String,
}

impl MailInput {
    /// What the person wants to read, best first: the variable `locale`, then what the call said.
    pub fn wanted(&self) -> Languages {
        match self.variables.get("locale") {
            None => self.languages.clone(),
            Some(locale) => Languages::parse(locale).then(&self.languages),
        }
    }

    /// The input, sealed for its row; `None` when there is nothing to keep, and then no nonce is drawn.
    pub(super) fn seal(
        &self,
        keyring: &Keyring,
        id: AuthRequestId,
        nonce: impl FnOnce() -> [u8; Keyring::NONCE],
    ) -> Option<Sealed> {
        if self.uri.is_none() && self.variables.is_empty() && self.languages.is_empty() {
            return None;
        }
        let uri = self.uri.as_ref().map(|uri| uri.as_str().to_owned());
        let stored = Stored {
            uri,
            variables: self.variables.pairs().clone(),
            languages: self.languages.to_string(),
        };
        let json = zeroize::Zeroizing::new(serde_json::to_vec(&stored).expect("strings serialise"));
        Some(keyring.seal(&slot(&id), &json, nonce()))
    }

    /// Opens what [`crate::model::Outgoing::input`] holds for this request.
    ///
    /// # Errors
    /// Its root is gone, or it was changed in the store.
    pub fn open(keyring: &Keyring, id: AuthRequestId, sealed: Option<&Sealed>) -> OpenedInput {
        let Some(sealed) = sealed else {
            return Ok(Self::default());
        };
        let json = keyring.open(&slot(&id), sealed)?;
        let stored: Stored = serde_json::from_slice(&json).map_err(|_| SealProblem::Broken)?;
        Ok(Self {
            uri: stored.uri.map(LinkUri::restore),
            variables: Variables::restore(stored.variables),
            languages: Languages::parse(&stored.languages),
        })
    }
}

fn slot(id: &AuthRequestId) -> Slot<'_> {
    Slot {
        table: "mail_inputs",
        column: "input",
        id: id.as_bytes(),
    }
}

/// The slot of a request's `state`.
pub(super) fn state_slot(id: &AuthRequestId) -> Slot<'_> {
    Slot {
        table: "auth_requests",
        column: "state",
        id: id.as_bytes(),
    }
}

/// A sealed value that does not open is a fault of ours or a change made in the store.
pub(super) fn unreadable(problem: SealProblem) -> Error {
    Error::Internal(Box::new(problem))
}
