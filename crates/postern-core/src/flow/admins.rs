use std::time::Duration;

use aws_lc_rs::digest;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use super::{Postern, audited};
use crate::error::Error;
use crate::model::{
    AdminAccount, AdminSession, AuditEntry, Email, Invite, Role, SecretText, Snapshot, Timestamp,
    TokenDigest,
};
use crate::ports::{Amendment, random};
use crate::rules::SKEW;

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

pub(super) fn parse(email: &str) -> Result<Email, Error> {
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
