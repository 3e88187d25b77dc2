use std::collections::HashMap;
use std::time::Duration;

use aws_lc_rs::digest;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use super::Postern;
use crate::error::Error;
use crate::model::{
    Caller, Client, ClientId, ClientSecret, SecretDigest, SecretText, Snapshot, Timestamp,
};
use crate::ports::{Amendment, random};

/// A client's credentials, shown once.
#[derive(Debug)]
pub struct NewClient {
    /// The client.
    pub id: ClientId,
    /// Its newest secret.
    pub secret: SecretText,
}

impl Postern {
    /// Makes an API client.
    ///
    /// # Errors
    /// A name that is empty, over 100 characters or holds controls.
    pub async fn create_client(&self, name: &str) -> Result<NewClient, Error> {
        self.create(name, false).await
    }

    /// The same for a name that no other client has: what is sent twice makes one.
    ///
    /// # Errors
    /// As [`Self::create_client`]; a client of this name.
    pub async fn create_only_client(&self, name: &str) -> Result<NewClient, Error> {
        self.create(name, true).await
    }

    async fn create(&self, name: &str, only: bool) -> Result<NewClient, Error> {
        check_name(name)?;
        let (id, secret) = (ClientId::new(random(&*self.entropy)), self.new_secret());
        let (digest, name, made) = (digest_of(secret.expose()), name.to_owned(), id.clone());
        self.amend(Box::new(move |held, now| {
            if only && held.clients.values().any(|client| client.name == name) {
                let told = format!("there is an application called {name} already");
                return Err(Error::invalid("name", "unique", told));
            }
            let secrets = vec![ClientSecret {
                digest,
                created_at: now,
                expires_at: None,
            }];
            Ok(vec![Amendment::PutClient(Client {
                id: made.clone(),
                name: name.clone(),
                created_at: now,
                secrets,
            })])
        }))
        .await?;
        Ok(NewClient { id, secret })
    }

    /// Gives a client a new secret; the older ones stay valid for `overlap` more, at most 90 days. `seen`
    /// is when its newest secret was made as far as the caller knows, if the caller has looked.
    ///
    /// # Errors
    /// No such client; another secret was made since.
    pub async fn rotate_client(
        &self,
        id: &ClientId,
        overlap: Duration,
        seen: Option<Timestamp>,
    ) -> Result<NewClient, Error> {
        if overlap > Duration::from_hours(90 * 24) {
            return Err(Error::invalid(
                "overlap",
                "max:90d",
                "the overlap must be at most 90 days",
            ));
        }
        let secret = self.new_secret();
        let (digest, wanted) = (digest_of(secret.expose()), id.clone());
        self.amend(Box::new(move |snapshot, now| {
            let mut client = find(snapshot, &wanted)?.clone();
            let newest = client.secrets.first().map(|secret| secret.created_at);
            if seen.is_some() && seen != newest {
                return Err(Error::invalid(
                    "secret",
                    "stale",
                    "a secret was made for it since this page was opened, so no other one was",
                ));
            }
            client.secrets = rotated(&client.secrets, digest, now, overlap);
            Ok(vec![Amendment::PutClient(client)])
        }))
        .await?;
        Ok(NewClient {
            id: id.clone(),
            secret,
        })
    }

    /// Removes a client; its tokens end within 2 s on every node.
    ///
    /// # Errors
    /// No such client.
    pub async fn revoke_client(&self, id: &ClientId) -> Result<(), Error> {
        let wanted = id.clone();
        let amend = move |snapshot: &Snapshot, _| {
            find(snapshot, &wanted)?;
            Ok(vec![Amendment::DropClient(wanted.clone())])
        };
        self.amend(Box::new(amend)).await.map(drop)
    }

    /// Checks a client's id and secret; an unknown client costs as much as a wrong secret.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`], without saying which of the two was wrong.
    pub fn authenticate(&self, id: &str, secret: &str) -> Result<Caller, Error> {
        let digest = digest_of(secret);
        let snapshot = self.snapshot.load();
        let client = snapshot
            .clients
            .get(id)
            .filter(|client| client.accepts(&digest, self.now()));
        match client {
            Some(client) => Ok(Caller::new(client.id.clone())),
            None => Err(Error::Unauthenticated(
                "client authentication failed: invalid client_id or client_secret",
            )),
        }
    }

    /// Notes that a secret was used just now.
    ///
    /// # Errors
    /// A store that does not answer.
    pub async fn see_secret(&self, secret: &str) -> Result<(), Error> {
        Ok(self.store.see_secret(digest_of(secret), self.now()).await?)
    }

    /// When each secret was used last, of those that were.
    ///
    /// # Errors
    /// A store that does not answer.
    pub async fn secrets_seen(&self) -> Result<HashMap<SecretDigest, Timestamp>, Error> {
        Ok(self.store.secrets_seen().await?.into_iter().collect())
    }

    fn new_secret(&self) -> SecretText {
        SecretText::new(format!(
            "pcs_{}",
            URL_SAFE_NO_PAD.encode(random::<32>(&*self.entropy))
        ))
    }
}

fn rotated(
    held: &[ClientSecret],
    digest: [u8; 32],
    now: Timestamp,
    overlap: Duration,
) -> Vec<ClientSecret> {
    let end = now.plus(overlap);
    let older = held
        .iter()
        .filter(|secret| secret.valid_at(now))
        .map(|secret| ClientSecret {
            expires_at: Some(secret.expires_at.map_or(end, |set| set.min(end))),
            ..secret.clone()
        });
    let newest = ClientSecret {
        digest,
        created_at: now,
        expires_at: None,
    };
    std::iter::once(newest)
        .chain(older)
        .filter(|s| s.valid_at(now))
        .take(Client::MAX_SECRETS)
        .collect()
}

fn find<'a>(snapshot: &'a Snapshot, id: &ClientId) -> Result<&'a Client, Error> {
    snapshot
        .clients
        .get(id)
        .ok_or_else(|| Error::invalid("client_id", "exists", format!("there is no client {id}")))
}

fn check_name(name: &str) -> Result<(), Error> {
    if (1..=100).contains(&name.chars().count()) && !name.chars().any(char::is_control) {
        return Ok(());
    }
    Err(Error::invalid(
        "name",
        "len:1..100",
        "the name has 1 to 100 characters and no control characters",
    ))
}

fn digest_of(secret: &str) -> [u8; 32] {
    digest::digest(&digest::SHA256, secret.as_bytes())
        .as_ref()
        .try_into()
        .expect("SHA-256 has 32 bytes")
}
