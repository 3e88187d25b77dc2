//! The way of mails to an SMTP server: how many a second, and how soon, beside what the bare SMTP
//! crate and one durable commit take on the same machine at the same time.

pub(crate) mod bare;
mod report;
mod sink;

use std::rc::Rc;
use std::time::Duration;

use anyhow::{Context, ensure};

use crate::args::RunArgs;
use crate::bodies::{self, Verb};
use crate::door::Door;
use crate::drive::{self, Until, Work};
use crate::floor::{self, Bare};
use crate::meter::{Meter, count};
use crate::server::Server;
use crate::spawn::Home;
use crate::watch;
use report::{Idle, Report, Speed};
use sink::Sink;

/// The numbers of connections that are measured.
const CONNECTIONS: [usize; 2] = [1, 8];
/// Mails of a round.
const MAILS: u64 = 5_000;
/// Mails of a round on an idle server, one after the other.
const ALONE: u64 = 200;
/// Mails that are not measured at the start of such a round.
const FIRST: u64 = 10;
/// How long the bare crate and the bare commit are measured in a round.
const SPAN: Duration = Duration::from_secs(2);
/// How long a mail may take.
const PATIENCE: Duration = Duration::from_mins(1);

/// Carries the command out.
pub(crate) async fn run(args: RunArgs) -> anyhow::Result<()> {
    let program = args.target.spawn.clone().context("--smtp needs --spawn")?;
    let home = Home::new(&program)?;
    home.start(true).await?.stop().await?;
    let bytes = message_size(&home).await?;
    let mails = args.count.unwrap_or(MAILS);
    let mut report = Report::new(args.rounds, mails, bytes);
    let mut speeds = CONNECTIONS.map(Speed::new);
    let mut idle = Idle::default();
    for _ in 0..args.rounds {
        for speed in &mut speeds {
            let sink = Sink::start(true).await?;
            if args.floor {
                let bare = bare::measure(sink.port(), speed.connections, SPAN, bytes).await?;
                speed.bare.push(bare);
            }
            speed
                .ours
                .push(drain(&home, &sink, speed.connections, mails).await?);
        }
        if args.floor {
            idle.commits.push(floor::commit::measure(1, SPAN).await?);
        }
        idle.rounds.push(alone(&home).await?);
    }
    report.take(&speeds, &idle);
    report.print(args.json)
}

/// Adds the sink as the only provider.
async fn point(home: &Home, sink: &Sink, connections: usize) -> anyhow::Result<()> {
    let (port, connections) = (sink.port().to_string(), connections.to_string());
    home.command(&[
        "mail",
        "provider",
        "add",
        "sink",
        "--host",
        "127.0.0.1",
        "--port",
        &port,
        "--tls",
        "none",
        "--from",
        "Bench <login@bench.example>",
        "--connections",
        &connections,
    ])
    .await
}

async fn serve(home: &Home, concurrency: usize) -> anyhow::Result<Rc<Server>> {
    let concurrency = concurrency.to_string();
    let variables = [
        ("POSTERN_OUTBOX_TRANSPORT", "smtp"),
        ("POSTERN_OUTBOX_CONCURRENCY", concurrency.as_str()),
    ];
    let spawned = home.start_with(&variables).await?;
    Ok(Rc::new(Server::of(spawned).await?))
}

async fn stop(server: Rc<Server>) -> anyhow::Result<()> {
    let server = Rc::into_inner(server).context("the server is still driven")?;
    server.spawned.context("we started it")?.stop().await
}

/// How long a mail is that the server makes.
async fn message_size(home: &Home) -> anyhow::Result<usize> {
    let sink = Sink::start(false).await?;
    point(home, &sink, 1).await?;
    let server = serve(home, 1).await?;
    let work = Rc::new(Work::sends(Door::Rest.encoding(), &watch::run_tag()));
    drive::round(&server, Door::Rest, 1, &work, Until::Count(1)).await?;
    sink.reaches(1, PATIENCE).await?;
    let size = sink.last_size();
    stop(server).await?;
    size.context("the sink keeps what it gets")
}

/// Queues mails, and measures how fast the outbox hands them over: all of its work, from the claim
/// of a delivery to its settlement. The first and the last tenth are left out.
async fn drain(home: &Home, sink: &Sink, connections: usize, mails: u64) -> anyhow::Result<Bare> {
    point(home, sink, connections).await?;
    let server = serve(home, 0).await?;
    let work = Rc::new(Work::sends(Door::Rest.encoding(), &watch::run_tag()));
    let sent = drive::round(&server, Door::Rest, 32, &work, Until::Count(mails)).await?;
    ensure!(
        sent.meter.errors().is_empty(),
        "sends failed: {:?}",
        sent.meter.errors()
    );
    stop(server).await?;
    let before = sink.count();
    let server = serve(home, connections).await?;
    let edge = mails / 10;
    sink.passes(before + edge, PATIENCE).await?;
    let (began, used) = (watch::now(), server.process.usage()?);
    let first = sink.count();
    sink.passes(before + mails - edge, PATIENCE * 4).await?;
    let (took, used) = (began.elapsed(), server.process.usage()? - used);
    let handed_over = count(sink.count() - first);
    sink.passes(before + mails, PATIENCE).await?;
    stop(server).await?;
    Ok(Bare {
        per_second: handed_over / took.as_secs_f64(),
        cpu_us: used.cpu.as_secs_f64() * 1e6 / handed_over,
    })
}

/// One mail after the other through an idle server: from the call to the accepted message.
async fn alone(home: &Home) -> anyhow::Result<Meter> {
    let sink = Sink::start(true).await?;
    point(home, &sink, 8).await?;
    let server = serve(home, 8).await?;
    let (run, encoding) = (watch::run_tag(), Door::Rest.encoding());
    let mut connection = Door::Rest.open(server.address).await?;
    let authorization = server.authorization_for(Verb::Send);
    let mut meter = Meter::new();
    for number in 0..FIRST + ALONE {
        let body = bodies::send(encoding, drive::address(&run, number));
        let asked = watch::now();
        let answer = connection.call(Verb::Send, &authorization, &body).await?;
        ensure!(answer.is_ok(), "a send was refused: {answer:?}");
        sink.reaches(number + 1, PATIENCE).await?;
        if number >= FIRST {
            meter.record(asked.elapsed(), None);
        }
    }
    drop(connection);
    stop(server).await?;
    Ok(meter)
}
