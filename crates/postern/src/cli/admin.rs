//! Commands on a store: from what was typed to an [`AdminCommand`], and its answer.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::Path;

use postern_core::keyring::RootSecret;
use postern_core::model::Language;
use postern_core::ports::random;
use zeroize::Zeroizing;

use super::args::{
    AddressCommand, AdminsCommand, ClientCommand, KeysCommand, RootCommand, SettingsCommand,
    SigningCommand, StoreArgs,
};
use super::exit::{Code, Failure};
use super::{show, store};
use crate::admin::AdminCommand;
use crate::mail::wording;
use crate::root_keys::{RootKeys, RootKeysError};
use crate::world::SystemEntropy;

/// `postern client …`
pub(super) fn client(command: ClientCommand, json: bool) -> Result<(), Failure> {
    let (store, command) = match command {
        ClientCommand::Create { name, store } => {
            (store, AdminCommand::ClientCreate { name, only: false })
        }
        ClientCommand::List { store } => (store, AdminCommand::ClientList),
        ClientCommand::Rotate { id, overlap, store } => (
            store,
            AdminCommand::ClientRotate {
                id,
                overlap_seconds: overlap.as_secs(),
                seen: None,
            },
        ),
        ClientCommand::Revoke { id, store } => (store, AdminCommand::ClientRevoke { id }),
    };
    carry(&store, &command, json)
}

/// `postern settings …`
pub(super) fn settings(command: SettingsCommand, json: bool) -> Result<(), Failure> {
    let (store, command) = match command {
        SettingsCommand::Get { keys, store } => (store, AdminCommand::SettingsGet { keys }),
        SettingsCommand::Export { store } => {
            (store, AdminCommand::SettingsGet { keys: Vec::new() })
        }
        SettingsCommand::Set { changes, store } => {
            let changes = pairs(changes.iter().map(String::as_str))?;
            (store, AdminCommand::SettingsSet { changes })
        }
        SettingsCommand::Import { file, store } => {
            let text = read(&file)?;
            let lines = text
                .lines()
                .map(str::trim)
                .filter(|line| !line.is_empty() && !line.starts_with('#'));
            (
                store,
                AdminCommand::SettingsImport {
                    values: pairs(lines)?,
                },
            )
        }
    };
    carry(&store, &command, json)?;
    if let AdminCommand::SettingsSet { changes: set } | AdminCommand::SettingsImport { values: set } =
        &command
        && let Some(warning) = unspoken(set)
    {
        eprintln!("postern: warning: {warning}");
    }
    Ok(())
}

/// What to say of a default language that the built-in wording does not speak. It may be meant: there
/// may be templates in it.
fn unspoken(set: &BTreeMap<String, String>) -> Option<String> {
    let language = Language::parse(set.get("default_language")?)?;
    let spoken = wording::languages();
    if language.best_of(spoken).is_some() {
        return None;
    }
    let spoken: Vec<_> = spoken.iter().map(ToString::to_string).collect();
    Some(format!(
        "there is no built-in wording in {language}: without a template in it, mails read in English. There is \
         wording in {}",
        spoken.join(", ")
    ))
}

/// `postern keys …`
pub(super) fn keys(command: KeysCommand, json: bool) -> Result<(), Failure> {
    let (store, command) = match command {
        KeysCommand::Signing(SigningCommand::Rotate { store }) => {
            (store, AdminCommand::SigningRotate)
        }
        KeysCommand::Signing(SigningCommand::Drop { kid, store }) => {
            (store, AdminCommand::SigningDrop { kid })
        }
        KeysCommand::Signing(SigningCommand::List { store }) => (store, AdminCommand::SigningList),
        KeysCommand::Root(RootCommand::Reseal { store }) => (store, AdminCommand::RootReseal),
        KeysCommand::Root(RootCommand::Retire { kid, store }) => {
            (store, AdminCommand::RootRetire { kid })
        }
        KeysCommand::Root(RootCommand::Add { store }) => {
            edit_roots(&store, true, json, |roots| roots.add(new_root()).map(drop))?;
            return if json { Ok(()) } else { kept_in(&store) };
        }
        KeysCommand::Root(RootCommand::Promote { kid, store }) => {
            return edit_roots(&store, false, json, |roots| roots.promote(kid));
        }
        KeysCommand::Root(RootCommand::List { store }) => {
            let file = store::find(&store)?.data.root_keys_file;
            return show::roots(&RootKeys::read(&file).map_err(Failure::failed)?, json);
        }
    };
    carry(&store, &command, json)
}

/// `postern admin …`
pub(super) fn admins(
    AdminsCommand::Invite { email, role, store }: AdminsCommand,
    json: bool,
) -> Result<(), Failure> {
    carry(&store, &AdminCommand::AdminInvite { email, role }, json)
}

/// `postern address …`
pub(super) fn address(
    AddressCommand::Forget { address, store }: AddressCommand,
    json: bool,
) -> Result<(), Failure> {
    carry(&store, &AdminCommand::AddressForget { address }, json)
}

pub(super) fn carry(store: &StoreArgs, command: &AdminCommand, json: bool) -> Result<(), Failure> {
    show::reply(&store::execute(store, command)?, json)
}

/// Changes the keyring file; a running server takes it up by itself. With `make`, a missing file
/// is made: its first root is current.
fn edit_roots(
    store: &StoreArgs,
    make: bool,
    json: bool,
    edit: impl FnOnce(&mut RootKeys) -> Result<(), RootKeysError>,
) -> Result<(), Failure> {
    let file = store::find(store)?.data.root_keys_file;
    let roots = RootKeys::edit(&file, make.then(new_root), edit).map_err(Failure::failed)?;
    show::roots(&roots, json)
}

/// Where the roots are, and that nothing else opens what they seal.
fn kept_in(store: &StoreArgs) -> Result<(), Failure> {
    let file = store::find(store)?.data.root_keys_file;
    show::text(&format!(
        "Kept in {}. Keep a copy outside this machine, and apart from backups of the store: what these keys seal opens \
         with nothing else.\n",
        file.display()
    ))
}

fn new_root() -> RootSecret {
    RootSecret::new(random(&SystemEntropy))
}

fn pairs<'a>(lines: impl Iterator<Item = &'a str>) -> Result<BTreeMap<String, String>, Failure> {
    lines
        .map(|line| match line.split_once('=') {
            Some((key, value)) => Ok((key.trim().to_owned(), value.trim().to_owned())),
            None => Err(Failure::new(
                Code::Usage,
                format!("{line:?} is not KEY=VALUE"),
            )),
        })
        .collect()
}

/// The text of a file, or of standard input for `-`.
pub(super) fn read(file: &Path) -> Result<Zeroizing<String>, Failure> {
    let mut text = Zeroizing::new(String::new());
    let read = if file == Path::new("-") {
        std::io::stdin().read_to_string(&mut text).map(drop)
    } else {
        std::fs::read_to_string(file).map(|content| *text = content)
    };
    read.map_err(|error| Failure::failed(format_args!("cannot read {}: {error}", file.display())))?;
    Ok(text)
}
