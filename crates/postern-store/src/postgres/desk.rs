use async_trait::async_trait;
use postern_core::model::{
    AdminAccount, AdminSession, AuditEntry, Email, EventId, Invite, Role, SecretDigest, Snapshot,
    Timestamp, TokenDigest,
};
use postern_core::ports::{Accept, Desk, StoreError};
use tokio_postgres::Row;
use tokio_postgres::types::Type;

use super::PostgresStore;
use super::batch::Bench;
use super::failure::Failure;
use super::session::{Param, Session, Sql};
use super::value::{Id, address, get, moment};
use super::{audit, registry};

#[async_trait]
impl Desk for PostgresStore {
    async fn put_invite(&self, invite: Invite) -> Result<(), StoreError> {
        let held = self.pool.take().await?;
        let keeping = put_invite(&held, &invite, self.bench.clock.now());
        let done = held.transact(held.in_time(keeping)).await;
        held.ended(done)
    }

    async fn find_invite(&self, digest: TokenDigest) -> Result<Option<Invite>, StoreError> {
        static FIND: Sql = Sql {
            text: "SELECT digest, email, role, expires_at FROM admin_invites WHERE digest = $1 AND expires_at > $2",
            types: &[Type::BYTEA, Type::INT8],
        };
        let held = self.pool.take().await?;
        let now = self.bench.clock.now().micros();
        let (digest, params) = (digest.as_slice(), now);
        let found = held.in_time(held.query(&FIND, &[&digest, &params])).await;
        held.end(found.and_then(|rows| rows.first().map(invite).transpose()))
    }

    async fn accept_invite(
        &self,
        digest: TokenDigest,
        accept: Accept,
    ) -> Result<Option<(Invite, Snapshot)>, StoreError> {
        let held = self.pool.take().await?;
        let accepting = Box::pin(accept_invite(&held, digest, accept, &self.bench));
        let done = held.transact(held.in_time(accepting)).await;
        held.ended(done)
    }

    async fn put_session(&self, session: AdminSession, since: Timestamp) -> Result<(), StoreError> {
        let held = self.pool.take().await?;
        let keeping = put_session(&held, &session, since);
        let done = held.transact(held.in_time(keeping)).await;
        held.ended(done)
    }

    async fn find_session(
        &self,
        digest: TokenDigest,
    ) -> Result<Option<(AdminSession, AdminAccount)>, StoreError> {
        static FIND: Sql = Sql {
            text: "SELECT digest, email, created_at, seen_at, proved_at, agent FROM admin_sessions WHERE digest = $1",
            types: &[Type::BYTEA],
        };
        static WHOSE: Sql = Sql {
            text: "SELECT email, role, created_at FROM admins WHERE address = $1",
            types: &[Type::TEXT],
        };
        let held = self.pool.take().await?;
        let finding = async {
            let rows = held.query(&FIND, &[&digest.as_slice()]).await?;
            let Some(found) = rows.first().map(session).transpose()? else {
                return Ok(None);
            };
            let rows = held.query(&WHOSE, &[&found.email.normal()]).await?;
            let whose = rows.first().map(admin).transpose()?;
            Ok(whose.map(|whose| (found, whose)))
        };
        let found = held.in_time(finding).await;
        held.end(found)
    }

    async fn see_session(&self, digest: TokenDigest, at: Timestamp) -> Result<bool, StoreError> {
        static SEE: Sql = Sql {
            text: "UPDATE admin_sessions SET seen_at = greatest(seen_at, $2) WHERE digest = $1",
            types: &[Type::BYTEA, Type::INT8],
        };
        let held = self.pool.take().await?;
        let (digest, at) = (digest.as_slice(), at.micros());
        let params: [Param<'_>; 2] = [&digest, &at];
        let seeing = held.execute(&SEE, &params);
        let done = held.transact(held.in_time(seeing)).await;
        held.ended(done).map(|seen| seen > 0)
    }

    async fn sessions(&self) -> Result<Vec<AdminSession>, StoreError> {
        static ALL: Sql = Sql {
            text: "SELECT digest, email, created_at, seen_at, proved_at, agent FROM admin_sessions \
                   ORDER BY seen_at DESC LIMIT 500",
            types: &[],
        };
        let held = self.pool.take().await?;
        let found = held.in_time(held.query(&ALL, &[])).await;
        held.end(found.and_then(|rows| rows.iter().map(session).collect()))
    }

    async fn end_session(&self, digest: TokenDigest) -> Result<bool, StoreError> {
        static END: Sql = Sql {
            text: "DELETE FROM admin_sessions WHERE digest = $1",
            types: &[Type::BYTEA],
        };
        let held = self.pool.take().await?;
        let digest = digest.as_slice();
        let params: [Param<'_>; 1] = [&digest];
        let ending = held.execute(&END, &params);
        let done = held.transact(held.in_time(ending)).await;
        held.ended(done).map(|ended| ended > 0)
    }

    async fn see_secret(&self, digest: SecretDigest, at: Timestamp) -> Result<(), StoreError> {
        let held = self.pool.take().await?;
        let seeing = see_secret(&held, digest, at);
        let done = held.transact(held.in_time(seeing)).await;
        held.ended(done)
    }

    async fn secrets_seen(&self) -> Result<Vec<(SecretDigest, Timestamp)>, StoreError> {
        static ALL: Sql = Sql {
            text: "SELECT digest, used_at FROM secret_uses",
            types: &[],
        };
        let held = self.pool.take().await?;
        let found = held.in_time(held.query(&ALL, &[])).await;
        held.end(found.and_then(|rows| rows.iter().map(seen).collect()))
    }

    async fn note(&self, entry: AuditEntry) -> Result<(), StoreError> {
        let held = self.pool.take().await?;
        let noting = audit::note(&held, &self.bench.ids, &entry);
        let done = held.transact(held.in_time(noting)).await;
        held.ended(done)
    }

    async fn audit(
        &self,
        before: Option<EventId>,
        limit: u16,
    ) -> Result<Vec<(EventId, AuditEntry)>, StoreError> {
        static PAGE: Sql = Sql {
            text: "SELECT id, at, actor, action, target, before, after FROM audit WHERE id < $1 ORDER BY id DESC LIMIT $2",
            types: &[Type::UUID, Type::INT8],
        };
        let held = self.pool.take().await?;
        let (before, limit) = (Id(before.unwrap_or([0xff; 16])), i64::from(limit));
        let found = held.in_time(held.query(&PAGE, &[&before, &limit])).await;
        held.end(found.and_then(|rows| rows.iter().map(audit::entry).collect()))
    }
}

async fn see_secret(session: &Session, digest: SecretDigest, at: Timestamp) -> Result<(), Failure> {
    static GONE: Sql = Sql {
        text: "DELETE FROM secret_uses WHERE digest NOT IN (SELECT digest FROM client_secrets)",
        types: &[],
    };
    static SEE: Sql = Sql {
        text: "INSERT INTO secret_uses (digest, used_at) \
               SELECT $1, $2 WHERE EXISTS (SELECT 1 FROM client_secrets WHERE digest = $1) \
               ON CONFLICT (digest) DO UPDATE SET used_at = greatest(secret_uses.used_at, excluded.used_at)",
        types: &[Type::BYTEA, Type::INT8],
    };
    session.execute(&GONE, &[]).await?;
    let params: [Param<'_>; 2] = [&digest.as_slice(), &at.micros()];
    session.execute(&SEE, &params).await.map(drop)
}

fn seen(row: &Row) -> Result<(SecretDigest, Timestamp), Failure> {
    Ok((digest(row)?, moment(row, 1)?))
}

async fn put_invite(session: &Session, invite: &Invite, now: Timestamp) -> Result<(), Failure> {
    static OVER: Sql = Sql {
        text: "DELETE FROM admin_invites WHERE expires_at <= $1",
        types: &[Type::INT8],
    };
    static PUT: Sql = Sql {
        text: "INSERT INTO admin_invites (digest, email, role, expires_at) VALUES ($1, $2, $3, $4) \
               ON CONFLICT (digest) DO UPDATE SET email = excluded.email, role = excluded.role, \
               expires_at = excluded.expires_at",
        types: &[Type::BYTEA, Type::TEXT, Type::TEXT, Type::INT8],
    };
    session.execute(&OVER, &[&now.micros()]).await?;
    let params: [Param<'_>; 4] = [
        &invite.digest.as_slice(),
        &invite.email.as_given(),
        &invite.role.as_str(),
        &invite.expires_at.micros(),
    ];
    session.execute(&PUT, &params).await.map(drop)
}

/// Takes it and writes what follows, while no other amendment is under way.
async fn accept_invite(
    session: &Session,
    digest: TokenDigest,
    mut accept: Accept,
    bench: &Bench,
) -> Result<Option<(Invite, Snapshot)>, Failure> {
    static TAKE: Sql = Sql {
        text: "DELETE FROM admin_invites WHERE digest = $1 AND expires_at > $2 RETURNING digest, email, role, expires_at",
        types: &[Type::BYTEA, Type::INT8],
    };
    let before = registry::hold(session).await?;
    let now = bench.clock.now();
    let params: [Param<'_>; 2] = [&digest.as_slice(), &now.micros()];
    let rows = session.query(&TAKE, &params).await?;
    let Some(invite) = rows.first().map(invite).transpose()? else {
        return Ok(None);
    };
    let amendments = accept(&invite, &before, now);
    let after = registry::write_all(session, bench, &amendments).await?;
    Ok(Some((invite, after)))
}

async fn put_session(
    session: &Session,
    kept: &AdminSession,
    since: Timestamp,
) -> Result<(), Failure> {
    static OVER: Sql = Sql {
        text: "DELETE FROM admin_sessions WHERE created_at < $1",
        types: &[Type::INT8],
    };
    static PUT: Sql = Sql {
        text: "INSERT INTO admin_sessions (digest, email, created_at, seen_at, proved_at, agent) \
               VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (digest) DO UPDATE SET email = excluded.email, \
               created_at = excluded.created_at, seen_at = excluded.seen_at, proved_at = excluded.proved_at, \
               agent = excluded.agent",
        types: &[
            Type::BYTEA,
            Type::TEXT,
            Type::INT8,
            Type::INT8,
            Type::INT8,
            Type::TEXT,
        ],
    };
    session.execute(&OVER, &[&since.micros()]).await?;
    let params: [Param<'_>; 6] = [
        &kept.digest.as_slice(),
        &kept.email.as_given(),
        &kept.created_at.micros(),
        &kept.seen_at.micros(),
        &kept.proved_at.micros(),
        &kept.agent,
    ];
    session.execute(&PUT, &params).await.map(drop)
}

/// Every admin, in the order of their addresses.
pub(super) async fn admins(session: &Session) -> Result<Vec<AdminAccount>, Failure> {
    static ALL: Sql = Sql {
        text: "SELECT email, role, created_at FROM admins ORDER BY address",
        types: &[],
    };
    let rows = session.query(&ALL, &[]).await?;
    rows.iter().map(admin).collect()
}

fn admin(row: &Row) -> Result<AdminAccount, Failure> {
    Ok(AdminAccount {
        email: address(get(row, 0)?)?,
        role: role(row, 1)?,
        created_at: moment(row, 2)?,
    })
}

/// Adds or replaces an admin.
pub(super) async fn put_admin(session: &Session, admin: &AdminAccount) -> Result<(), Failure> {
    static PUT: Sql = Sql {
        text: "INSERT INTO admins (address, email, role, created_at) VALUES ($1, $2, $3, $4) \
               ON CONFLICT (address) DO UPDATE SET email = excluded.email, role = excluded.role, \
               created_at = excluded.created_at",
        types: &[Type::TEXT, Type::TEXT, Type::TEXT, Type::INT8],
    };
    let params: [Param<'_>; 4] = [
        &admin.email.normal(),
        &admin.email.as_given(),
        &admin.role.as_str(),
        &admin.created_at.micros(),
    ];
    session.execute(&PUT, &params).await.map(drop)
}

/// Removes an admin with their sessions and unused invitations, in whatever spelling those have.
pub(super) async fn drop_admin(session: &Session, email: &Email) -> Result<(), Failure> {
    static DROP: Sql = Sql {
        text: "DELETE FROM admins WHERE address = $1",
        types: &[Type::TEXT],
    };
    static SESSIONS: Sql = Sql {
        text: "SELECT digest, email FROM admin_sessions",
        types: &[],
    };
    static END: Sql = Sql {
        text: "DELETE FROM admin_sessions WHERE digest = $1",
        types: &[Type::BYTEA],
    };
    static INVITES: Sql = Sql {
        text: "SELECT digest, email FROM admin_invites",
        types: &[],
    };
    static UNINVITE: Sql = Sql {
        text: "DELETE FROM admin_invites WHERE digest = $1",
        types: &[Type::BYTEA],
    };
    session.execute(&DROP, &[&email.normal()]).await?;
    for (look, drop) in [(&SESSIONS, &END), (&INVITES, &UNINVITE)] {
        for row in &session.query(look, &[]).await? {
            if address(get(row, 1)?)?.normal() == email.normal() {
                session.execute(drop, &[&digest(row)?.as_slice()]).await?;
            }
        }
    }
    Ok(())
}

fn digest(row: &Row) -> Result<TokenDigest, Failure> {
    get::<&[u8]>(row, 0)?
        .try_into()
        .map_err(|_| Failure::Unreadable("no SHA-256 digest"))
}

fn invite(row: &Row) -> Result<Invite, Failure> {
    Ok(Invite {
        digest: digest(row)?,
        email: address(get(row, 1)?)?,
        role: role(row, 2)?,
        expires_at: moment(row, 3)?,
    })
}

fn session(row: &Row) -> Result<AdminSession, Failure> {
    Ok(AdminSession {
        digest: digest(row)?,
        email: address(get(row, 1)?)?,
        created_at: moment(row, 2)?,
        seen_at: moment(row, 3)?,
        proved_at: moment(row, 4)?,
        agent: get(row, 5)?,
    })
}

fn role(row: &Row, column: usize) -> Result<Role, Failure> {
    Role::parse(get(row, column)?).ok_or(Failure::Unreadable("unknown role"))
}
