use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::digest;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use super::{Postern, Receipt, SendInput, Verified, VerifyInput, audited};
use crate::error::Error;
use crate::model::{
    AdminAccount, AdminSession, AuditEntry, AuthRequestId, Caller, ClientId, Email, Invite, Method,
    RequestHandle, Role, SecretText, Snapshot, Template, Timestamp, TokenDigest,
};
use crate::ports::{Amendment, random};
use crate::rules::SKEW;
use crate::settings::{OnBudget, Settings};

/// How long an invitation is good.
pub const INVITE_LIVES: Duration = Duration::from_hours(1);
/// How long a session lives at most.
pub const SESSION_LIVES: Duration = Duration::from_hours(12);
/// How long a session lives without being used.
pub const SESSION_IDLES: Duration = Duration::from_hours(2);
/// How long after a proof an admin may touch secrets, keys and admins.
pub const PROOF_LASTS: Duration = Duration::from_mins(15);
/// How often a session's use is written down.
const SEEN_EVERY: Duration = Duration::from_mins(1);

/// An admin with a live session.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// Who.
    pub account: AdminAccount,
    /// Their session.
    pub session: AdminSession,
    /// Whether they proved who they are lately enough for secrets, keys and admins.
    pub fresh: bool,
}

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
    /// Makes an invitation; its token is shown once.
    ///
    /// # Errors
    /// Not an address; a store that does not answer.
    pub async fn invite_admin(&self, email: &str, role: Role) -> Result<SecretText, Error> {
        let email = parse(email)?;
        let (token, now) = (self.new_token(), self.now());
        let (target, after) = (email.as_given().to_owned(), role.as_str().to_owned());
        let invite = Invite {
            digest: token_digest(token.expose()),
            email,
            role,
            expires_at: now.plus(INVITE_LIVES),
        };
        self.store.put_invite(invite).await?;
        self.note("admin.invite", target, String::new(), after)
            .await?;
        Ok(token)
    }

    /// Whom an invitation is for, without using it up.
    ///
    /// # Errors
    /// A store that does not answer.
    pub async fn invited(&self, token: &str) -> Result<Option<Email>, Error> {
        let found = self.store.find_invite(token_digest(token)).await?;
        Ok(found.map(|invite| invite.email))
    }

    /// Uses an invitation up: its person is an admin from now on, with a new session. Who is one
    /// already keeps their role, so that an invitation also helps who cannot get mail.
    ///
    /// # Errors
    /// [`Error::InvalidLink`] when it is over, used or none of ours.
    pub async fn accept_invite(&self, token: &str, agent: &str) -> Result<SecretText, Error> {
        let accept = |invite: &Invite, held: &Snapshot, now| {
            if held.admin(&invite.email).is_some() {
                return Vec::new();
            }
            let mut amendments = vec![Amendment::PutAdmin(AdminAccount {
                email: invite.email.clone(),
                role: invite.role,
                created_at: now,
            })];
            let actor = invite.email.as_given();
            amendments.extend(audited::entries(held, &amendments, actor, now));
            amendments
        };
        let digest = token_digest(token);
        let accepted = self.store.accept_invite(digest, Box::new(accept)).await?;
        let (invite, after) = accepted.ok_or(Error::InvalidLink)?;
        self.adopt(after);
        self.open_session(&invite.email, agent).await
    }

    /// Adds an admin, or gives one another role.
    ///
    /// # Errors
    /// Not an address; no owner would be left.
    pub async fn put_admin(&self, email: &str, role: Role) -> Result<(), Error> {
        let email = parse(email)?;
        let put = move |held: &Snapshot, now| {
            let before = held.admin(&email);
            if role != Role::Owner {
                keep_an_owner(held, &email)?;
            }
            Ok(vec![Amendment::PutAdmin(AdminAccount {
                email: before.map_or_else(|| email.clone(), |held| held.email.clone()),
                role,
                created_at: before.map_or(now, |held| held.created_at),
            })])
        };
        self.amend(Box::new(put)).await.map(drop)
    }

    /// Removes an admin; their sessions end with it.
    ///
    /// # Errors
    /// No such admin; no owner would be left.
    pub async fn drop_admin(&self, email: &str) -> Result<(), Error> {
        let email = parse(email)?;
        let remove = move |held: &Snapshot, _| {
            let Some(held_admin) = held.admin(&email) else {
                return Err(Error::invalid("email", "exists", "there is no such admin"));
            };
            keep_an_owner(held, &email)?;
            Ok(vec![Amendment::DropAdmin(held_admin.email.clone())])
        };
        self.amend(Box::new(remove)).await.map(drop)
    }

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

    /// Opens a session for an admin who has just proved who they are; answers its token.
    ///
    /// # Errors
    /// A store that does not answer.
    pub async fn open_session(&self, email: &Email, agent: &str) -> Result<SecretText, Error> {
        let (token, now) = (self.new_token(), self.now());
        let session = AdminSession {
            digest: token_digest(token.expose()),
            email: email.clone(),
            created_at: now,
            seen_at: now,
            proved_at: now,
            agent: agent
                .chars()
                .filter(|c| !c.is_control())
                .take(200)
                .collect(),
        };
        self.keep_session(session, now).await?;
        self.acting(email.as_given())
            .note(
                "session.open",
                email.as_given().to_owned(),
                String::new(),
                String::new(),
            )
            .await?;
        Ok(token)
    }

    /// Whose live session a token is. Who they are is read from the store as well: what was decided on
    /// another node a moment ago holds here too.
    ///
    /// # Errors
    /// A store that does not answer.
    pub async fn signed_in(&self, token: &str) -> Result<Option<SignedIn>, Error> {
        let now = self.now();
        let found = self.store.find_session(token_digest(token)).await?;
        let Some((mut session, account)) = found else {
            return Ok(None);
        };
        // Who was removed and let in again does not come back by a session of before.
        let earlier = session.created_at.plus(SKEW) < account.created_at;
        let over = earlier
            || now.since(session.created_at) >= SESSION_LIVES
            || now.since(session.seen_at) >= SESSION_IDLES;
        if over {
            self.store.end_session(session.digest).await?;
            return Ok(None);
        }
        if now.since(session.seen_at) >= SEEN_EVERY {
            if !self.store.see_session(session.digest, now).await? {
                return Ok(None);
            }
            session.seen_at = now;
        }
        Ok(Some(SignedIn {
            account,
            fresh: now.since(session.proved_at) < PROOF_LASTS,
            session,
        }))
    }

    /// Ends a session.
    ///
    /// # Errors
    /// A store that does not answer.
    pub async fn end_session(&self, digest: TokenDigest) -> Result<bool, Error> {
        let ended = self.store.end_session(digest).await?;
        if ended {
            let target = shown(&digest);
            self.note("session.end", target, String::new(), String::new())
                .await?;
        }
        Ok(ended)
    }

    /// Writes down what an admin did besides changing the registry.
    ///
    /// # Errors
    /// A store that does not answer.
    pub async fn note(
        &self,
        action: &str,
        target: String,
        before: String,
        after: String,
    ) -> Result<(), Error> {
        let entry = AuditEntry {
            at: self.now(),
            actor: self.actor.to_string(),
            action: action.to_owned(),
            target: cut(&target),
            before: cut(&before),
            after: cut(&after),
        };
        Ok(self.store.note(entry).await?)
    }

    async fn keep_session(&self, session: AdminSession, now: Timestamp) -> Result<(), Error> {
        let since = now.minus(SESSION_LIVES);
        Ok(self.store.put_session(session, since).await?)
    }

    fn new_token(&self) -> SecretText {
        SecretText::new(URL_SAFE_NO_PAD.encode(random::<32>(&*self.entropy)))
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

/// What is kept of a token.
pub fn token_digest(token: &str) -> TokenDigest {
    digest::digest(&digest::SHA256, token.as_bytes())
        .as_ref()
        .try_into()
        .expect("SHA-256 has 32 bytes")
}

/// A session's name on pages and in the audit: enough of its digest to tell it from others.
pub fn shown(digest: &TokenDigest) -> String {
    URL_SAFE_NO_PAD.encode(&digest[..9])
}

/// What is noted has been typed by somebody, and PostgreSQL keeps no NUL.
fn cut(text: &str) -> String {
    let text = text.chars().filter(|c| *c != '\0');
    text.take(AuditEntry::MOST_NOTED).collect()
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

fn parse(email: &str) -> Result<Email, Error> {
    let wrong =
        |problem: crate::model::EmailProblem| Error::invalid("email", "email", problem.to_string());
    Email::parse(email.trim()).map_err(wrong)
}

fn keep_an_owner(held: &Snapshot, leaving: &Email) -> Result<(), Error> {
    let others = held
        .admins
        .iter()
        .filter(|admin| admin.email.normal() != leaving.normal());
    let owner_leaves = held
        .admin(leaving)
        .is_some_and(|admin| admin.role == Role::Owner);
    if !owner_leaves || others.into_iter().any(|admin| admin.role == Role::Owner) {
        return Ok(());
    }
    Err(Error::invalid(
        "role",
        "owner",
        "there must be an owner left: make another admin one first",
    ))
}
