//! `postern backup` and `postern restore`.

use std::path::{Path, PathBuf};

use postern_core::model::Snapshot;
use postern_core::ports::Clock as _;
use postern_store::backup::{self, BackupError, Manifest, Restored};
use postern_store::{DataDir, store_file};
use serde_json::json;

use super::args::{BackupArgs, RestoreArgs, StoreArgs};
use super::exit::{Code, Failure};
use super::progress::Shown;
use super::{show, store};
use crate::admin;
use crate::compose::{StartError, with_sources};
use crate::config::Config;
use crate::root_keys::RootKeys;
use crate::world::{SystemClock, SystemEntropy};

/// Takes a backup and tells what it holds.
pub(super) fn take(args: &BackupArgs, json: bool) -> Result<(), Failure> {
    let config = of_file(&args.store)?;
    let to = name(&args.to);
    let mut shown = Shown::new(json);
    let taken = backup::take(
        &store_file(&config.data.dir),
        &to,
        &SystemClock,
        &SystemEntropy,
        &mut |progress| shown.show(progress),
    );
    drop(shown);
    let manifest = taken?;
    if json {
        return show::json(&json!({ "file": to, "manifest": manifest }));
    }
    show::text(&format!(
        "{}: {} rows as of {}\nIt needs root {} and holds none: keep a copy of {} elsewhere.\n",
        to.display(),
        manifest.rows(),
        manifest.taken_at().rfc3339(),
        keys(&manifest.kids),
        config.data.root_keys_file.display(),
    ))
}

/// Restores a backup, or only looks whether it could be.
pub(super) fn restore(args: &RestoreArgs, json: bool) -> Result<(), Failure> {
    let config = of_file(&args.store)?;
    let mut shown = Shown::new(json);
    let mut watch = |progress: postern_store::Progress<'_>| shown.show(progress);
    if args.check {
        let manifest = backup::inspect(&args.file, &mut watch)?;
        drop(shown);
        roots(&config.data.root_keys_file, &manifest).map_err(Failure::failed)?;
        return tell_checked(&args.file, &manifest, json);
    }
    let dir = DataDir::open(&config.data.dir).map_err(StartError::from)?;
    let file = &config.data.root_keys_file;
    let wanted = |manifest: &Manifest, registry: &Snapshot| opened(file, manifest, registry);
    let restored = backup::restore(
        &args.file,
        &dir,
        args.replace,
        &SystemClock,
        &wanted,
        &mut watch,
    );
    drop(shown);
    tell_restored(&restored?, json)
}

/// The configuration of a store that is a file.
fn of_file(args: &StoreArgs) -> Result<Config, Failure> {
    let config = store::find(args)?;
    if config.data.database_url.is_some() {
        let told = "this store is in PostgreSQL: back it up and restore it with PostgreSQL's own tools, and see \
                    docs/operations.md for what to do after a restore";
        return Err(Failure::new(Code::Usage, told));
    }
    Ok(config)
}

fn name(to: &Path) -> PathBuf {
    if to.is_dir() {
        let moment = SystemClock.now().rfc3339().replace([':', '-'], "");
        return to.join(format!("postern-{moment}.backup"));
    }
    to.to_owned()
}

/// The roots of the keyring, which has all that the backup names.
fn roots(file: &Path, manifest: &Manifest) -> Result<RootKeys, String> {
    let needed = keys(&manifest.kids);
    let put = format!(
        "put the keyring that the backup was taken under to {} first",
        file.display()
    );
    let roots = RootKeys::read(file)
        .map_err(|error| format!("the backup needs root {needed}: {put} ({error})"))?;
    let there = roots.kids();
    let missing: Vec<u8> = manifest
        .kids
        .iter()
        .copied()
        .filter(|kid| !there.contains(kid))
        .collect();
    if missing.is_empty() {
        return Ok(roots);
    }
    Err(format!(
        "the backup needs root {needed}, and root {} missing: {put}",
        match missing.as_slice() {
            [one] => format!("key {one} is"),
            more => format!("{} are", keys(more)),
        }
    ))
}

/// The keyring must also open what is sealed: one made anew has the same numbers.
fn opened(file: &Path, manifest: &Manifest, registry: &Snapshot) -> Result<(), String> {
    let keyring = roots(file, manifest)?
        .keyring()
        .map_err(|problem| problem.to_string())?;
    admin::opens(registry, &keyring).map_err(|_| {
        format!(
            "the root keys in {} are not those that the backup was taken under: what is sealed in it does not open",
            file.display()
        )
    })
}

fn keys(kids: &[u8]) -> String {
    let numbers: Vec<_> = kids.iter().map(ToString::to_string).collect();
    match numbers.as_slice() {
        [] => "no key".to_owned(),
        [one] => format!("key {one}"),
        more => format!("keys {}", more.join(", ")),
    }
}

fn tell_checked(file: &Path, manifest: &Manifest, json: bool) -> Result<(), Failure> {
    if json {
        return show::json(&json!({ "file": file, "manifest": manifest }));
    }
    show::text(&format!(
        "{} is whole: {} rows as of {}, taken by release {}; root {} there\n",
        file.display(),
        manifest.rows(),
        manifest.taken_at().rfc3339(),
        manifest.release,
        match manifest.kids.as_slice() {
            [_] | [] => format!("{} is", keys(&manifest.kids)),
            _ => format!("{} are", keys(&manifest.kids)),
        },
    ))
}

fn tell_restored(restored: &Restored, json: bool) -> Result<(), Failure> {
    let (manifest, ended) = (&restored.manifest, &restored.ended);
    if json {
        return show::json(&json!({
            "manifest": manifest, "ended": ended, "replaced": restored.replaced
        }));
    }
    let aside = restored.replaced.as_ref().map_or(String::new(), |aside| {
        format!("The store that was there is in {}.\n", aside.display())
    });
    let at = manifest.taken_at().rfc3339();
    show::text(&format!(
        "restored: {} rows as of {at}\nended: {} auth requests, {} admin sessions, {} invitations\n{aside}\
         What was changed after {at} is undone: revoke again the clients and admins that were revoked since.\n",
        manifest.rows(),
        ended.auth_requests,
        ended.admin_sessions,
        ended.admin_invites,
    ))
}

impl From<BackupError> for Failure {
    fn from(error: BackupError) -> Self {
        Self::failed(with_sources(&error))
    }
}
