//! One run: people, faults, the end, and what the checker is given to read.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use postern_core::model::AuthRequestId;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::application::Application;
use crate::check::Evidence;
use crate::history::{Act, Call, History, Outcome};
use crate::kept;
use crate::node::Programs;
use crate::people::Person;
use crate::random::Random;
use crate::schedule::Schedule;
use crate::world::{BUDGET, DRAIN, Engine, World};

/// People that sign in at the same time; one more guesses, and one more comes late.
const PEOPLE: usize = 8;
/// How long mails may take after the last fault: a dead node's leases end after 45 s, and what no
/// server takes is given up when its credential ends, after 60 s.
const SETTLE: Duration = Duration::from_secs(75);
const SETTLE_IN_PEACE: Duration = Duration::from_secs(5);

/// What is run, and for how long.
pub(crate) struct Plan {
    pub(crate) programs: Programs,
    pub(crate) engine: Engine,
    pub(crate) minutes: f64,
    pub(crate) seed: u64,
    /// Whether file systems may be mounted.
    pub(crate) mounts: bool,
    /// Whether anything is broken at all.
    pub(crate) faults: bool,
    /// Whether even a short run waits for the end of what lives a minute.
    pub(crate) expiry: bool,
}

impl Plan {
    /// What becomes of a request that lives for a minute is waited for: a short run has such ones only
    /// in its beginning, where leases are waited for anyway, or none.
    fn short_until(&self) -> u64 {
        match self.engine {
            _ if self.expiry => u64::MAX,
            _ if !self.faults => 0,
            _ if self.minutes >= 1.0 => u64::MAX,
            Engine::Postgres => 12_000,
            Engine::Sqlite => 0,
        }
    }
}

/// Runs it and gathers the evidence.
pub(crate) async fn run(plan: &Plan) -> Result<Evidence> {
    let world = World::build(&plan.programs, plan.engine, plan.mounts).await?;
    let history = Arc::new(History::default());
    let application = Arc::new(Application::new(&world, &history).await?);
    let (stop, stopped) = watch::channel(false);
    let collecting = tokio::spawn(Arc::clone(&world).collect());
    let mut living = people(&application, plan.seed, plan.short_until(), &stopped);
    let late = person(&application, plan.seed, PEOPLE + 1, plan.short_until());
    let late = tokio::spawn(late.come_late(stopped));
    let schedule = Schedule {
        application: Arc::clone(&application),
        random: Random::new(plan.seed),
        held_back_until: 0,
    };
    let troubles = if plan.faults {
        for fault in world.left_out() {
            eprintln!("left out: {fault}");
        }
        schedule.run(plan.minutes).await?
    } else {
        tokio::time::sleep(Duration::from_secs_f64(plan.minutes * 60.0)).await;
        Vec::new()
    };
    let _ = stop.send(true);
    while living.join_next().await.is_some() {}
    let settling = if plan.faults { SETTLE } else { SETTLE_IN_PEACE };
    settle(&world, settling).await;
    late.await?;
    let finals = ask_once_more(&application, &history).await;
    let url = world.stop().await?;
    collecting.abort();
    Ok(Evidence {
        calls: history.all().into_iter().map(untagged).collect(),
        mails: world.mails(),
        finals,
        kept: kept::read(&url).await?,
        bounced: world.bounced().into_iter().collect(),
        troubles,
        budget: BUDGET,
        drain: u64::try_from(DRAIN.as_millis()).unwrap_or(u64::MAX),
        deaths: world.deaths(),
    })
}

/// People and a burglar, until stopped; until another moment some of them open requests that live a
/// minute and whose mail is taken by no server.
pub(crate) fn people(
    application: &Arc<Application>,
    seed: u64,
    short_until: u64,
    stopped: &watch::Receiver<bool>,
) -> JoinSet<()> {
    let mut living = JoinSet::new();
    for name in 0..=PEOPLE {
        let person = person(application, seed, name, short_until);
        if name < PEOPLE {
            living.spawn(person.live(stopped.clone()));
        } else {
            living.spawn(person.burgle(stopped.clone()));
        }
    }
    living
}

fn person(application: &Arc<Application>, seed: u64, name: usize, short_until: u64) -> Person {
    Person {
        application: Arc::clone(application),
        random: Random::new(seed ^ (name as u64 + 1).wrapping_mul(0x9e37)),
        name,
        short_until,
    }
}

/// Waits until no mail waits any more, at most as long as leases and repeats may take.
async fn settle(world: &World, most: Duration) {
    let all_gone = async {
        while world.waiting_mails().await != Some(0) {
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    };
    let _ = tokio::time::timeout(most, all_gone).await;
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
        finals.insert(bare(&request), told);
    }
    finals
}

/// A call, with its requests named as the store names them.
pub(crate) fn untagged(mut call: Call) -> Call {
    if let Act::Resend { request, .. } | Act::Verify { request, .. } = &mut call.act {
        *request = bare(request);
    }
    if let Outcome::Sent(request) = &mut call.outcome {
        *request = bare(request);
    }
    call
}

/// The id within an `auth_request_id`: it stands between the number of a root and a tag.
fn bare(request: &str) -> String {
    let bytes = URL_SAFE_NO_PAD.decode(request).unwrap_or_default();
    let id = bytes
        .get(1..17)
        .and_then(|id| <[u8; 16]>::try_from(id).ok());
    id.map_or_else(
        || format!("{request:?} is no auth_request_id"),
        |id| AuthRequestId::from_bytes(id).to_string(),
    )
}
