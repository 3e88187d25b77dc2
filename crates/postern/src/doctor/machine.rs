//! What the server itself stands on: clock, store, disk, keys.

use std::path::Path;
use std::time::Duration;

use postern_core::flow::Postern;
use postern_core::keyring::Keyring;
use postern_core::model::{
    DeliveryState, DkimKey, Fault, LastTry, MailHook, MailProvider, SigningKey, SigningState,
    Snapshot, Timestamp,
};
use postern_core::rules::SKEW;
use rustix::fs::statvfs;
use tokio::process::Command;
use tokio::time::timeout;

use super::finding::Finding;
use crate::private_file;

/// From which age on a mail that waits means trouble.
const LATE: Duration = Duration::from_mins(1);
/// Free space below which the store soon refuses writes, and below which one should look.
const FULL: u64 = 64 << 20;
const TIGHT: u64 = 1 << 30;
/// Mails that wait which are looked at for why.
const LOOKED_AT: usize = 100;

/// Whether the store answers, and what waits in it.
pub(super) async fn store(postern: &Postern) -> Finding {
    const CHECK: &str = "store";
    if let Err(error) = postern.store().ping().await {
        return Finding::failed(
            CHECK,
            "store",
            format!("it does not answer: {error}"),
            "see the server's log, the disk and, with PostgreSQL, the database",
        );
    }
    match postern.store().outbox().await {
        Ok(state) => {
            let age = state
                .oldest
                .map_or(Duration::ZERO, |oldest| postern.now().since(oldest));
            let told = format!("it answers; {}", waiting(state.depth, age));
            if age > LATE {
                return Finding::warning(CHECK, "store", told, why_waiting(postern).await);
            }
            Finding::ok(CHECK, "store", told)
        }
        Err(error) => Finding::failed(
            CHECK,
            "store",
            format!("the outbox does not read: {error}"),
            "see the server's log",
        ),
    }
}

fn waiting(depth: u64, age: Duration) -> String {
    match depth {
        0 => "no mail waits".to_owned(),
        1 => format!("1 mail waits, for {} s", age.as_secs()),
        _ => format!("{depth} mails wait, the oldest for {} s", age.as_secs()),
    }
}

/// Where to look when mails wait for long.
async fn why_waiting(postern: &Postern) -> &'static str {
    let queued = Some(DeliveryState::Queued);
    let queued = postern.list_deliveries(queued, None, LOOKED_AT).await;
    let tries = queued.unwrap_or_default().into_iter();
    let tries: Vec<_> = tries.filter_map(|one| one.delivery.last_try).collect();
    where_to_look(&tries)
}

/// Not at the providers, while they only ask for patience with these mails.
fn where_to_look(tries: &[LastTry]) -> &'static str {
    let deferred = |last: &LastTry| last.fault == Some(Fault::Deferred);
    if !tries.is_empty() && tries.iter().all(deferred) {
        return "servers ask for patience with these mails, such as by greylisting, and are asked again by themselves; \
                `postern delivery show ID` tells what they said (`postern delivery list --state queued`)";
    }
    "see the findings on the providers, and `postern delivery list --state queued`"
}

/// Whether there is room to write.
pub(super) fn disk(data: &Path) -> Finding {
    const CHECK: &str = "disk";
    let about = data.display().to_string();
    let Ok(room) = statvfs(data) else {
        return Finding::skipped(CHECK, about, "how much room there is cannot be told");
    };
    let free = room.f_bavail.saturating_mul(room.f_frsize);
    let told = format!("{} MiB free", free >> 20);
    match free {
        0..FULL => Finding::failed(
            CHECK,
            about,
            told,
            "make room: with a full disk every call answers UNAVAILABLE",
        ),
        FULL..TIGHT => Finding::warning(
            CHECK,
            about,
            told,
            "make room before calls answer UNAVAILABLE",
        ),
        _ => Finding::ok(CHECK, about, told),
    }
}

/// Whether the root keys are private, everything sealed opens under them, and tokens can be signed.
pub(super) fn keys(held: &Snapshot, keyring: &Keyring, file: &Path) -> Finding {
    const CHECK: &str = "keys";
    let about = file.display().to_string();
    let shut = sealed(held, keyring);
    if !shut.is_empty() {
        return Finding::failed(
            CHECK,
            about,
            format!(
                "what is sealed does not open under these root keys: {}",
                shut.join(", ")
            ),
            "put back the root keys that sealed it, or make it anew (`mail provider add`, `mail hook set`, `mail dkim create`, `keys signing rotate` twice)",
        );
    }
    let has = |state| held.signing_keys.iter().any(|key| key.state == state);
    if !has(SigningState::Active) || !has(SigningState::Standby) {
        return Finding::warning(
            CHECK,
            about,
            "there is no signing key yet, or none on standby",
            "start the server once, which makes them, or `postern keys signing rotate`",
        );
    }
    if private_file::is_open_to_others(file) {
        let told = "other users of this machine can read the root keys";
        let fix = format!("chmod 600 {}", file.display());
        return Finding::failed(CHECK, about, told, fix);
    }
    Finding::ok(CHECK, about, "private, and everything sealed opens")
}

/// The names of what does not open.
fn sealed(held: &Snapshot, keyring: &Keyring) -> Vec<String> {
    let mut shut = Vec::new();
    for one in &held.providers {
        let slot = MailProvider::password_slot(&one.name);
        if one
            .password
            .as_ref()
            .is_some_and(|sealed| keyring.open(&slot, sealed).is_err())
        {
            shut.push(format!("the password of provider {}", one.name));
        }
    }
    for one in &held.hooks {
        if keyring
            .open(&MailHook::secret_slot(one.provider), &one.secret)
            .is_err()
        {
            shut.push(format!(
                "the secret of {}'s callbacks",
                one.provider.as_str()
            ));
        }
    }
    for one in &held.dkim_keys {
        let name = one.record_name();
        if keyring
            .open(&DkimKey::private_slot(&name), &one.private)
            .is_err()
        {
            shut.push(format!("the DKIM key {name}"));
        }
    }
    for one in &held.signing_keys {
        if keyring
            .open(&SigningKey::private_slot(&one.kid), &one.private)
            .is_err()
        {
            shut.push(format!("signing key {}", one.kid));
        }
    }
    shut
}

/// Whether the clock stands where it did, and whether something keeps it right.
pub(super) async fn clock(postern: &Postern) -> Finding {
    const CHECK: &str = "clock";
    let (now, latest) = (postern.now(), latest(postern).await);
    if let Some(ahead) = latest
        .map(|latest| latest.since(now))
        .filter(|ahead| *ahead > SKEW)
    {
        return Finding::failed(
            CHECK,
            "clock",
            format!(
                "it is {} s behind what the store has seen: codes and limits last wrongly",
                ahead.as_secs()
            ),
            "set the clock by NTP (timedatectl set-ntp true), on every node",
        );
    }
    match kept_right().await {
        Some(true) => Finding::ok(CHECK, "clock", "set by NTP"),
        Some(false) => Finding::warning(
            CHECK,
            "clock",
            "nothing sets it: no NTP service is in step",
            "timedatectl set-ntp true, or run chrony",
        ),
        None => Finding::ok(
            CHECK,
            "clock",
            "not behind the store; whether NTP sets it cannot be told here",
        ),
    }
}

/// The newest moment that the store and the registry tell of.
async fn latest(postern: &Postern) -> Option<Timestamp> {
    let held = postern.snapshot();
    let keys = held.signing_keys.iter().map(|key| key.created_at);
    let clients = held.clients.values().map(|client| client.created_at);
    let mails = postern
        .list_deliveries(None, None, 1)
        .await
        .unwrap_or_default();
    let mails = mails.iter().map(|one| one.delivery.queued_at);
    keys.chain(clients).chain(mails).max()
}

/// What systemd knows of the kernel's clock; `None` without it.
async fn kept_right() -> Option<bool> {
    let mut ask = Command::new("timedatectl");
    ask.args(["show", "--property=NTPSynchronized", "--value"]);
    ask.kill_on_drop(true).stdin(std::process::Stdio::null());
    let told = timeout(Duration::from_secs(3), ask.output())
        .await
        .ok()?
        .ok()?;
    match told.stdout.trim_ascii() {
        b"yes" => Some(true),
        b"no" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mails_that_wait_are_counted_in_words_that_fit() {
        let told = |depth| waiting(depth, Duration::from_secs(90));
        assert_eq!(told(0), "no mail waits");
        assert_eq!(told(1), "1 mail waits, for 90 s");
        assert_eq!(told(2), "2 mails wait, the oldest for 90 s");
    }

    #[test]
    fn mails_that_servers_ask_patience_for_lead_nobody_to_the_providers() {
        let ended = |fault| LastTry::after(None, "main", Some(fault));
        let patience = where_to_look(&[ended(Fault::Deferred), ended(Fault::Deferred)]);
        assert!(patience.contains("greylisting"), "{patience}");
        let mixed = [ended(Fault::Deferred), ended(Fault::Trouble)];
        for tries in [&mixed[..], &[]] {
            let told = where_to_look(tries);
            assert!(told.contains("findings on the providers"), "{told}");
        }
    }
}
