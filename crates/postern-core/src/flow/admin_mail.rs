//! The mails by which admins sign in, and how they are judged.

use std::sync::Arc;
use std::time::Duration;

use super::admins::{INVITE_LIVES, parse};
use super::{Postern, Receipt, SendInput, Verified, VerifyInput};
use crate::error::Error;
use crate::model::{
    AuthRequestId, Caller, ClientId, Email, Method, RequestHandle, Snapshot, Template,
};
use crate::settings::{OnBudget, Settings};

/// A mail for who wants to sign in to the dashboard; whether it is sent is not decided yet.
pub struct AdminMail {
    /// What the browser that asked keeps.
    pub handle: RequestHandle,
    id: AuthRequestId,
    email: Email,
    uri: String,
    template: Template,
    snapshot: Arc<Snapshot>,
}

impl Postern {
    /// Names the request that an admin would sign in by, with a code and a link that leads to `uri`.
    /// Whether the address is an admin's cannot be told from the answer, nor from the time it takes:
    /// what differs is done by [`Self::send_admin_mail`].
    ///
    /// # Errors
    /// Not an address; no mail provider.
    pub fn admin_mail(&self, email: &str, uri: &str) -> Result<AdminMail, Error> {
        self.mail_for(email, uri, self.for_admins())
    }

    /// The same for who has just been let in: a link alone, good for as long as an invitation and in any
    /// browser, because nobody has asked for it in one.
    ///
    /// # Errors
    /// As [`Self::admin_mail`].
    pub fn invitation_mail(&self, email: &str, uri: &str) -> Result<AdminMail, Error> {
        let held = self.for_admins();
        let snapshot = Snapshot {
            settings: Settings {
                passwordless_type: Method::Link,
                expires_in: INVITE_LIVES,
                ..held.settings.clone()
            },
            ..Snapshot::clone(&held)
        };
        let mut mail = self.mail_for(email, uri, Arc::new(snapshot))?;
        mail.template = Template::Signup;
        let separator = if mail.uri.contains('?') { '&' } else { '?' };
        let request = mail.handle.expose();
        mail.uri = format!("{}{separator}request={request}", mail.uri);
        Ok(mail)
    }

    fn mail_for(
        &self,
        email: &str,
        uri: &str,
        snapshot: Arc<Snapshot>,
    ) -> Result<AdminMail, Error> {
        let email = parse(email)?;
        if !self.mails(&snapshot) {
            return Err(Error::MailNotConfigured);
        }
        let id = self.new_request();
        let keyring = self.keyring();
        let handle = keyring.handle(keyring.current_kid(), id);
        Ok(AdminMail {
            handle: handle.ok_or_else(super::send::no_root)?,
            id,
            email,
            uri: uri.to_owned(),
            template: Template::Signin,
            snapshot,
        })
    }

    /// Sends it, if the address is an admin's and no limit holds it back; what it names opens nothing
    /// otherwise. The suppression list holds nothing back: one bounce must not lock an owner out.
    ///
    /// # Errors
    /// A store that does not answer.
    pub async fn send_admin_mail(&self, mail: AdminMail) -> Result<Option<Receipt>, Error> {
        let Some(admin) = mail.snapshot.admin(&mail.email) else {
            return Ok(None);
        };
        let input = SendInput {
            email: admin.email.as_given().to_owned(),
            template: Some(mail.template.number().into()),
            magiclink_auth_uri: Some(mail.uri),
            template_variables: vec![("app_name".into(), "Postern dashboard".into())],
            ..SendInput::default()
        };
        let caller = dashboard();
        let sent = self.send_as(mail.id, &caller, input, &mail.snapshot);
        match sent.await {
            Ok(receipt) => Ok(Some(receipt)),
            Err(Error::RateLimited { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Judges the link of an invitation, which names its request itself: it opens in any browser.
    ///
    /// # Errors
    /// As [`Postern::verify_admin`]; [`Error::AuthRequestNotFound`] for a request that is none. A sign-in that
    /// somebody asked for elsewhere would let them in here under their own name.
    pub async fn verify_invited(&self, input: VerifyInput) -> Result<Email, Error> {
        let named = input.auth_request_id.as_deref().unwrap_or_default();
        let id = self.keyring().read_handle(named);
        let id = id.ok_or(Error::AuthRequestNotFound)?;
        let request = self.store.find_auth_request(id).await?;
        let invited = request.is_some_and(|request| {
            is_dashboard(&request.client) && request.template == Some(Template::Signup)
        });
        if !invited {
            return Err(Error::AuthRequestNotFound);
        }
        self.verify_admin(input).await
    }

    /// Judges an admin's code or link; the browser must be the one that asked.
    ///
    /// # Errors
    /// As [`Postern::verify`]; [`Error::AuthRequestNotFound`] for who is no admin any more.
    pub async fn verify_admin(&self, input: VerifyInput) -> Result<Email, Error> {
        let snapshot = self.for_admins();
        let verified: Verified = self.verify_under(&dashboard(), input, snapshot).await?;
        let email = parse(&verified.email)?;
        if self.snapshot().admin(&email).is_none() {
            return Err(Error::AuthRequestNotFound);
        }
        Ok(email)
    }

    /// The settings that admins sign in under: a mistake in those for everybody else must not lock
    /// out who could mend it.
    fn for_admins(&self) -> Arc<Snapshot> {
        let (held, standard) = (self.snapshot(), Settings::default());
        Arc::new(Snapshot {
            settings: Settings {
                enabled: true,
                passwordless_type: Method::LinkOtp,
                enforce_same_browser_origin: true,
                link_origins: Vec::new(),
                // Their code is no secret.
                test_addresses: Vec::new(),
                allowed_domains: Vec::new(),
                blocked_domains: Vec::new(),
                block_disposable_domains: false,
                expires_in: Duration::from_mins(10),
                // Refusing would let who guesses keep an admin out.
                on_budget: OnBudget::Harden,
                // They would share it: whoever asks for some would keep out all the others.
                client_sends_per_minute: 0,
                // Never so few mails that an admin cannot sign in, nor more guesses than the standard.
                sends_per_minute: held
                    .settings
                    .sends_per_minute
                    .max(standard.sends_per_minute),
                sends_per_hour: held.settings.sends_per_hour.max(standard.sends_per_hour),
                sends_per_day: held.settings.sends_per_day.max(standard.sends_per_day),
                attempt_limit: held.settings.attempt_limit.min(standard.attempt_limit),
                guess_budget: held.settings.guess_budget.min(standard.guess_budget),
                ..held.settings.clone()
            },
            ..Snapshot::clone(&held)
        })
    }
}

/// Whether a request is an admin's sign-in to the dashboard. Its mail is always the built-in one: a
/// template must not lock out who could mend it.
pub fn is_dashboard(client: &ClientId) -> bool {
    client.is_dashboard()
}

/// The dashboard as the client of its own sign-ins. No token is ever made for it.
fn dashboard() -> Caller {
    Caller::new(dashboard_client())
}

/// The id under which those are kept.
pub(super) fn dashboard_client() -> ClientId {
    ClientId::dashboard()
}
