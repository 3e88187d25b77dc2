//! `postern store …`.

use std::sync::Arc;

use postern_store::copy::{self, Copied, CopyError, Place};
use postern_store::{Fence, Tally};
use serde_json::json;

use super::args::{CopyArgs, StoreCommand};
use super::exit::{Code, Failure};
use super::progress::Shown;
use super::show;
use crate::compose::{self, with_sources};
use crate::world::SystemClock;

/// Carries out one command on whole stores.
pub(super) fn run(command: StoreCommand, json: bool) -> Result<(), Failure> {
    let runtime = compose::small_runtime()?;
    match command {
        StoreCommand::Copy(args) => runtime.block_on(copy(&args, json)),
        StoreCommand::Lift { store } => runtime.block_on(lift(&store, json)),
        StoreCommand::EndOpen { store } => runtime.block_on(end_open(&store, json)),
    }
}

async fn copy(args: &CopyArgs, json: bool) -> Result<(), Failure> {
    let (from, to) = (Place::parse(&args.from), Place::parse(&args.to));
    let mut shown = Shown::new(json);
    let mut watch = |progress: postern_store::Progress<'_>| shown.show(progress);
    let copied = copy::copy(&from, &to, Arc::new(SystemClock), &mut watch).await;
    drop(shown);
    let Copied { tables, resumed } = copied?;
    let (from, to) = (from.shown(), to.shown());
    if json {
        return show::json(&json!({
            "from": from, "to": to, "resumed": resumed, "tables": tables
        }));
    }
    let line = |tally: &Tally| {
        format!(
            "{:>12}  {}  {}\n",
            tally.rows,
            &tally.digest[..16],
            tally.table
        )
    };
    let lines: String = tables.iter().map(line).collect();
    show::text(&format!(
        "        ROWS  DIGEST            TABLE\n{lines}copied and verified; {from} is fenced. Serve {to} now, under \
         the same root keys.\n"
    ))
}

async fn lift(store: &str, json: bool) -> Result<(), Failure> {
    let place = Place::parse(store);
    let lifted = copy::lift(&place, &SystemClock).await?;
    if json {
        let (other, ended) = lifted.map(|(fence, ended)| (fence.other, ended)).unzip();
        return show::json(
            &json!({ "lifted": other.is_some(), "copied_to": other, "ended": ended }),
        );
    }
    show::text(&match lifted {
        None => "there was no fence\n".to_owned(),
        Some((Fence { other, .. }, ended)) => format!(
            "{} is served again, without what was open in it, for that may have been used in the copy ({} auth \
             requests, {} admin sessions, {} invitations). What happens in it from now on is not in {other}: do not \
             serve that one too.\n",
            place.shown(),
            ended.auth_requests,
            ended.admin_sessions,
            ended.admin_invites
        ),
    })
}

async fn end_open(store: &str, json: bool) -> Result<(), Failure> {
    let ended = copy::end_open(&Place::parse(store), &SystemClock).await?;
    if json {
        return show::json(&json!({ "ended": ended }));
    }
    show::text(&format!(
        "ended: {} auth requests, {} admin sessions, {} invitations\n",
        ended.auth_requests, ended.admin_sessions, ended.admin_invites
    ))
}

impl From<CopyError> for Failure {
    fn from(error: CopyError) -> Self {
        let code = match &error {
            CopyError::DataDir(postern_store::DataDirError::InUse { .. }) => Code::InUse,
            _ => Code::Failed,
        };
        Self::new(code, with_sources(&error))
    }
}
