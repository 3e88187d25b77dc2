use std::fs;
use std::io;
use std::net::SocketAddr;

use super::{Keeps, LOOK, PATIENCE, Postgres, USER, pause, said, tool};
use crate::daemon::as_nobody;

impl Postgres {
    /// Makes a standby of `primary` and starts it; it follows over `way`, which leads there. The primary
    /// does not wait for it before [`Postgres::wait_for_standby`].
    ///
    /// # Errors
    /// The primary cannot be copied, or the standby does not start.
    pub fn standby(primary: &Self, way: SocketAddr) -> io::Result<Self> {
        let mut standby = Self::empty(Keeps::Everything)?;
        standby.listen()?;
        standby.follow(primary, way)?;
        Ok(standby)
    }

    /// Becomes a standby of `primary`, whatever it was before; it must not be running.
    ///
    /// # Errors
    /// As [`Self::standby`].
    pub fn follow(&mut self, primary: &Self, way: SocketAddr) -> io::Result<()> {
        if self.data().exists() {
            fs::remove_dir_all(self.data())?;
        }
        let mut copy = tool("pg_basebackup")?;
        copy.args(["-U", USER, "-p", &primary.port.to_string(), "-h"]);
        copy.arg(primary.folder())
            .args(["-X", "stream", "-c", "fast", "-R", "-N"]);
        said(as_nobody(copy.arg("-D").arg(self.data()))?)?;
        self.settings
            .retain(|setting| !setting.starts_with("primary_conninfo"));
        self.settings.push(format!(
            "primary_conninfo=host={} port={} user={USER} application_name=standby",
            way.ip(),
            way.port()
        ));
        // After the primary comes back, at once: five seconds is its habit.
        self.settings
            .push("wal_retrieve_retry_interval=100".to_owned());
        self.run()
    }

    /// Lets commits of this primary wait for a standby, once one follows.
    ///
    /// # Errors
    /// None does within a minute.
    pub fn wait_for_standby(&self) -> io::Result<()> {
        const FOLLOWS: &str = "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'";
        for _ in 0..PATIENCE.as_millis() / LOOK.as_millis() {
            let follows = self.psql("postgres", FOLLOWS);
            if follows.is_ok_and(|count| count.trim() != "0") {
                return self.set("synchronous_standby_names", "*");
            }
            pause();
        }
        Err(io::Error::other("no standby follows"))
    }

    /// Makes this standby the primary; its commits wait for no other.
    ///
    /// # Errors
    /// It refuses.
    pub fn promote(&self) -> io::Result<()> {
        self.psql("postgres", "SELECT pg_promote(true, 60)")?;
        self.set("synchronous_standby_names", "")
    }

    /// Stops or continues ("STOP", "CONT") the process of this standby that receives what the primary
    /// writes.
    ///
    /// # Errors
    /// There is none.
    pub fn receiver(&self, signal: &str) -> io::Result<()> {
        const RECEIVER: &str = "SELECT pid FROM pg_stat_wal_receiver";
        let id = self.psql("postgres", RECEIVER)?;
        said(std::process::Command::new("kill").args(["-s", signal, id.trim()])).map(drop)
    }

    /// Changes a setting of the running server, for good.
    ///
    /// # Errors
    /// It refuses.
    pub fn set(&self, name: &str, value: &str) -> io::Result<()> {
        self.psql("postgres", &format!("ALTER SYSTEM SET {name} = '{value}'"))?;
        self.psql("postgres", "SELECT pg_reload_conf()").map(drop)
    }
}
