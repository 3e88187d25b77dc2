use std::collections::{BTreeMap, HashMap};

use postern_core::Error;
use postern_core::model::{
    Client, ClientId, ClientSecret, HookProvider, MailHook, Sealed, SigningKey, SigningState,
    Snapshot, Timestamp,
};
use postern_core::ports::{Amend, Amendment};
use postern_core::settings::Settings;
use tokio_postgres::Row;
use tokio_postgres::types::Type;

use super::batch::Bench;
use super::dkim;
use super::failure::Failure;
use super::provider;
use super::session::{Param, Session, Sql};
use super::template;
use super::value::{client as client_id, get, moment, number};
use super::{audit, desk};

/// The number that grows with every amendment.
pub(super) async fn revision(session: &Session) -> Result<u64, Failure> {
    static REVISION: Sql = Sql {
        text: "SELECT revision FROM registry WHERE id = 1",
        types: &[],
    };
    let rows = session.query(&REVISION, &[]).await?;
    rows.first().map_or(Ok(0), |row| number::<i64, _>(row, 0))
}

/// Everything, in one view of the store.
pub(super) async fn snapshot(session: &Session) -> Result<Snapshot, Failure> {
    session
        .run("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        .await?;
    let read = everything(session).await;
    session.run("COMMIT").await?;
    read
}

/// Shows the rule what is there, holding off other amendments, and writes what it answers.
pub(super) async fn amend(
    session: &Session,
    mut amend: Amend,
    bench: &Bench,
) -> Result<Result<Snapshot, Error>, Failure> {
    let before = hold(session).await?;
    let amendments = match amend(&before, bench.clock.now()) {
        Ok(amendments) => amendments,
        Err(refused) => return Ok(Err(refused)),
    };
    write_all(session, bench, &amendments).await.map(Ok)
}

/// Holds off other amendments until this transaction ends; answers what is there.
pub(super) async fn hold(session: &Session) -> Result<Snapshot, Failure> {
    static HOLD: Sql = Sql {
        text: "SELECT revision FROM registry WHERE id = 1 FOR UPDATE",
        types: &[],
    };
    session.query(&HOLD, &[]).await?;
    everything(session).await
}

/// Writes the amendments and the next revision; nothing without an amendment. Answers what is there
/// then.
pub(super) async fn write_all(
    session: &Session,
    bench: &Bench,
    amendments: &[Amendment],
) -> Result<Snapshot, Failure> {
    for amendment in amendments {
        write(session, bench, amendment).await?;
    }
    if !amendments.is_empty() {
        session
            .run("UPDATE registry SET revision = revision + 1 WHERE id = 1")
            .await?;
    }
    everything(session).await
}

async fn everything(session: &Session) -> Result<Snapshot, Failure> {
    static HOOKS: Sql = Sql {
        text: "SELECT provider, secret_kid, secret FROM mail_hooks ORDER BY provider",
        types: &[],
    };
    static SIGNING_KEYS: Sql = Sql {
        text: "SELECT kid, state, private_kid, private, modulus, exponent, created_at, retired_at \
               FROM signing_keys ORDER BY created_at, kid",
        types: &[],
    };
    let hooks = session.query(&HOOKS, &[]).await?;
    let signing_keys = session.query(&SIGNING_KEYS, &[]).await?;
    Ok(Snapshot {
        revision: revision(session).await?,
        settings: settings(session).await?,
        clients: clients(session).await?,
        providers: provider::all(session).await?,
        hooks: hooks.iter().map(hook).collect::<Result<_, _>>()?,
        dkim_keys: dkim::keys(session).await?,
        signing_keys: signing_keys
            .iter()
            .map(signing_key)
            .collect::<Result<_, _>>()?,
        admins: desk::admins(session).await?,
        templates: template::heads(session).await?,
    })
}

async fn settings(session: &Session) -> Result<Settings, Failure> {
    static SETTINGS: Sql = Sql {
        text: "SELECT name, value FROM settings",
        types: &[],
    };
    let rows = session.query(&SETTINGS, &[]).await?;
    let stored: BTreeMap<String, String> = rows
        .iter()
        .map(|row| Ok((get(row, 0)?, get(row, 1)?)))
        .collect::<Result<_, Failure>>()?;
    Settings::restore(&stored).map_err(|violations| {
        let named: Vec<_> = violations
            .into_iter()
            .map(|violation| violation.description)
            .collect();
        Failure::Ours(named.join("; "))
    })
}

async fn clients(session: &Session) -> Result<HashMap<ClientId, Client>, Failure> {
    static CLIENTS: Sql = Sql {
        text: "SELECT id, name, created_at FROM clients",
        types: &[],
    };
    static SECRETS: Sql = Sql {
        text: "SELECT client, digest, created_at, expires_at FROM client_secrets ORDER BY client, position",
        types: &[],
    };
    let mut clients = HashMap::new();
    for row in session.query(&CLIENTS, &[]).await? {
        let client = Client {
            id: client_id(get(&row, 0)?)?,
            name: get(&row, 1)?,
            created_at: moment(&row, 2)?,
            secrets: Vec::new(),
        };
        clients.insert(client.id.clone(), client);
    }
    for row in session.query(&SECRETS, &[]).await? {
        if let Some(client) = clients.get_mut(get::<&str>(&row, 0)?) {
            client.secrets.push(secret(&row)?);
        }
    }
    Ok(clients)
}

fn secret(row: &Row) -> Result<ClientSecret, Failure> {
    Ok(ClientSecret {
        digest: get::<&[u8]>(row, 1)?
            .try_into()
            .map_err(|_| Failure::Unreadable("no SHA-256 digest"))?,
        created_at: moment(row, 2)?,
        expires_at: get::<Option<i64>>(row, 3)?.map(Timestamp::from_micros),
    })
}

fn hook(row: &Row) -> Result<MailHook, Failure> {
    Ok(MailHook {
        provider: HookProvider::parse(get(row, 0)?)
            .ok_or(Failure::Unreadable("unknown provider"))?,
        secret: Sealed {
            kid: number::<i16, _>(row, 1)?,
            bytes: get(row, 2)?,
        },
    })
}

fn signing_key(row: &Row) -> Result<SigningKey, Failure> {
    Ok(SigningKey {
        kid: get(row, 0)?,
        state: match get::<i16>(row, 1)? {
            0 => SigningState::Standby,
            1 => SigningState::Active,
            2 => SigningState::Retired,
            _ => return Err(Failure::Unreadable("unknown signing state")),
        },
        private: Sealed {
            kid: number::<i16, _>(row, 2)?,
            bytes: get(row, 3)?,
        },
        modulus: get(row, 4)?,
        exponent: get(row, 5)?,
        created_at: moment(row, 6)?,
        retired_at: get::<Option<i64>>(row, 7)?.map(Timestamp::from_micros),
    })
}

async fn write(session: &Session, bench: &Bench, amendment: &Amendment) -> Result<(), Failure> {
    match amendment {
        Amendment::PutSetting { name, value } => {
            static PUT: Sql = Sql {
                text: "INSERT INTO settings (name, value) VALUES ($1, $2) \
                       ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                types: &[Type::TEXT, Type::TEXT],
            };
            session.execute(&PUT, &[name, value]).await.map(drop)
        }
        Amendment::PutClient(client) => put_client(session, client).await,
        Amendment::DropClient(id) => drop_client(session, id.as_str()).await,
        Amendment::PutProvider(provider) => provider::put(session, provider).await,
        Amendment::DropProvider(name) => provider::drop_named(session, name).await,
        Amendment::PutHook(hook) => put_hook(session, hook).await,
        Amendment::DropHook(provider) => {
            static DROP: Sql = Sql {
                text: "DELETE FROM mail_hooks WHERE provider = $1",
                types: &[Type::TEXT],
            };
            let params: [Param<'_>; 1] = [&provider.as_str()];
            session.execute(&DROP, &params).await.map(drop)
        }
        Amendment::PutDkimKey(key) => dkim::put(session, key).await,
        Amendment::DropDkimKey { domain, selector } => {
            dkim::drop_key(session, domain, selector).await
        }
        Amendment::PutSigningKey(key) => put_signing_key(session, key).await,
        Amendment::DropSigningKey(kid) => {
            static DROP: Sql = Sql {
                text: "DELETE FROM signing_keys WHERE kid = $1",
                types: &[Type::TEXT],
            };
            session.execute(&DROP, &[kid]).await.map(drop)
        }
        Amendment::PutAdmin(admin) => desk::put_admin(session, admin).await,
        Amendment::DropAdmin(email) => desk::drop_admin(session, email).await,
        Amendment::PutTemplateVersion(_)
        | Amendment::PutTemplateHead(_)
        | Amendment::PruneTemplate { .. } => template::write(session, amendment).await,
        Amendment::Note(entry) => audit::note(session, &bench.ids, entry).await,
    }
}

static DROP_SECRETS: Sql = Sql {
    text: "DELETE FROM client_secrets WHERE client = $1",
    types: &[Type::TEXT],
};

async fn put_client(session: &Session, client: &Client) -> Result<(), Failure> {
    static PUT: Sql = Sql {
        text: "INSERT INTO clients (id, name, created_at) VALUES ($1, $2, $3) \
               ON CONFLICT (id) DO UPDATE SET name = excluded.name, created_at = excluded.created_at",
        types: &[Type::TEXT, Type::TEXT, Type::INT8],
    };
    static PUT_SECRET: Sql = Sql {
        text: "INSERT INTO client_secrets (client, position, digest, created_at, expires_at) VALUES ($1, $2, $3, $4, $5)",
        types: &[Type::TEXT, Type::INT2, Type::BYTEA, Type::INT8, Type::INT8],
    };
    let id = client.id.as_str();
    let params: [Param<'_>; 3] = [&id, &client.name, &client.created_at.micros()];
    session.execute(&PUT, &params).await?;
    session.execute(&DROP_SECRETS, &[&id]).await?;
    for (position, secret) in (0_i16..).zip(&client.secrets) {
        let params: [Param<'_>; 5] = [
            &id,
            &position,
            &secret.digest.as_slice(),
            &secret.created_at.micros(),
            &secret.expires_at.map(Timestamp::micros),
        ];
        session.execute(&PUT_SECRET, &params).await?;
    }
    Ok(())
}

async fn drop_client(session: &Session, id: &str) -> Result<(), Failure> {
    static DROP: Sql = Sql {
        text: "DELETE FROM clients WHERE id = $1",
        types: &[Type::TEXT],
    };
    static DROP_SENDS: Sql = Sql {
        text: "DELETE FROM client_sends WHERE client = $1",
        types: &[Type::TEXT],
    };
    for sql in [&DROP, &DROP_SECRETS, &DROP_SENDS] {
        session.execute(sql, &[&id]).await?;
    }
    Ok(())
}

async fn put_hook(session: &Session, hook: &MailHook) -> Result<(), Failure> {
    static PUT: Sql = Sql {
        text: "INSERT INTO mail_hooks (provider, secret_kid, secret) VALUES ($1, $2, $3) ON CONFLICT (provider) \
               DO UPDATE SET secret_kid = excluded.secret_kid, secret = excluded.secret",
        types: &[Type::TEXT, Type::INT2, Type::BYTEA],
    };
    let params: [Param<'_>; 3] = [
        &hook.provider.as_str(),
        &i16::from(hook.secret.kid),
        &hook.secret.bytes,
    ];
    session.execute(&PUT, &params).await.map(drop)
}

async fn put_signing_key(session: &Session, key: &SigningKey) -> Result<(), Failure> {
    static PUT: Sql = Sql {
        text: "INSERT INTO signing_keys (kid, state, private_kid, private, modulus, exponent, created_at, retired_at) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (kid) DO UPDATE SET state = excluded.state, \
               private_kid = excluded.private_kid, private = excluded.private, modulus = excluded.modulus, \
               exponent = excluded.exponent, created_at = excluded.created_at, retired_at = excluded.retired_at",
        types: &[
            Type::TEXT,
            Type::INT2,
            Type::INT2,
            Type::BYTEA,
            Type::BYTEA,
            Type::BYTEA,
            Type::INT8,
            Type::INT8,
        ],
    };
    let state: i16 = match key.state {
        SigningState::Standby => 0,
        SigningState::Active => 1,
        SigningState::Retired => 2,
    };
    let params: [Param<'_>; 8] = [
        &key.kid,
        &state,
        &i16::from(key.private.kid),
        &key.private.bytes,
        &key.modulus,
        &key.exponent,
        &key.created_at.micros(),
        &key.retired_at.map(Timestamp::micros),
    ];
    session.execute(&PUT, &params).await.map(drop)
}
