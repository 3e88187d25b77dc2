//! The registry as admins see it: no secret, times as RFC 3339.

use std::time::{Duration, UNIX_EPOCH};

use postern_core::model::{MailProvider, SigningKey, SigningState, Snapshot, Timestamp};

use super::reply::{ClientRow, ClientSecretRow, ProviderRow, SigningKeyRow};
use crate::mail::Preset;

/// A moment to the second, UTC.
pub(super) fn rfc3339(at: Timestamp) -> String {
    at.rfc3339()
}

/// A moment to the millisecond, UTC.
pub(super) fn rfc3339_millis(at: Timestamp) -> String {
    let micros = u64::try_from(at.min(Timestamp::LAST_WRITABLE).micros()).unwrap_or(0);
    humantime::format_rfc3339_millis(UNIX_EPOCH + Duration::from_micros(micros)).to_string()
}

/// The clients, oldest first, with the secrets that are valid at `now`.
pub(super) fn clients(held: &Snapshot, now: Timestamp) -> Vec<ClientRow> {
    let mut clients: Vec<_> = held.clients.values().collect();
    clients.sort_by(|a, b| (a.created_at, &a.id).cmp(&(b.created_at, &b.id)));
    let secrets = |client: &postern_core::model::Client| {
        let valid = client.secrets.iter().filter(|secret| secret.valid_at(now));
        let shown = valid.map(|secret| ClientSecretRow {
            created_at: rfc3339(secret.created_at),
            expires_at: secret.expires_at.map(rfc3339),
        });
        shown.collect()
    };
    let row = |client: &postern_core::model::Client| ClientRow {
        id: client.id.to_string(),
        name: client.name.clone(),
        created_at: rfc3339(client.created_at),
        secrets: secrets(client),
    };
    clients.into_iter().map(row).collect()
}

/// The published signing keys, the one that signs first.
pub(crate) fn signing_keys(held: &Snapshot) -> Vec<SigningKeyRow> {
    let state = |state| match state {
        SigningState::Standby => "standby",
        SigningState::Active => "active",
        SigningState::Retired => "retired",
    };
    let keys = SigningKey::listed(&held.signing_keys).into_iter();
    let rows = keys.map(|key| SigningKeyRow {
        kid: key.kid.clone(),
        state: state(key.state).to_owned(),
        created_at: rfc3339(key.created_at),
    });
    rows.collect()
}

/// The mail providers in the order in which they are tried.
pub(super) fn providers(held: &Snapshot) -> Vec<ProviderRow> {
    let rows = held.providers.iter().map(|provider| ProviderRow {
        name: provider.name.clone(),
        host: provider.host.clone(),
        port: provider.port,
        tls: provider.tls.as_str().to_owned(),
        preset: Preset::of(provider).map(|preset| preset.as_str().to_owned()),
        login: login(provider).to_owned(),
        username: provider.username.clone(),
        token_url: provider.oauth.as_ref().map(|oauth| oauth.url.clone()),
        from: provider.from.clone(),
        reply_to: provider.reply_to.clone(),
        connections: provider.connections,
        per_minute: provider.per_minute,
    });
    rows.collect()
}

fn login(provider: &MailProvider) -> &'static str {
    match (&provider.oauth, &provider.password) {
        (Some(_), _) => "xoauth2",
        (None, Some(_)) => "password",
        (None, None) => "none",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_beyond_the_year_9999_is_written_as_its_end() {
        let end = Timestamp::from_micros(i64::MAX);
        assert_eq!(rfc3339(end), "9999-12-31T23:59:59Z");
        assert_eq!(rfc3339_millis(end), "9999-12-31T23:59:59.000Z");
    }
}
