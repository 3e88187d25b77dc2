//! `postern backup` and `postern restore`.

use std::os::unix::fs::DirBuilderExt as _;
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
use crate::root_keys::{RootKeys, RootKeysError};
use crate::world::{SystemClock, SystemEntropy};

/// Takes a backup and tells what it holds.
pub(super) fn take(args: &BackupArgs, json: bool) -> Result<(), Failure> {
    let config = of_file(&args.store)?;
    let to = name(&args.to)?;
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
    if let Some(dir) = args.store.data.as_deref().filter(|dir| !dir.is_dir()) {
        return Err(Failure::new(Code::Usage, folder_first(dir)));
    }
    let config = of_file(&args.store)?;
    let mut shown = Shown::new(json);
    let mut watch = |progress: postern_store::Progress<'_>| shown.show(progress);
    if args.check {
        let manifest = backup::inspect(&args.file, &mut watch)?;
        drop(shown);
        let (file, registry) = (&config.data.root_keys_file, backup::registry(&args.file)?);
        let tried = match &registry {
            Some(registry) => opened(file, &manifest, registry),
            None => roots(file, &manifest).map(drop),
        };
        tried.map_err(Failure::failed)?;
        return tell_checked(&args.file, &manifest, registry.is_some(), json);
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

/// In a folder, which a path that ends with a slash is meant to be, a file is named for its moment.
fn name(to: &Path) -> Result<PathBuf, Failure> {
    if to.as_os_str().as_encoded_bytes().ends_with(b"/") && !to.is_dir() {
        let made = std::fs::DirBuilder::new().mode(0o700).create(to);
        made.map_err(|error| {
            Failure::failed(format!("cannot make the folder {}: {error}", to.display()))
        })?;
    }
    if !to.is_dir() {
        return Ok(to.to_owned());
    }
    let now = SystemClock.now();
    let moment = now.rfc3339().replace([':', '-', 'Z'], "");
    let micros = now.micros().rem_euclid(1_000_000);
    Ok(to.join(format!("postern-{moment}.{micros:06}Z.backup")))
}

fn folder_first(dir: &Path) -> String {
    format!(
        "there is no folder {dir} yet: make it, and put a copy of the keyring there that the backup was taken under\n  \
         install -d -m 700 {dir}\n  install -m 600 ROOT.KEYS {dir}/root.keys",
        dir = dir.display()
    )
}

/// The roots of the keyring, which has all that the backup names.
fn roots(file: &Path, manifest: &Manifest) -> Result<RootKeys, String> {
    let needed = keys(&manifest.kids);
    let put = format!(
        "put the keyring that the backup was taken under to {} first",
        file.display()
    );
    let roots = RootKeys::read(file).map_err(|error| match error {
        RootKeysError::Missing(_) => {
            format!("the backup needs root {needed}, and there is no keyring: {put}")
        }
        other => format!("the backup needs root {needed}: {other}"),
    })?;
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
            "the root keys in {file} are not those that the backup was taken under: what is sealed in it does not open. \
             New ones do not help: put the keyring of that time to {file}",
            file = file.display()
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

fn tell_checked(
    file: &Path,
    manifest: &Manifest,
    keys_open: bool,
    json: bool,
) -> Result<(), Failure> {
    if json {
        return show::json(&json!({ "file": file, "manifest": manifest, "keys_open": keys_open }));
    }
    let proof = if keys_open {
        "what is sealed in it opens"
    } else {
        "an older release took it: whether what is sealed opens is seen when it is restored"
    };
    show::text(&format!(
        "{} is whole: {} rows as of {}, taken by release {}; root {} there\n{proof}\n",
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
    let keys = admin::signing_keys(&restored.registry);
    if json {
        return show::json(&json!({
            "manifest": manifest, "ended": ended, "replaced": restored.replaced, "signing_keys": keys
        }));
    }
    let aside = restored.replaced.as_ref().map_or(String::new(), |aside| {
        format!("The store that was there is in {}.\n", aside.display())
    });
    let at = manifest.taken_at().rfc3339();
    show::text(&format!(
        "restored: {} rows as of {at}\nended: {} auth requests, {} admin sessions, {} invitations\n{aside}\
         What was changed after {at} is undone: revoke again the clients and admins that were revoked since.\n\
         These signing keys are published again; drop once more what was dropped since (postern keys signing drop KID):\n\
         {published}",
        manifest.rows(),
        ended.auth_requests,
        ended.admin_sessions,
        ended.admin_invites,
        published = show::signing_keys(&keys),
    ))
}

impl From<BackupError> for Failure {
    fn from(error: BackupError) -> Self {
        Self::failed(with_sources(&error))
    }
}
