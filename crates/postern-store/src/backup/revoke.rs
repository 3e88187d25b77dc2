use postern_core::model::Timestamp;
use rusqlite::{Connection, params};
use serde::{Deserialize, Serialize};

/// What was ended because the store's state is one of the past.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// Auth requests whose codes and links could have been used.
    pub auth_requests: u64,
    /// Sessions of admins.
    pub admin_sessions: u64,
    /// Invitations of admins.
    pub admin_invites: u64,
}

/// Ends what may have been spent after the moment that the store was put back to.
///
/// An open request becomes expired, and as often resent as can be: a resend would otherwise give the
/// generation that was given after that moment already, and with it a code that may be spent.
pub(crate) fn revoke(conn: &Connection, now: Timestamp) -> rusqlite::Result<Ended> {
    let count = |rows: usize| u64::try_from(rows).unwrap_or(u64::MAX);
    let auth_requests = conn.execute(
        "UPDATE auth_requests SET expires_at = min(expires_at, ?1), resends = ?2 WHERE state = 0",
        params![now.micros(), postern_core::rules::MAX_RESENDS],
    )?;
    Ok(Ended {
        auth_requests: count(auth_requests),
        admin_sessions: count(conn.execute("DELETE FROM admin_sessions", [])?),
        admin_invites: count(conn.execute("DELETE FROM admin_invites", [])?),
    })
}
