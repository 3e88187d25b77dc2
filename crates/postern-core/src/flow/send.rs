use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use super::Postern;
use super::admin_mail::is_dashboard;
use super::open::{MailInput, state_slot};
use super::person::telling;
use crate::error::{Error, Violation};
use crate::keyring::Keyring;
use crate::model::{
    AuthRequestId, Caller, DeliveryId, Email, Languages, LinkUri, MailKind, Method, RequestHandle,
    Snapshot, Template, Timestamp, Variables,
};
use crate::ports::{Decision, Opening, random};
use crate::rules::{DomainRule, Issue, domain, is_test_identity};
use crate::settings::Settings;

/// A send as it came over the wire; an empty optional text counts as absent.
#[derive(Clone, Default)]
pub struct SendInput {
    /// Whom to mail.
    pub email: String,
    /// The wording's number.
    pub template: Option<i32>,
    /// Where the link leads.
    pub magiclink_auth_uri: Option<String>,
    /// Echoed by verify.
    pub state: Option<String>,
    /// The lifetime asked for, in seconds.
    pub expires_in: Option<u32>,
    /// The caller's variables.
    pub template_variables: Vec<(String, String)>,
    /// What the person wants to read, where the variable `locale` does not say it.
    pub languages: Languages,
}

/// The answer to a send or resend.
#[derive(Clone, Debug)]
pub struct Receipt {
    /// The capability that verify and resend take.
    pub auth_request_id: RequestHandle,
    /// When the credentials expire.
    pub expires_at: Timestamp,
    /// Their lifetime.
    pub expires_in: Duration,
    /// What is mailed.
    pub method: Method,
    /// The mail, for the outbox: it is leased to this node already.
    pub delivery: DeliveryId,
    /// Whether there is a mail: none is sent to a test identity.
    pub mailed: bool,
}

/// A send that keeps every rule that does not depend on the store.
struct SendCommand {
    email: Email,
    template: Option<Template>,
    input: MailInput,
    state: Option<String>,
    lifetime: Duration,
}

impl Postern {
    /// Opens an auth request and queues its mail.
    ///
    /// # Errors
    /// Every broken field by name; a quota; no mail provider; a store that takes no more work.
    pub async fn send(&self, caller: &Caller, input: SendInput) -> Result<Receipt, Error> {
        self.send_under(caller, input, &self.snapshot()).await
    }

    /// [`Self::send`] under the settings of this snapshot.
    async fn send_under(
        &self,
        caller: &Caller,
        input: SendInput,
        snapshot: &Arc<Snapshot>,
    ) -> Result<Receipt, Error> {
        self.send_as(self.new_request(), caller, input, snapshot)
            .await
    }

    /// A name for a request to come.
    pub(super) fn new_request(&self) -> AuthRequestId {
        AuthRequestId::new(self.now(), random(&*self.entropy))
    }

    /// [`Self::send`] under the settings of this snapshot, as the request of this name.
    pub(super) async fn send_as(
        &self,
        id: AuthRequestId,
        caller: &Caller,
        input: SendInput,
        snapshot: &Arc<Snapshot>,
    ) -> Result<Receipt, Error> {
        Self::enabled(snapshot)?;
        let test =
            || Email::parse(&input.email).is_ok_and(|to| is_test_identity(&to, &snapshot.settings));
        if !self.mails(snapshot) && !test() {
            return Err(Error::MailNotConfigured);
        }
        let command = SendCommand::parse(input, &snapshot.settings)?;
        let flagged = self.check_domain(&command.email, snapshot)?;
        if !is_dashboard(&caller.client) {
            self.check_template(&command, &snapshot.settings)?;
        }
        let keyring = self.keyring();
        let issue = self.issue((id, caller), &command, snapshot, &keyring);
        let (key, kid) = (issue.key, issue.kid);
        let mut opening = self.opening((issue, flagged), &command, snapshot, &keyring);
        opening.decide = telling(caller.person.clone(), opening.decide);
        let decision = self.store.open_auth_request(opening).await?;
        self.answer(
            decision,
            key,
            caller,
            &keyring.handle(kid, id).ok_or_else(no_root)?,
        )
    }

    /// The receipt of a send or resend that was accepted; a refusal by a limit is counted.
    pub(super) fn answer(
        &self,
        decision: Decision,
        key: crate::model::AddressKey,
        caller: &Caller,
        handle: &RequestHandle,
    ) -> Result<Receipt, Error> {
        if let Err(error) = decision.outcome {
            self.throttled.note(key, &caller.client, &error, self.now());
            return Err(error);
        }
        let change = decision.change.ok_or_else(no_root)?;
        let delivery = DeliveryId {
            request: change.request.id,
            ordinal: change.request.resends.into(),
        };
        Ok(Receipt {
            auth_request_id: handle.clone(),
            expires_at: change.request.expires_at,
            expires_in: change.request.lifetime,
            method: change.request.method,
            delivery,
            mailed: change.delivery.is_some(),
        })
    }

    fn check_template(&self, command: &SendCommand, settings: &Settings) -> Result<(), Error> {
        let kind = MailKind::of(settings.passwordless_type, command.template);
        let input = &command.input;
        let (wanted, supplied) = (input.wanted(), &input.variables);
        let missing = self.templates.missing(kind, &wanted, supplied, settings);
        if missing.is_empty() {
            return Ok(());
        }
        let violation = |name: String| {
            let told =
                format!("the e-mail template needs the variable {name:?}, which was not supplied");
            Violation::new(format!("template_variables.{name}"), "required", told)
        };
        Err(Error::Invalid(missing.into_iter().map(violation).collect()))
    }

    fn issue(
        &self,
        (id, caller): (AuthRequestId, &Caller),
        command: &SendCommand,
        snapshot: &Snapshot,
        keyring: &Keyring,
    ) -> Issue {
        let seal = |state: &String| {
            keyring.seal(&state_slot(&id), state.as_bytes(), random(&*self.entropy))
        };
        Issue {
            id,
            kid: keyring.current_kid(),
            client: caller.client.clone(),
            address: command.email.clone(),
            key: command.email.key(),
            method: snapshot.settings.passwordless_type,
            template: command.template,
            lifetime: command.lifetime,
            caller_state: command.state.as_ref().map(seal),
        }
    }

    fn opening(
        &self,
        (issue, flagged): (Issue, Option<DomainRule>),
        command: &SendCommand,
        snapshot: &Arc<Snapshot>,
        keyring: &Keyring,
    ) -> Opening {
        let capped = snapshot.settings.client_sends_per_minute > 0;
        let snapshot = snapshot.clone();
        // One bounce must not lock out who could take the address off the list.
        let listed = !is_dashboard(&issue.client);
        let counted_as = issue.address.counted_as(&issue.client);
        Opening {
            address: issue.key,
            counted_as,
            client: capped.then(|| issue.client.clone()),
            input: command
                .input
                .seal(keyring, issue.id, || random(&*self.entropy)),
            decide: Box::new(move |found, now| {
                let mut ledger = Cow::Borrowed(found.ledger);
                if !listed && ledger.suppressed.is_some() {
                    ledger.to_mut().suppressed = None;
                }
                let mut decision = issue.decide(&ledger, &snapshot.settings, now);
                if let Some(change) = &mut decision.change {
                    domain::flag(change, flagged, issue.key, now);
                }
                decision
            }),
        }
    }
}

impl SendCommand {
    fn parse(input: SendInput, settings: &Settings) -> Result<Self, Error> {
        let mut wrong = Vec::new();
        let email = keep(&mut wrong, "email", "email", Email::parse(&input.email));
        let template = parse_template(input.template, &mut wrong);
        let state = present(input.state);
        if state
            .as_ref()
            .is_some_and(|state| state.chars().count() > 1000)
        {
            wrong.push(Violation::new(
                "state",
                "max_len:1000",
                "state is longer than 1000 characters",
            ));
        }
        let uri = parse_uri(present(input.magiclink_auth_uri), settings, &mut wrong);
        let lifetime = parse_lifetime(input.expires_in, settings, &mut wrong);
        let variables = Variables::parse(input.template_variables)
            .map_err(|found| wrong.extend(found))
            .ok();
        match (email, variables) {
            (Some(email), Some(variables)) if wrong.is_empty() => Ok(Self {
                email,
                template,
                input: MailInput {
                    uri,
                    variables,
                    languages: input.languages,
                },
                state,
                lifetime,
            }),
            _ => Err(Error::Invalid(wrong)),
        }
    }
}

fn parse_template(number: Option<i32>, wrong: &mut Vec<Violation>) -> Option<Template> {
    let template = Template::from_number(number?);
    if template.is_none() {
        wrong.push(Violation::new(
            "template",
            "defined_only",
            "template is not one of UNSPECIFIED, SIGNIN, SIGNUP",
        ));
    }
    template
}

/// The URI where the mail has a link; a URI for a mail without one is checked and not kept.
fn parse_uri(
    text: Option<String>,
    settings: &Settings,
    wrong: &mut Vec<Violation>,
) -> Option<LinkUri> {
    let linked = settings.passwordless_type.has_link();
    let Some(text) = text else {
        if linked {
            wrong.push(Violation::new(
                "magiclink_auth_uri",
                "required",
                "magiclink_auth_uri is required",
            ));
        }
        return None;
    };
    keep(
        wrong,
        "magiclink_auth_uri",
        "uri",
        LinkUri::parse(&text, settings),
    )
    .filter(|_| linked)
}

fn parse_lifetime(asked: Option<u32>, settings: &Settings, wrong: &mut Vec<Violation>) -> Duration {
    let Some(seconds) = asked else {
        return settings.expires_in;
    };
    if !Settings::LIFETIMES.contains(&u64::from(seconds)) {
        wrong.push(Violation::new(
            "expires_in",
            "range:60..3600",
            "expires_in must be from 60 to 3600 seconds",
        ));
    }
    Duration::from_secs(seconds.into())
}

/// The value, or a violation of `field` with the problem as its description.
fn keep<T, P: std::fmt::Display>(
    wrong: &mut Vec<Violation>,
    field: &'static str,
    constraint: &'static str,
    parsed: Result<T, P>,
) -> Option<T> {
    parsed
        .map_err(|problem| wrong.push(Violation::new(field, constraint, problem.to_string())))
        .ok()
}

/// An optional text of the wire; the empty text is no text (contract §3).
pub(super) fn present(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}

/// Cannot happen while roots in use are not retired.
pub(super) fn no_root() -> Error {
    Error::Internal("an accepted act lacks its root or request".into())
}
