//! What one mail is filled with, as the template engine looks it up.

use std::borrow::Cow;
use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use minijinja::value::{Object, ObjectRepr, from_args};
use minijinja::{Error, ErrorKind, State, Value};

use super::parts::Fields;
use crate::mail::wording::{self, Wording, WordingError};

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
    args: Vec<(&'static str, String)>,
    said: Mutex<Vec<(String, Arc<str>)>>,
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
        let mut args = vec![
            ("app", app),
            ("asker", asker),
            ("name", field("user_name")),
            ("email", field("user_email")),
            ("when", field("requested_at")),
            ("support", field("app_support_email")),
            ("within", field("expiry_within")),
        ];
        // A key that names the code has no place in a mail without one.
        args.extend(fields.get("otp").map(|code| ("code", code.to_owned())));
        Self {
            wording: Wording::tagged(&field("language")),
            args,
            said: Mutex::default(),
        }
    }

    fn say(&self, key: &str) -> Result<Arc<str>, WordingError> {
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, text)) = said.iter().find(|(known, _)| known == key) {
            return Ok(Arc::clone(text));
        }
        let text: Arc<str> = if let Some(plain) = self.wording.plain(key) {
            plain.into()
        } else {
            let pairs = self.args.iter();
            let args = pairs.map(|(name, value)| (*name, Cow::Borrowed(value.as_str())));
            self.wording.say(key, &wording::args(args))?.into()
        };
        said.push((key.to_owned(), Arc::clone(&text)));
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
