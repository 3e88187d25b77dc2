//! Mail providers: how they rest in the registry.

use postern_core::model::{MailProvider, TlsMode, TokenSource};
use tokio_postgres::Row;
use tokio_postgres::types::Type;

use super::failure::Failure;
use super::session::{Param, Session, Sql};
use super::value::{get, number, optional, sealed};

/// All of them, in the order in which they are tried.
pub(super) async fn all(session: &Session) -> Result<Vec<MailProvider>, Failure> {
    static PROVIDERS: Sql = Sql {
        text: "SELECT name, position, host, port, tls, username, password_kid, password, sender, \
               reply_to, connections, per_minute, token_url, token_client, token_scope \
               FROM mail_providers ORDER BY position, name",
        types: &[],
    };
    let rows = session.query(&PROVIDERS, &[]).await?;
    rows.iter().map(provider).collect()
}

fn provider(row: &Row) -> Result<MailProvider, Failure> {
    Ok(MailProvider {
        name: get(row, 0)?,
        position: number::<i32, _>(row, 1)?,
        host: get(row, 2)?,
        port: number::<i32, _>(row, 3)?,
        tls: TlsMode::parse(get(row, 4)?).ok_or(Failure::Unreadable("unknown TLS mode"))?,
        username: get(row, 5)?,
        password: sealed(row, 6)?,
        from: get(row, 8)?,
        reply_to: get(row, 9)?,
        connections: optional::<i32, _>(row, 10)?,
        per_minute: optional::<i32, _>(row, 11)?,
        oauth: token_source(row)?,
    })
}

fn token_source(row: &Row) -> Result<Option<TokenSource>, Failure> {
    let Some(url) = get(row, 12)? else {
        return Ok(None);
    };
    Ok(Some(TokenSource {
        url,
        client_id: get(row, 13)?,
        scope: get(row, 14)?,
    }))
}

static PUT_PROVIDER: Sql = Sql {
    text: "INSERT INTO mail_providers (name, position, host, port, tls, username, password_kid, password, sender, \
           reply_to, connections, per_minute, token_url, token_client, token_scope) \
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) \
           ON CONFLICT (name) DO UPDATE SET position = excluded.position, host = excluded.host, port = excluded.port, \
           tls = excluded.tls, username = excluded.username, password_kid = excluded.password_kid, \
           password = excluded.password, sender = excluded.sender, reply_to = excluded.reply_to, \
           connections = excluded.connections, per_minute = excluded.per_minute, token_url = excluded.token_url, \
           token_client = excluded.token_client, token_scope = excluded.token_scope",
    types: &[
        Type::TEXT,
        Type::INT4,
        Type::TEXT,
        Type::INT4,
        Type::TEXT,
        Type::TEXT,
        Type::INT2,
        Type::BYTEA,
        Type::TEXT,
        Type::TEXT,
        Type::INT4,
        Type::INT4,
        Type::TEXT,
        Type::TEXT,
        Type::TEXT,
    ],
};

/// Adds one, or replaces the one of its name.
pub(super) async fn put(session: &Session, provider: &MailProvider) -> Result<(), Failure> {
    let (password, oauth) = (provider.password.as_ref(), provider.oauth.as_ref());
    let per_minute = provider
        .per_minute
        .map(|most| i32::try_from(most).unwrap_or(i32::MAX));
    let params: [Param<'_>; 15] = [
        &provider.name,
        &i32::from(provider.position),
        &provider.host,
        &i32::from(provider.port),
        &provider.tls.as_str(),
        &provider.username,
        &password.map(|sealed| i16::from(sealed.kid)),
        &password.map(|sealed| &*sealed.bytes),
        &provider.from,
        &provider.reply_to,
        &provider.connections.map(i32::from),
        &per_minute,
        &oauth.map(|oauth| &oauth.url),
        &oauth.map(|oauth| &oauth.client_id),
        &oauth.and_then(|oauth| oauth.scope.as_ref()),
    ];
    session.execute(&PUT_PROVIDER, &params).await.map(drop)
}

/// Removes the one of this name.
pub(super) async fn drop_named(session: &Session, name: &str) -> Result<(), Failure> {
    static DROP: Sql = Sql {
        text: "DELETE FROM mail_providers WHERE name = $1",
        types: &[Type::TEXT],
    };
    session.execute(&DROP, &[&name]).await.map(drop)
}
