use std::collections::{BTreeMap, HashMap};

use postern_core::model::{
    Client, ClientId, ClientSecret, HookProvider, MailHook, MailProvider, Sealed, SigningKey,
    SigningState, Snapshot, Timestamp, TlsMode, TokenSource,
};
use postern_core::ports::Amendment;
use postern_core::settings::Settings;
use rusqlite::types::Type;
use rusqlite::{Connection, Error, Result, Row, params};

use super::auth_request::{client as client_id, sealed, unreadable};
use super::tx::{self, Tx};
use super::{desk, dkim, template};

/// The number that grows with every amendment.
pub(super) fn revision(conn: &Connection) -> Result<u64> {
    let found = tx::find(conn, "SELECT revision FROM registry", [], |row| {
        row.get::<_, i64>(0)
    })?;
    Ok(found
        .and_then(|revision| u64::try_from(revision).ok())
        .unwrap_or_default())
}

/// Everything, inside the caller's view of the store.
pub(crate) fn snapshot(conn: &Connection) -> Result<Snapshot> {
    Ok(Snapshot {
        revision: revision(conn)?,
        settings: settings(conn)?,
        clients: clients(conn)?,
        providers: tx::all(
            conn,
            "SELECT name, position, host, port, tls, username, password_kid, password, sender, \
            reply_to, connections, per_minute, token_url, token_client, token_scope \
            FROM mail_providers ORDER BY position, name",
            [],
            provider,
        )?,
        hooks: tx::all(
            conn,
            "SELECT provider, secret_kid, secret FROM mail_hooks ORDER BY provider",
            [],
            hook,
        )?,
        dkim_keys: dkim::keys(conn)?,
        signing_keys: tx::all(
            conn,
            "SELECT kid, state, private_kid, private, modulus, exponent, created_at, \
            retired_at FROM signing_keys ORDER BY created_at, kid",
            [],
            signing_key,
        )?,
        admins: desk::admins(conn)?,
        templates: template::heads(conn)?,
    })
}

/// Writes the amendments and the next revision; nothing without an amendment.
pub(super) fn write(tx: &Tx<'_>, amendments: &[Amendment]) -> Result<()> {
    for amendment in amendments {
        match amendment {
            Amendment::PutSetting { name, value } => {
                tx.write(
                    "INSERT OR REPLACE INTO settings (name, value) VALUES (?1, ?2)",
                    (name, value),
                )?;
            }
            Amendment::PutClient(client) => put_client(tx, client)?,
            Amendment::DropClient(id) => drop_client(tx, id)?,
            Amendment::PutProvider(provider) => put_provider(tx, provider)?,
            Amendment::DropProvider(name) => {
                tx.write("DELETE FROM mail_providers WHERE name = ?1", [name])?;
            }
            Amendment::PutHook(hook) => {
                tx.write(
                    "INSERT OR REPLACE INTO mail_hooks (provider, secret_kid, secret) VALUES (?1, ?2, ?3)",
                    params![hook.provider.as_str(), hook.secret.kid, hook.secret.bytes],
                )?;
            }
            Amendment::DropHook(provider) => {
                let sql = "DELETE FROM mail_hooks WHERE provider = ?1";
                tx.write(sql, [provider.as_str()])?;
            }
            Amendment::PutDkimKey(key) => dkim::put(tx, key)?,
            Amendment::DropDkimKey { domain, selector } => dkim::drop_key(tx, domain, selector)?,
            Amendment::PutSigningKey(key) => put_signing_key(tx, key)?,
            Amendment::DropSigningKey(kid) => {
                tx.write("DELETE FROM signing_keys WHERE kid = ?1", [kid])?;
            }
            Amendment::PutAdmin(admin) => desk::put_admin(tx, admin)?,
            Amendment::DropAdmin(email) => desk::drop_admin(tx, email)?,
            Amendment::PutTemplateVersion(version) => template::put_version(tx, version)?,
            Amendment::PutTemplateHead(head) => template::put_head(tx, head)?,
            Amendment::PruneTemplate { key, below, but } => {
                template::prune(tx, key, *below, but)?;
            }
            Amendment::Note(entry) => desk::note(tx, entry)?,
        }
    }
    if !amendments.is_empty() {
        tx.write("UPDATE registry SET revision = revision + 1", [])?;
    }
    Ok(())
}

fn settings(conn: &Connection) -> Result<Settings> {
    let stored = tx::all(conn, "SELECT name, value FROM settings", [], |row| {
        Ok((row.get(0)?, row.get(1)?))
    })?;
    let stored: BTreeMap<String, String> = stored.into_iter().collect();
    Settings::restore(&stored).map_err(|violations| {
        let named: Vec<_> = violations
            .into_iter()
            .map(|violation| violation.description)
            .collect();
        Error::FromSqlConversionFailure(1, Type::Text, named.join("; ").into())
    })
}

fn clients(conn: &Connection) -> Result<HashMap<ClientId, Client>> {
    let found = tx::all(
        conn,
        "SELECT id, name, created_at FROM clients",
        [],
        |row| {
            Ok(Client {
                id: client_id(0, row.get_ref(0)?.as_str()?)?,
                name: row.get(1)?,
                created_at: moment(row, 2)?,
                secrets: Vec::new(),
            })
        },
    )?;
    let mut clients: HashMap<_, _> = found
        .into_iter()
        .map(|client| (client.id.clone(), client))
        .collect();
    let secrets = tx::all(
        conn,
        "SELECT client, digest, created_at, expires_at FROM client_secrets ORDER BY client, position",
        [],
        |row| Ok((row.get::<_, String>(0)?, secret(row)?)),
    )?;
    for (client, secret) in secrets {
        if let Some(client) = clients.get_mut(client.as_str()) {
            client.secrets.push(secret);
        }
    }
    Ok(clients)
}

fn secret(row: &Row<'_>) -> Result<ClientSecret> {
    Ok(ClientSecret {
        digest: row.get(1)?,
        created_at: moment(row, 2)?,
        expires_at: row.get::<_, Option<i64>>(3)?.map(Timestamp::from_micros),
    })
}

fn provider(row: &Row<'_>) -> Result<MailProvider> {
    Ok(MailProvider {
        name: row.get(0)?,
        position: row.get(1)?,
        host: row.get(2)?,
        port: row.get(3)?,
        tls: TlsMode::parse(row.get_ref(4)?.as_str()?)
            .ok_or_else(|| unreadable(4, "unknown TLS mode"))?,
        username: row.get(5)?,
        password: sealed(row, 6)?,
        from: row.get(8)?,
        reply_to: row.get(9)?,
        connections: row.get(10)?,
        per_minute: row.get(11)?,
        oauth: token_source(row)?,
    })
}

fn token_source(row: &Row<'_>) -> Result<Option<TokenSource>> {
    let Some(url) = row.get(12)? else {
        return Ok(None);
    };
    Ok(Some(TokenSource {
        url,
        client_id: row.get(13)?,
        scope: row.get(14)?,
    }))
}

fn hook(row: &Row<'_>) -> Result<MailHook> {
    Ok(MailHook {
        provider: HookProvider::parse(row.get_ref(0)?.as_str()?)
            .ok_or_else(|| unreadable(0, "unknown provider"))?,
        secret: Sealed {
            kid: row.get(1)?,
            bytes: row.get(2)?,
        },
    })
}

fn signing_key(row: &Row<'_>) -> Result<SigningKey> {
    Ok(SigningKey {
        kid: row.get(0)?,
        state: match row.get(1)? {
            0 => SigningState::Standby,
            1 => SigningState::Active,
            2 => SigningState::Retired,
            _ => return Err(unreadable(1, "unknown signing state")),
        },
        private: Sealed {
            kid: row.get(2)?,
            bytes: row.get(3)?,
        },
        modulus: row.get(4)?,
        exponent: row.get(5)?,
        created_at: moment(row, 6)?,
        retired_at: row.get::<_, Option<i64>>(7)?.map(Timestamp::from_micros),
    })
}

fn moment(row: &Row<'_>, column: usize) -> Result<Timestamp> {
    row.get(column).map(Timestamp::from_micros)
}

fn put_client(tx: &Tx<'_>, client: &Client) -> Result<()> {
    let id = client.id.as_str();
    tx.write(
        "INSERT OR REPLACE INTO clients (id, name, created_at) VALUES (?1, ?2, ?3)",
        params![id, client.name, client.created_at.micros()],
    )?;
    tx.write("DELETE FROM client_secrets WHERE client = ?1", [id])?;
    for (position, secret) in (0_i64..).zip(&client.secrets) {
        tx.write(
            "INSERT INTO client_secrets (client, position, digest, created_at, expires_at) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![id, position, secret.digest, secret.created_at.micros(), secret.expires_at.map(Timestamp::micros)],
        )?;
    }
    Ok(())
}

fn drop_client(tx: &Tx<'_>, id: &ClientId) -> Result<()> {
    tx.write("DELETE FROM clients WHERE id = ?1", [id.as_str()])?;
    tx.write(
        "DELETE FROM client_secrets WHERE client = ?1",
        [id.as_str()],
    )?;
    tx.write("DELETE FROM client_sends WHERE client = ?1", [id.as_str()])?;
    tx.clients().forget(id);
    Ok(())
}

fn put_provider(tx: &Tx<'_>, provider: &MailProvider) -> Result<()> {
    let oauth = provider.oauth.as_ref();
    tx.write(
        "INSERT OR REPLACE INTO mail_providers \
         (name, position, host, port, tls, username, password_kid, password, sender, \
         reply_to, connections, per_minute, token_url, token_client, token_scope) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
        params![
            provider.name,
            provider.position,
            provider.host,
            provider.port,
            provider.tls.as_str(),
            provider.username,
            provider.password.as_ref().map(|sealed| sealed.kid),
            provider.password.as_ref().map(|sealed| &sealed.bytes),
            provider.from,
            provider.reply_to,
            provider.connections,
            provider.per_minute,
            oauth.map(|oauth| &oauth.url),
            oauth.map(|oauth| &oauth.client_id),
            oauth.and_then(|oauth| oauth.scope.as_ref()),
        ],
    )?;
    Ok(())
}

fn put_signing_key(tx: &Tx<'_>, key: &SigningKey) -> Result<()> {
    let state = match key.state {
        SigningState::Standby => 0,
        SigningState::Active => 1,
        SigningState::Retired => 2,
    };
    tx.write(
        "INSERT OR REPLACE INTO signing_keys \
         (kid, state, private_kid, private, modulus, exponent, created_at, retired_at) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        params![
            key.kid,
            state,
            key.private.kid,
            key.private.bytes,
            key.modulus,
            key.exponent,
            key.created_at.micros(),
            key.retired_at.map(Timestamp::micros),
        ],
    )?;
    Ok(())
}
