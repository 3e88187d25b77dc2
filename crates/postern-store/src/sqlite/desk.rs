//! What admins work with: their accounts, invitations, sessions, and the audit.

use async_trait::async_trait;
use postern_core::model::{
    AdminAccount, AdminSession, AuditEntry, Email, EventId, Invite, Role, SecretDigest, Snapshot,
    Timestamp, TokenDigest,
};
use postern_core::ports::{Accept, Desk, StoreError};
use rusqlite::{Connection, Result, Row, params};

use super::SqliteStore;
use super::auth_request::{address, unreadable};
use super::registry::{self, snapshot};
use super::tx::{self, Tx};

const INVITE: &str = "SELECT digest, email, role, expires_at FROM admin_invites WHERE digest = ?1";
const SESSION: &str = "SELECT digest, email, created_at, seen_at, proved_at, agent FROM admin_sessions \
     WHERE digest = ?1";
const ADMIN: &str = "SELECT email, role, created_at FROM admins WHERE address = ?1";

#[async_trait]
impl Desk for SqliteStore {
    async fn put_invite(&self, invite: Invite) -> Result<(), StoreError> {
        let act = move |tx: &Tx<'_>| {
            tx.write(
                "DELETE FROM admin_invites WHERE expires_at <= ?1",
                [tx.now.micros()],
            )?;
            tx.write(
                "INSERT INTO admin_invites (digest, email, role, expires_at) VALUES (?1, ?2, ?3, ?4)",
                params![
                    invite.digest,
                    invite.email.as_given(),
                    invite.role.as_str(),
                    invite.expires_at.micros()
                ],
            )?;
            Ok(())
        };
        self.writer.run(act).await
    }

    async fn find_invite(&self, digest: TokenDigest) -> Result<Option<Invite>, StoreError> {
        let now = self.clock.now();
        let read = move |conn: &Connection| tx::find(conn, INVITE, [digest], invite);
        let found = self.quick.run(read).await?;
        Ok(found.filter(|invite| now < invite.expires_at))
    }

    async fn accept_invite(
        &self,
        digest: TokenDigest,
        mut accept: Accept,
    ) -> Result<Option<(Invite, Snapshot)>, StoreError> {
        let act = move |tx: &Tx<'_>| {
            let found = tx.find(INVITE, [digest], invite)?;
            tx.write("DELETE FROM admin_invites WHERE digest = ?1", [digest])?;
            let Some(invite) = found.filter(|invite| tx.now < invite.expires_at) else {
                return Ok(None);
            };
            let amendments = accept(&invite, &snapshot(tx.conn())?, tx.now);
            registry::write(tx, &amendments)?;
            Ok(Some((invite, snapshot(tx.conn())?)))
        };
        self.writer.run(act).await
    }

    async fn put_session(&self, session: AdminSession, since: Timestamp) -> Result<(), StoreError> {
        let act = move |tx: &Tx<'_>| {
            tx.write(
                "DELETE FROM admin_sessions WHERE created_at < ?1",
                [since.micros()],
            )?;
            tx.write(
                "INSERT OR REPLACE INTO admin_sessions (digest, email, created_at, seen_at, proved_at, agent) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                params![
                    session.digest,
                    session.email.as_given(),
                    session.created_at.micros(),
                    session.seen_at.micros(),
                    session.proved_at.micros(),
                    session.agent
                ],
            )?;
            Ok(())
        };
        self.writer.run(act).await
    }

    async fn find_session(
        &self,
        digest: TokenDigest,
    ) -> Result<Option<(AdminSession, AdminAccount)>, StoreError> {
        let read = move |conn: &Connection| {
            let Some(found) = tx::find(conn, SESSION, [digest], session)? else {
                return Ok(None);
            };
            let whose = tx::find(conn, ADMIN, [found.email.normal()], admin)?;
            Ok(whose.map(|whose| (found, whose)))
        };
        self.quick.run(read).await
    }

    async fn see_session(&self, digest: TokenDigest, at: Timestamp) -> Result<bool, StoreError> {
        let act = move |tx: &Tx<'_>| {
            let seen = tx.write(
                "UPDATE admin_sessions SET seen_at = max(seen_at, ?2) WHERE digest = ?1",
                params![digest, at.micros()],
            )?;
            Ok(seen > 0)
        };
        self.writer.run(act).await
    }

    async fn sessions(&self) -> Result<Vec<AdminSession>, StoreError> {
        let sql = "SELECT digest, email, created_at, seen_at, proved_at, agent FROM admin_sessions \
                   ORDER BY seen_at DESC LIMIT 500";
        self.slow
            .run(move |conn| tx::all(conn, sql, [], session))
            .await
    }

    async fn end_session(&self, digest: TokenDigest) -> Result<bool, StoreError> {
        let act = move |tx: &Tx<'_>| {
            let ended = tx.write("DELETE FROM admin_sessions WHERE digest = ?1", [digest])?;
            Ok(ended > 0)
        };
        self.writer.run(act).await
    }

    async fn see_secret(&self, digest: SecretDigest, at: Timestamp) -> Result<(), StoreError> {
        let act = move |tx: &Tx<'_>| {
            tx.write(
                "DELETE FROM secret_uses WHERE digest NOT IN (SELECT digest FROM client_secrets)",
                [],
            )?;
            tx.write(
                "INSERT INTO secret_uses (digest, used_at) \
                 SELECT ?1, ?2 WHERE EXISTS (SELECT 1 FROM client_secrets WHERE digest = ?1) \
                 ON CONFLICT (digest) DO UPDATE SET used_at = max(used_at, excluded.used_at)",
                params![digest, at.micros()],
            )?;
            Ok(())
        };
        self.writer.run(act).await
    }

    async fn secrets_seen(&self) -> Result<Vec<(SecretDigest, Timestamp)>, StoreError> {
        let sql = "SELECT digest, used_at FROM secret_uses";
        let seen = |row: &Row<'_>| Ok((row.get(0)?, moment(row, 1)?));
        self.quick
            .run(move |conn: &Connection| tx::all(conn, sql, [], seen))
            .await
    }

    async fn note(&self, entry: AuditEntry) -> Result<(), StoreError> {
        self.writer.run(move |tx| note(tx, &entry)).await
    }

    async fn audit(
        &self,
        before: Option<EventId>,
        limit: u16,
    ) -> Result<Vec<(EventId, AuditEntry)>, StoreError> {
        let sql = "SELECT id, at, actor, action, target, before, after FROM audit WHERE id < ?1 \
                   ORDER BY id DESC LIMIT ?2";
        let before = before.unwrap_or([0xff; 16]);
        let read = move |conn: &Connection| tx::all(conn, sql, params![before, limit], entry);
        self.slow.run(read).await
    }
}

/// Every admin, in the order of their addresses.
pub(super) fn admins(conn: &Connection) -> Result<Vec<AdminAccount>> {
    tx::all(
        conn,
        "SELECT email, role, created_at FROM admins ORDER BY address",
        [],
        admin,
    )
}

fn admin(row: &Row<'_>) -> Result<AdminAccount> {
    Ok(AdminAccount {
        email: address(0, row.get_ref(0)?.as_str()?)?,
        role: role(row, 1)?,
        created_at: moment(row, 2)?,
    })
}

/// Adds or replaces an admin.
pub(super) fn put_admin(tx: &Tx<'_>, admin: &AdminAccount) -> Result<()> {
    tx.write(
        "INSERT OR REPLACE INTO admins (address, email, role, created_at) VALUES (?1, ?2, ?3, ?4)",
        params![
            admin.email.normal(),
            admin.email.as_given(),
            admin.role.as_str(),
            admin.created_at.micros()
        ],
    )?;
    Ok(())
}

/// Removes an admin with their sessions and unused invitations, in whatever spelling those have.
pub(super) fn drop_admin(tx: &Tx<'_>, email: &Email) -> Result<()> {
    tx.write("DELETE FROM admins WHERE address = ?1", [email.normal()])?;
    for (look, drop) in [
        (
            "SELECT digest, email FROM admin_sessions",
            "DELETE FROM admin_sessions WHERE digest = ?1",
        ),
        (
            "SELECT digest, email FROM admin_invites",
            "DELETE FROM admin_invites WHERE digest = ?1",
        ),
    ] {
        let held = tx::all(tx.conn(), look, [], |row| {
            let of: TokenDigest = row.get(0)?;
            Ok((of, address(1, row.get_ref(1)?.as_str()?)?))
        })?;
        for (digest, _) in held.iter().filter(|(_, of)| of.normal() == email.normal()) {
            tx.write(drop, [digest])?;
        }
    }
    Ok(())
}

/// Appends to the audit.
pub(super) fn note(tx: &Tx<'_>, entry: &AuditEntry) -> Result<()> {
    tx.write(
        "INSERT INTO audit (id, at, actor, action, target, before, after) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![
            tx.event_id(entry.at),
            entry.at.micros(),
            entry.actor,
            entry.action,
            entry.target,
            entry.before,
            entry.after
        ],
    )?;
    Ok(())
}

fn invite(row: &Row<'_>) -> Result<Invite> {
    Ok(Invite {
        digest: row.get(0)?,
        email: address(1, row.get_ref(1)?.as_str()?)?,
        role: role(row, 2)?,
        expires_at: moment(row, 3)?,
    })
}

fn session(row: &Row<'_>) -> Result<AdminSession> {
    Ok(AdminSession {
        digest: row.get(0)?,
        email: address(1, row.get_ref(1)?.as_str()?)?,
        created_at: moment(row, 2)?,
        seen_at: moment(row, 3)?,
        proved_at: moment(row, 4)?,
        agent: row.get(5)?,
    })
}

/// Up to `limit` entries that come after one, oldest first.
pub(super) fn noted_after(
    conn: &Connection,
    after: EventId,
    limit: u16,
) -> Result<Vec<(EventId, AuditEntry)>> {
    let sql = "SELECT id, at, actor, action, target, before, after FROM audit WHERE id > ?1 \
               ORDER BY id LIMIT ?2";
    tx::all(conn, sql, params![after, limit], entry)
}

/// Writes an entry anew, without what is no longer to be in it.
pub(super) fn renote(tx: &Tx<'_>, id: EventId, entry: &AuditEntry) -> Result<usize> {
    tx.write(
        "UPDATE audit SET target = ?2, before = ?3, after = ?4 WHERE id = ?1",
        params![id, entry.target, entry.before, entry.after],
    )
}

fn entry(row: &Row<'_>) -> Result<(EventId, AuditEntry)> {
    let entry = AuditEntry {
        at: moment(row, 1)?,
        actor: row.get(2)?,
        action: row.get(3)?,
        target: row.get(4)?,
        before: row.get(5)?,
        after: row.get(6)?,
    };
    Ok((row.get(0)?, entry))
}

fn role(row: &Row<'_>, column: usize) -> Result<Role> {
    Role::parse(row.get_ref(column)?.as_str()?).ok_or_else(|| unreadable(column, "unknown role"))
}

fn moment(row: &Row<'_>, column: usize) -> Result<Timestamp> {
    row.get(column).map(Timestamp::from_micros)
}
