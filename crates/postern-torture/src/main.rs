//! `cargo xtask torture`: real processes under load, broken by a seeded schedule, and a checker that
//! reads what clients saw and what was mailed.

mod check;
mod history;
mod node;
mod people;
mod random;
mod world;

use std::collections::HashMap;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use clap::Parser;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::check::{Evidence, Promise};
use crate::history::{Act, Fault, History, Outcome};
use crate::people::{Application, LIFETIME, Person};
use crate::random::Random;
use crate::world::{Engine, World};

/// People that sign in at the same time.
const PEOPLE: usize = 8;
/// How long mails may take after the last fault: a dead node's leases end after 45 s.
const SETTLE: Duration = Duration::from_secs(55);

/// What to torture, and for how long.
#[derive(Parser)]
struct Arguments {
    /// The `postern` to run.
    #[arg(long)]
    binary: PathBuf,
    /// Which store.
    #[arg(long, default_value = "postgres")]
    engine: Engine,
    /// How long things are broken; the rest takes a minute more.
    #[arg(long, default_value_t = 1.0)]
    minutes: f64,
    /// What is broken, and when.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(&arguments).await {
        Ok(promises) => tell(&promises),
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: &Arguments) -> Result<Vec<Promise>> {
    let world = World::build(&arguments.binary, arguments.engine).await?;
    let history = Arc::new(History::default());
    let application = Arc::new(Application::new(&world, &history).await?);
    let (stop, stopped) = watch::channel(false);
    let mut running = JoinSet::new();
    let collecting = tokio::spawn(Arc::clone(&world).collect());
    for name in 0..PEOPLE {
        let person = Person {
            application: Arc::clone(&application),
            random: Random::new(arguments.seed ^ (name as u64 + 1).wrapping_mul(0x9e37)),
            name,
        };
        running.spawn(person.live(stopped.clone()));
    }
    break_things(&world, arguments).await?;
    let recovered = recovery(&world, &application).await;
    let _ = stop.send(true);
    while running.join_next().await.is_some() {}
    settle(&world, &history).await;
    let finals = ask_once_more(&application, &history).await;
    collecting.abort();
    let evidence = Evidence {
        calls: history.all(),
        mails: world.mails(),
        finals,
        faults: world.faults(),
        recovered,
        lifetime: LIFETIME * 1000,
        deaths: world.deaths(),
    };
    summary(arguments, &evidence);
    Ok(check::check(&evidence))
}

/// Breaks one thing after the other, as the seed says.
async fn break_things(world: &World, arguments: &Arguments) -> Result<()> {
    let mut random = Random::new(arguments.seed);
    let nodes = arguments.engine.nodes();
    let end = Duration::from_secs_f64(arguments.minutes * 60.0).as_millis();
    while u128::from(world.at()) < end {
        tokio::time::sleep(Duration::from_millis(1000 + random.below(2000))).await;
        let node = random.index(nodes);
        let fault = match (random.below(10), arguments.engine) {
            (0..3, _) => Fault::Kill(node),
            (3..5, _) => Fault::Stop(node),
            (5..7, _) => Fault::Terminate(node),
            (7..9, Engine::Postgres) => Fault::Database,
            _ => Fault::Mail,
        };
        let lasts = Duration::from_millis(200 + random.below(3000));
        eprintln!(
            "{:>7} ms  {fault:?} for {} ms",
            world.at(),
            lasts.as_millis()
        );
        world.inflict(fault, lasts).await?;
    }
    Ok(())
}

/// How long it takes until every node opens a request by both doors.
async fn recovery(world: &World, application: &Application) -> Option<u64> {
    let start = world.at();
    for attempt in 0..200 {
        let mut normal = true;
        for node in 0..world.urls.len() {
            for rest in [true, false] {
                let to = format!("after{attempt}.{node}.{rest}@example.com");
                let outcome = application.call(node, rest, Act::Send { to }).await;
                normal &= matches!(outcome, Outcome::Sent(_));
            }
        }
        if normal {
            return Some(world.at() - start);
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    None
}

/// Waits until every acknowledged send was mailed, at most as long as leases and repeats may take.
async fn settle(world: &World, history: &History) {
    let owed: Vec<String> = history.all().into_iter().filter_map(sent_to).collect();
    let all_there = async {
        while owed.iter().any(|to| world.mails_to(to).is_empty()) {
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    };
    let _ = tokio::time::timeout(SETTLE, all_there).await;
    // What a node died over is repeated by then.
    tokio::time::sleep(Duration::from_secs(1)).await;
}

fn sent_to(call: history::Call) -> Option<String> {
    match (call.act, call.outcome) {
        (Act::Send { to }, Outcome::Sent(_)) => Some(to),
        _ => None,
    }
}

/// What every acknowledged request says in the end to a code that none can have.
async fn ask_once_more(application: &Application, history: &History) -> HashMap<String, String> {
    let mut finals = HashMap::new();
    for call in history.all() {
        let (Act::Send { .. }, Outcome::Sent(request)) = (call.act, call.outcome) else {
            continue;
        };
        let act = Act::Verify {
            request: request.clone(),
            code: "1".to_owned(),
            right: false,
        };
        let outcome = application.call(0, true, act).await;
        let told = match outcome {
            Outcome::Refused(code) => code,
            other => format!("{other:?}"),
        };
        finals.insert(request, told);
    }
    finals
}

fn summary(arguments: &Arguments, evidence: &Evidence) {
    let mut outcomes: HashMap<String, usize> = HashMap::new();
    for call in &evidence.calls {
        let name = match &call.outcome {
            Outcome::Sent(_) => "sent",
            Outcome::Verified => "verified",
            Outcome::NotDone => "not done",
            Outcome::Unknown => "unknown",
            Outcome::Refused(code) => code,
        };
        *outcomes.entry(name.to_owned()).or_default() += 1;
    }
    let mut outcomes: Vec<_> = outcomes.into_iter().collect();
    outcomes.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let outcomes: Vec<_> = outcomes
        .into_iter()
        .map(|(name, count)| format!("{count} {name}"))
        .collect();
    let mut ids: Vec<_> = evidence.mails.iter().map(|mail| &mail.id).collect();
    ids.sort_unstable();
    ids.dedup();
    println!(
        "{:?}, seed {}: {} calls ({}), {} mails of which {} repeats, {} faults",
        arguments.engine,
        arguments.seed,
        evidence.calls.len(),
        outcomes.join(", "),
        evidence.mails.len(),
        evidence.mails.len() - ids.len(),
        evidence.faults.len(),
    );
}

fn tell(promises: &[Promise]) -> ExitCode {
    let mut kept = true;
    for promise in promises {
        let verdict = if promise.broken.is_empty() {
            "kept"
        } else {
            "BROKEN"
        };
        println!(
            "{verdict:>6}  {} ({} times put to the test)",
            promise.what, promise.tested
        );
        for finding in promise.broken.iter().take(10) {
            println!("        {finding}");
        }
        kept &= promise.broken.is_empty();
    }
    if kept {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
