mod judge;

use super::Postern;
use crate::error::{Error, Violation};
use crate::model::{MailProvider, Sealed, SecretText, Snapshot, TlsMode, TokenSource};
use crate::ports::{Amendment, random};

/// The most mail providers at a time.
pub const MAX_PROVIDERS: usize = 16;

/// A mail provider as the operator describes it.
#[derive(Clone, Debug)]
pub struct ProviderInput {
    /// The operator's name for it.
    pub name: String,
    /// Host name or address.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// How the connection is protected.
    pub tls: TlsMode,
    /// The login name; a password without one serves as the name too.
    pub username: Option<String>,
    /// The password, or with `oauth` the client secret.
    pub password: Option<SecretText>,
    /// Where access tokens come from, for a login by XOAUTH2.
    pub oauth: Option<TokenSource>,
    /// The sender, as `Name <address>` or a bare address.
    pub from: String,
    /// Where answers go, if not to the sender.
    pub reply_to: Option<String>,
    /// The most connections at a time, 1 to 256.
    pub connections: Option<u16>,
    /// The most mails a minute, 1 to 600,000.
    pub per_minute: Option<u32>,
}

impl ProviderInput {
    /// A provider without login, limits or an address for answers.
    pub fn plain(
        name: impl Into<String>,
        host: impl Into<String>,
        port: u16,
        tls: TlsMode,
        from: impl Into<String>,
    ) -> Self {
        Self {
            name: name.into(),
            host: host.into(),
            port,
            tls,
            username: None,
            password: None,
            oauth: None,
            from: from.into(),
            reply_to: None,
            connections: None,
            per_minute: None,
        }
    }
}

impl Postern {
    /// Adds a mail provider behind those that are there, or replaces the one of this name in its place.
    ///
    /// # Errors
    /// Every broken field by name, or there are [`MAX_PROVIDERS`] already.
    pub async fn put_provider(&self, input: ProviderInput) -> Result<(), Error> {
        let wrong = judge::problems(&input, false);
        if !wrong.is_empty() {
            return Err(Error::Invalid(wrong));
        }
        let provider = self.provider(input);
        self.amend(Box::new(move |snapshot, _| {
            let place = place(snapshot, &provider.name)?;
            Ok(vec![Amendment::PutProvider(MailProvider {
                position: place,
                ..provider.clone()
            })])
        }))
        .await
        .map(drop)
    }

    /// Every field of a provider that [`Self::put_provider`] would refuse.
    pub fn judge_provider(input: &ProviderInput) -> Vec<Violation> {
        judge::problems(input, false)
    }

    /// Changes a mail provider that is there, in its place. One that comes without a password keeps
    /// the one it has, unless that would go to another server than it was given for.
    ///
    /// # Errors
    /// Every broken field by name; `password` when it is missing.
    pub async fn change_provider(&self, input: ProviderInput) -> Result<(), Error> {
        self.change_seen_provider(input, None).await
    }

    /// [`Self::change_provider`], unless somebody else has changed it since it was seen:
    /// `seen` is what [`MailProvider::mark`] was then.
    ///
    /// # Errors
    /// As there; and `name` with the constraint `stale`.
    pub async fn change_seen_provider(
        &self,
        input: ProviderInput,
        seen: Option<String>,
    ) -> Result<(), Error> {
        let kept = input.password.is_none();
        let wrong = judge::problems(&input, kept);
        if !wrong.is_empty() {
            return Err(Error::Invalid(wrong));
        }
        let provider = self.provider(input);
        self.amend(Box::new(move |snapshot, _| {
            let held = snapshot
                .providers
                .iter()
                .find(|held| held.name == provider.name);
            let held = held.ok_or_else(|| unknown(&provider.name))?;
            if seen.as_ref().is_some_and(|seen| *seen != held.mark()) {
                let told = "somebody else has changed this provider since you opened the page";
                return Err(Error::invalid("name", "stale", told));
            }
            let mut next = MailProvider {
                position: held.position,
                ..provider.clone()
            };
            if kept {
                next.password = kept_password(held, &provider)?;
            }
            Ok(vec![Amendment::PutProvider(next)])
        }))
        .await
        .map(drop)
    }

    fn provider(&self, input: ProviderInput) -> MailProvider {
        let slot = MailProvider::password_slot(&input.name);
        let seal = |password: &SecretText| {
            self.keyring()
                .seal(&slot, password.expose().as_bytes(), random(&*self.entropy))
        };
        let password = input.password.as_ref().map(seal);
        MailProvider {
            name: input.name,
            position: 0,
            host: input.host,
            port: input.port,
            tls: input.tls,
            username: input.username,
            password,
            oauth: input.oauth,
            from: input.from,
            reply_to: input.reply_to,
            connections: input.connections,
            per_minute: input.per_minute,
        }
    }

    /// Sets the order in which mail providers are tried. Those that are not named keep their order
    /// behind those that are.
    ///
    /// # Errors
    /// No such provider, or one is named twice.
    pub async fn order_providers(&self, names: Vec<String>) -> Result<(), Error> {
        self.amend(Box::new(move |snapshot, _| ordered(snapshot, &names)))
            .await
            .map(drop)
    }

    /// Removes a mail provider.
    ///
    /// # Errors
    /// No such provider.
    pub async fn drop_provider(&self, name: &str) -> Result<(), Error> {
        let name = name.to_owned();
        self.amend(Box::new(move |snapshot, _| {
            if snapshot.providers.iter().any(|held| held.name == name) {
                return Ok(vec![Amendment::DropProvider(name.clone())]);
            }
            Err(unknown(&name))
        }))
        .await
        .map(drop)
    }
}

/// The stored password, if it goes where it went before.
fn kept_password(held: &MailProvider, next: &MailProvider) -> Result<Option<Sealed>, Error> {
    let wants_none = next.username.is_none() && next.oauth.is_none();
    let way = |provider: &MailProvider| {
        let url = provider.oauth.as_ref().map(|oauth| oauth.url.clone());
        (provider.host.clone(), provider.port, provider.tls, url)
    };
    match &held.password {
        None if wants_none => Ok(None),
        Some(_) if wants_none && held.username.is_some() => Ok(None),
        Some(password) if way(held) == way(next) => Ok(Some(password.clone())),
        _ => {
            let told =
                "type the password too: it is kept only for the server that it was given for";
            Err(Error::invalid("password", "required", told))
        }
    }
}

fn unknown(name: &str) -> Error {
    Error::invalid(
        "name",
        "exists",
        format!("there is no mail provider {name:?}"),
    )
}

/// The place of the provider with this name, or the one behind all others.
fn place(snapshot: &Snapshot, name: &str) -> Result<u16, Error> {
    if let Some(held) = snapshot.providers.iter().find(|held| held.name == name) {
        return Ok(held.position);
    }
    if snapshot.providers.len() >= MAX_PROVIDERS {
        let told = format!("there are {MAX_PROVIDERS} mail providers already: remove one first");
        return Err(Error::invalid("name", "max_items", told));
    }
    let last = snapshot.providers.iter().map(|held| held.position).max();
    Ok(last.map_or(0, |last| last.saturating_add(1)))
}

fn ordered(snapshot: &Snapshot, names: &[String]) -> Result<Vec<Amendment>, Error> {
    let mut rest: Vec<&MailProvider> = snapshot.providers.iter().collect();
    let mut order = Vec::with_capacity(rest.len());
    for name in names {
        let at = rest.iter().position(|held| held.name == *name);
        order.push(rest.remove(at.ok_or_else(|| unknown(name))?));
    }
    order.append(&mut rest);
    let moved = (0..).zip(order).map(|(position, held)| {
        Amendment::PutProvider(MailProvider {
            position,
            ..held.clone()
        })
    });
    Ok(moved.collect())
}
