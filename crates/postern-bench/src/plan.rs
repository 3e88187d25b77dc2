//! Which servers are started, what they are asked, in which order.

use std::{rc::Rc, time::Duration};

use anyhow::ensure;

use crate::{
    args::{Command, Engine, RunArgs},
    bodies::Verb,
    cold_start,
    database::Database,
    door::Door,
    drive::{self, Until, Work},
    echo::Echo,
    floor::{self, Bare},
    flow,
    meter::Round,
    prefill,
    report::{Figures, Memory, Report},
    server::Server,
    spawn::Home,
    stock,
};

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Send,
    Resend,
    Verify,
    Flow,
    Token,
    Outbox,
}

/// Kinds that one server is asked in turn.
struct Sitting {
    kinds: &'static [Kind],
    /// So that a send's own cost is seen, without the mail's.
    outbox_paused: bool,
    prefill: u64,
}

const MAILS_NEEDED: &[Kind] = &[
    Kind::Verify,
    Kind::Resend,
    Kind::Token,
    Kind::Outbox,
    Kind::Flow,
];

/// Of them those that cost something else on another engine.
const ON_THE_ENGINE: &[Kind] = &[Kind::Verify, Kind::Resend];

/// Carries out one command.
pub(crate) async fn run(command: Command) -> anyhow::Result<()> {
    let (args, sittings) = match command {
        Command::Send(args) => one(args, &[Kind::Send]),
        Command::Resend(args) => one(args, &[Kind::Resend]),
        Command::Verify(args) => one(args, &[Kind::Verify]),
        Command::Flow(args) => one(args, &[Kind::Flow]),
        Command::Token(args) => one(args, &[Kind::Token]),
        Command::Outbox(args) => one(args.run, &[Kind::Outbox]),
        Command::All(args) => all(args),
        Command::Overload(_)
        | Command::Idle(_)
        | Command::ColdStart(_)
        | Command::Dashboard(_)
        | Command::Scale(_)
        | Command::EchoServer { .. }
        | Command::PooledServer { .. }
        | Command::CommitFloor { .. }
        | Command::SmtpFloor { .. } => {
            unreachable!("main carries these out")
        }
    };
    let mut report = Report::new(args.engine, args.connections, args.rounds);
    for sitting in &sittings {
        hold(sitting, &args, &mut report).await?;
    }
    let whole = sittings.len() > 1 && args.engine == Engine::Sqlite;
    if let (Some(program), true) = (&args.target.spawn, whole) {
        report.start = Some(cold_start::measure(program, args.rounds).await?);
    }
    report.print(args.json)
}

fn one(args: RunArgs, kinds: &'static [Kind]) -> (RunArgs, Vec<Sitting>) {
    let sitting = Sitting {
        kinds,
        outbox_paused: kinds == [Kind::Send],
        prefill: args.prefill,
    };
    (args, vec![sitting])
}

fn all(mut args: RunArgs) -> (RunArgs, Vec<Sitting>) {
    args.door = vec![Door::Rest, Door::Grpc];
    let sitting = |kinds, outbox_paused, prefill| Sitting {
        kinds,
        outbox_paused,
        prefill,
    };
    let mailed = match args.engine {
        Engine::Sqlite => MAILS_NEEDED,
        Engine::Postgres => ON_THE_ENGINE,
    };
    let mut sittings = vec![sitting(&[Kind::Send], true, 0), sitting(mailed, false, 0)];
    if args.prefill > 0 {
        sittings.push(sitting(&[Kind::Send], true, args.prefill));
        sittings.push(sitting(&[Kind::Verify], false, args.prefill));
    }
    (args, sittings)
}

async fn hold(sitting: &Sitting, args: &RunArgs, report: &mut Report) -> anyhow::Result<()> {
    let database = Database::of(args.engine)?;
    let server = Rc::new(server(sitting, args, database.as_ref()).await?);
    let (idle, mut loaded) = (server.process.resident()?, 0);
    if sitting.kinds.iter().any(|kind| kind.needs_mails()) {
        server.check().await?;
    }
    let floors = Floors::start(args, database.as_ref()).await?;
    for &kind in sitting.kinds {
        for &door in &args.door {
            if kind == Kind::Token && door == Door::Grpc {
                continue;
            }
            let mut figures = Figures::new(kind, door, sitting.prefill);
            for _ in 0..args.rounds {
                turn(&server, &floors, args, &mut figures).await?;
                loaded = loaded.max(server.process.peak_resident()?);
            }
            report.rows.push(figures.row());
        }
    }
    report.memory.push(Memory {
        prefill: sitting.prefill,
        outbox_paused: sitting.outbox_paused,
        idle,
        loaded,
    });
    Ok(())
}

/// What stands beside the server.
#[derive(Default)]
struct Floors {
    echo: Option<Echo>,
    pooled: Option<Echo>,
}

impl Floors {
    async fn start(args: &RunArgs, database: Option<&Database>) -> anyhow::Result<Self> {
        if !args.floor {
            return Ok(Self::default());
        }
        let echo = Some(Echo::start(args.echo_workers).await?);
        let pooled = match database {
            None => None,
            Some(database) => {
                let (url, process) = (database.another(), database.process()?);
                Some(Echo::pooled(args.echo_workers, &url, process).await?)
            }
        };
        Ok(Self { echo, pooled })
    }
}

async fn server(
    sitting: &Sitting,
    args: &RunArgs,
    database: Option<&Database>,
) -> anyhow::Result<Server> {
    let Some(program) = &args.target.spawn else {
        return Server::attach(&args.target).await;
    };
    let mut home = Home::new(program)?;
    if let Some(database) = database {
        home = home.with("POSTERN_DATA_DATABASE_URL", database.url());
    }
    if sitting.prefill > 0 {
        home.start(true).await?.stop().await?;
        let url = database.map(Database::url);
        prefill::fill(&home.data(), url, sitting.prefill, Duration::ZERO).await?;
        database.map_or(Ok(()), Database::settle)?;
    }
    let spawned = home.start(sitting.outbox_paused).await?;
    spawned.raise_quotas().await?;
    let mut server = Server::of(spawned).await?;
    if let Some(database) = database {
        server = server.on(database.process()?);
    }
    if sitting.prefill > 0 {
        // At its start the sweeper looks at every request once.
        stock::settled(&server).await?;
    }
    Ok(server)
}

/// The floors and then the server, so that both meet the machine in the same mood.
async fn turn(
    server: &Rc<Server>,
    floors: &Floors,
    args: &RunArgs,
    figures: &mut Figures,
) -> anyhow::Result<()> {
    let (kind, door) = (figures.kind, figures.door);
    if let Some(echo) = &floors.echo {
        if let Some(verb) = kind.verb().filter(|verb| *verb != Verb::Token) {
            let work = Rc::new(echo_work(verb, door));
            let until = Until::Elapsed(args.span());
            let round = drive::round(&echo.server, door, args.connections, &work, until).await?;
            figures.echoes.push(round);
        }
        if let Some(bare) = bare(kind, args).await? {
            figures.bare.push(bare);
        }
    }
    if let (Some(pooled), Some(verb)) = (&floors.pooled, kind.pooled(door)) {
        let work = Rc::new(echo_work(verb, door));
        let until = Until::Elapsed(args.span());
        let round = drive::round(&pooled.server, door, args.connections, &work, until).await?;
        ensure!(
            round.meter.errors().is_empty(),
            "the pool refused calls: {:?}",
            round.meter.errors()
        );
        figures.pooled.push(round);
    }
    figures.rounds.push(ours(server, args, kind, door).await?);
    Ok(())
}

async fn bare(kind: Kind, args: &RunArgs) -> anyhow::Result<Option<Bare>> {
    const SPAN: Duration = Duration::from_secs(2);
    Ok(match kind {
        Kind::Token => Some(floor::sign::measure(SPAN)?),
        Kind::Send if args.engine == Engine::Sqlite => {
            Some(floor::commit::measure(args.connections, SPAN).await?)
        }
        Kind::Send | Kind::Resend | Kind::Verify | Kind::Flow | Kind::Outbox => None,
    })
}

async fn ours(
    server: &Rc<Server>,
    args: &RunArgs,
    kind: Kind,
    door: Door,
) -> anyhow::Result<Round> {
    /// A sign-in is some calls and a wait.
    const SIGN_INS_OF_STOCK: u64 = 4;
    let timed = args.until();
    let counted = Until::Count(args.stock());
    let (work, until) = match kind {
        Kind::Send => {
            let run = crate::watch::run_tag();
            (Work::sends(door.encoding(), &run), timed)
        }
        Kind::Token => (Work::same(Verb::Token, server.token_form()?), timed),
        Kind::Resend => (stock::resends(server, door, args.stock()).await?, counted),
        Kind::Verify => (stock::verifies(server, door, args.stock()).await?, counted),
        Kind::Flow => {
            let count = args.stock() / SIGN_INS_OF_STOCK;
            return flow::sign_ins(server, door, args.connections, count).await;
        }
        Kind::Outbox => return flow::outbox(server, door, args.connections, args.stock()).await,
    };
    if matches!(until, Until::Count(_)) {
        // Making the stock is no load that anybody asks about, and mails are the most of it.
        server.process.rested().await?;
    }
    server.process.forget_peak()?;
    drive::round(server, door, args.connections, &Rc::new(work), until).await
}

/// The same body again and again, as long as a real one.
fn echo_work(verb: Verb, door: Door) -> Work {
    use crate::bodies;
    const ID: &str = "AQGY1f0ZGXz2q0c5u3mXo1hCkq9d0u2t7m4c8b1z6Y0v";
    let encoding = door.encoding();
    let body = match verb {
        Verb::Send => bodies::send(encoding, drive::address("19a3f0c1d2e4f", 12_345)),
        Verb::Resend => bodies::resend(encoding, ID),
        Verb::Verify | Verb::Token => bodies::verify(encoding, ID, "123456"),
    };
    Work::same(verb, body)
}

impl Kind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Send => "send",
            Self::Resend => "resend",
            Self::Verify => "verify",
            Self::Flow => "flow",
            Self::Token => "token",
            Self::Outbox => "outbox",
        }
    }

    /// Whether its outbox must run. Others are told by their errors alone whether they work.
    fn needs_mails(self) -> bool {
        !matches!(self, Self::Send | Self::Token)
    }

    /// What of it the pool answers too, through that door.
    fn pooled(self, door: Door) -> Option<Verb> {
        let verb = self.verb()?;
        (door == Door::Rest && matches!(verb, Verb::Send | Verb::Verify)).then_some(verb)
    }

    /// The one call that it is, if it is one.
    fn verb(self) -> Option<Verb> {
        match self {
            Self::Send => Some(Verb::Send),
            Self::Resend => Some(Verb::Resend),
            Self::Verify => Some(Verb::Verify),
            Self::Token => Some(Verb::Token),
            Self::Flow | Self::Outbox => None,
        }
    }
}
