//! What one mail is filled with, as the template engine looks it up.

use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use fluent_bundle::FluentArgs;
use minijinja::value::{Object, ObjectRepr, from_args};
use minijinja::{Error, ErrorKind, State, Value};

use super::parts::Fields;
use crate::mail::wording::{Wording, WordingError};

/// The fields of one mail, for its three parts. The engine asks for those that a template names, so
/// that nothing is copied for it beforehand.
pub(super) struct Filling {
    fields: Fields,
    /// Known once its own part is filled.
    subject: OnceLock<String>,
    speaker: Arc<Speaker>,
}

/// The function `t`: the built-in wording of a key, in the mail's language. The parts of a mail say
/// much the same, so that what was said once is kept.
struct Speaker {
    wording: &'static Wording,
    speech: Mutex<Speech>,
}

struct Speech {
    /// What messages are filled with.
    args: FluentArgs<'static>,
    said: Vec<(String, Arc<str>)>,
}

impl Filling {
    pub(super) fn new(fields: &Fields) -> Arc<Self> {
        Arc::new(Self {
            speaker: Arc::new(Speaker::of(fields)),
            fields: fields.clone(),
            subject: OnceLock::new(),
        })
    }

    /// Makes the subject known to the other parts.
    pub(super) fn know_subject(&self, subject: String) {
        // Only the first counts, and a mail has one.
        let _ = self.subject.set(subject);
    }
}

impl Object for Filling {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        match (key, self.subject.get()) {
            ("t", _) => Some(Value::from_dyn_object(Arc::clone(&self.speaker))),
            ("subject", Some(subject)) => Some(Value::from(subject.as_str())),
            _ => self.fields.get(key).map(Value::from),
        }
    }
}

impl Speaker {
    fn of(fields: &Fields) -> Self {
        let field = |name: &str| fields.get(name).unwrap_or_default().to_owned();
        let (app, organization) = (field("app_name"), field("organization_name"));
        let asker = match organization.as_str() {
            "" => app.clone(),
            organization => format!("{app} ({organization})"),
        };
        let mut args = FluentArgs::new();
        for (name, value) in [
            ("app", app),
            ("asker", asker),
            ("name", field("user_name")),
            ("email", field("user_email")),
            ("when", field("requested_at")),
            ("support", field("app_support_email")),
            ("within", field("expiry_within")),
        ] {
            args.set(name, value);
        }
        // A key that names the code has no place in a mail without one.
        if let Some(code) = fields.get("otp") {
            args.set("code", code.to_owned());
        }
        let said = Vec::new();
        Self {
            wording: Wording::tagged(&field("language")),
            speech: Mutex::new(Speech { args, said }),
        }
    }

    fn say(&self, key: &str) -> Result<Arc<str>, WordingError> {
        let mut speech = self.speech.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, text)) = speech.said.iter().find(|(known, _)| known == key) {
            return Ok(Arc::clone(text));
        }
        let text: Arc<str> = match self.wording.plain(key) {
            Some(plain) => plain.into(),
            None => self.wording.say(key, &speech.args)?.into(),
        };
        speech.said.push((key.to_owned(), Arc::clone(&text)));
        Ok(text)
    }
}

impl Object for Speaker {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn call(self: &Arc<Self>, _: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
        let (key,): (&str,) = from_args(args)?;
        let refused =
            |error: WordingError| Error::new(ErrorKind::InvalidOperation, error.to_string());
        self.say(key).map(Value::from).map_err(refused)
    }
}

impl fmt::Debug for Filling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fields.fmt(f)
    }
}

impl fmt::Debug for Speaker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("t")
    }
}
