//! Power cuts under SQLite: what the real process wrote and synced is recorded below it, and at many
//! moments the disks are made that a cut could have left there. A disk keeps what was synced; of the
//! rest it keeps any part, sector by sector. Every one must open, and hold what had been acknowledged.

mod disk;
mod trace;

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};
use postern_core::model::{AuthRequestId, State};
use postern_core::ports;
use tokio::sync::watch;

use crate::application::Application;
use crate::check::Promise;
use crate::history::{Act, Call, History, Outcome};
use crate::kept;
use crate::node::Programs;
use crate::random::Random;
use crate::run::{people, untagged};
use crate::world::{Engine, World};
use disk::{Disk, Keeps};
use trace::{Deed, Step};

/// How long people use what is recorded.
const LOAD: Duration = Duration::from_secs(3);
/// Moments at which the power is cut.
const CUTS: usize = 20;

/// A recorded run: the store before it, what was done to its files, and what clients were told when.
struct Recording {
    before: Vec<u8>,
    database: String,
    deeds: Vec<Deed>,
    /// What was acknowledged, and by what moment (microseconds since 1970).
    told: Vec<(u64, Call)>,
}

/// Records the real server, and looks whether a power cut loses anything; then the same server on a
/// store that does not wait for the disk, which must be found out.
pub(crate) async fn cuts(postern: &Path, torturer: &Path, seed: u64) -> Result<Vec<Promise>> {
    let real = [postern.display().to_string(), "serve".into()];
    let hasty = [
        torturer.display().to_string(),
        "serve".into(),
        "--hasty".into(),
    ];
    let (tested, broken) = search(postern, &real, seed).await?;
    let kept = Promise {
        what: "what was acknowledged survives a power cut",
        tested,
        broken,
        note: String::new(),
    };
    let (tested, lost) = search(postern, &hasty, seed).await?;
    let caught = Promise {
        what: "the same search finds what synchronous=OFF loses",
        tested,
        broken: lost
            .is_empty()
            .then(|| "it found nothing".to_owned())
            .into_iter()
            .collect(),
        note: format!("{} losses found", lost.len()),
    };
    Ok(vec![kept, caught])
}

/// How often something acknowledged was looked for on a disk, and what was not there.
async fn search(postern: &Path, serve: &[String], seed: u64) -> Result<(usize, Vec<String>)> {
    let recording = record(postern, serve, seed).await?;
    let mut random = Random::new(seed);
    let (mut tested, mut broken) = (0, Vec::new());
    for cut in moments(&recording, &mut random) {
        let at = recording.deeds[cut].start;
        let mut disk = Disk::with(&recording.database, &recording.before);
        for deed in &recording.deeds[..cut] {
            disk.take(deed, cut);
        }
        let told = recording.told.iter().filter(|(known, _)| *known < at);
        let told: Vec<_> = told.map(|(_, call)| call).collect();
        for keeps in [Keeps::Synced, Keeps::Some, Keeps::Some] {
            let folder = tempfile::Builder::new()
                .prefix("postern-power-")
                .tempdir()?;
            disk.leave(folder.path(), keeps, &mut random)?;
            let lost = missing(&folder.path().join("postern.db"), &told).await;
            tested += told.len();
            broken.extend(
                lost.into_iter()
                    .map(|what| format!("cut {cut}, {keeps:?}: {what}")),
            );
        }
    }
    Ok((tested, broken))
}

/// Moments to cut the power at: before some of the deeds, drawn from all after the first answer.
fn moments(recording: &Recording, random: &mut Random) -> Vec<usize> {
    let first = recording
        .told
        .iter()
        .map(|(known, _)| *known)
        .min()
        .unwrap_or(0);
    let from = recording.deeds.partition_point(|deed| deed.start < first);
    let count = recording.deeds.len() - from;
    (0..CUTS.min(count))
        .map(|_| from + random.index(count))
        .collect()
}

async fn record(postern: &Path, serve: &[String], seed: u64) -> Result<Recording> {
    let folder = tempfile::Builder::new()
        .prefix("postern-trace-")
        .tempdir()?;
    let file = folder.path().join("trace");
    let programs = Programs {
        postern: postern.to_owned(),
        serve: trace::around(&file, serve),
    };
    let world = World::build(&programs, Engine::Sqlite, false).await?;
    let began = micros_now().saturating_sub(world.at() * 1000);
    let history = Arc::new(History::default());
    let application = Arc::new(Application::new(&world, &history).await?);
    let (stop, stopped) = watch::channel(false);
    let collecting = tokio::spawn(Arc::clone(&world).collect());
    let mut living = people(&application, seed, 0, &stopped);
    tokio::time::sleep(LOAD).await;
    let _ = stop.send(true);
    while living.join_next().await.is_some() {}
    let url = world.stop().await?;
    collecting.abort();
    let database = url.trim_start_matches("sqlite:").to_owned();
    let deeds = trace::read(&whole(&file).await?, &database);
    if !deeds
        .iter()
        .any(|deed| matches!(deed.step, Step::Write { .. }))
    {
        bail!("strace recorded nothing of {database}");
    }
    // An answer was known at the end of its millisecond at the latest.
    let known = |call: &Call| began + (call.end + 1) * 1000;
    Ok(Recording {
        before: world.before().context("the store before the first start")?,
        database,
        deeds,
        told: history
            .all()
            .into_iter()
            .map(|call| (known(&call), untagged(call)))
            .collect(),
    })
}

/// The trace, once strace has written all of it.
async fn whole(file: &Path) -> Result<String> {
    for _ in 0..200 {
        let text = fs::read_to_string(file)?;
        if trace::is_whole(&text) {
            return Ok(text);
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    bail!("strace does not end")
}

/// What of this is not in the store at `file`.
async fn missing(file: &Path, told: &[&Call]) -> Vec<String> {
    let engine = match kept::open(&format!("sqlite:{}", file.display())).await {
        Ok(engine) => engine,
        Err(error) => return vec![format!("{error:#}")],
    };
    let mut missing = Vec::new();
    let mut wrong: BTreeMap<&str, HashSet<&str>> = BTreeMap::new();
    for call in told {
        let (request, used) = match (&call.act, &call.outcome) {
            (Act::Verify { request, code, .. }, Outcome::Refused(why)) if why == "INVALID_CODE" => {
                wrong.entry(request).or_default().insert(code);
                continue;
            }
            (Act::Send { .. } | Act::Resend { .. }, Outcome::Sent(request)) => (request, false),
            (Act::Verify { request, .. }, Outcome::Verified) => (request, true),
            _ => continue,
        };
        match find(engine.as_ref(), request).await {
            None => missing.push(format!("{request} is lost")),
            Some((state, _)) if used && !matches!(state, State::Used(_)) => {
                missing.push(format!("{request} was used and is {state:?}"));
            }
            Some(_) => {}
        }
    }
    for (request, codes) in wrong {
        let found = find(engine.as_ref(), request).await;
        // Codes of ours are not even tried on a hardened request.
        if let Some((_, Some(counted))) = found.filter(|(_, counted)| *counted < Some(codes.len()))
        {
            missing.push(format!(
                "{request} counted {} codes and has {counted}",
                codes.len()
            ));
        }
    }
    engine.close().await;
    missing
}

/// A request's state, and how many wrong codes it counts unless it is hardened.
async fn find(engine: &dyn ports::Engine, request: &str) -> Option<(State, Option<usize>)> {
    let id = AuthRequestId::parse(request)?;
    let found = engine.find_auth_request(id).await.ok()??;
    let counted = (!found.hardened).then(|| found.wrong.count().into());
    Some((found.state, counted))
}

#[expect(
    clippy::disallowed_methods,
    reason = "compared with what strace wrote down, by the same clock"
)]
fn micros_now() -> u64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
}
