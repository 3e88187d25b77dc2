//! What a round needs beforehand: requests to resend, and codes to verify.

use std::{rc::Rc, time::Duration};

use anyhow::{Context, ensure};

use crate::{
    bodies::{self, Verb},
    door::Door,
    drive::{self, Until, Work},
    inbox::Inbox,
    server::Server,
    watch,
};

/// Mails on their way at once: fewer than the outbox keeps in memory, beyond which a mail waits
/// until its lease ends.
const IN_FLIGHT: u64 = 10_000;

/// A request that was sent.
struct Sent {
    address: String,
    auth_request_id: String,
}

/// Resends of `count` calls, as few to a request as its limit asks for.
pub(crate) async fn resends(server: &Server, door: Door, count: u64) -> anyhow::Result<Work> {
    /// Below the ten resends that a request allows.
    const EACH: u64 = 5;
    let sent = send(server, count.div_ceil(EACH)).await?;
    settled(server).await?;
    let count = usize::try_from(count)?;
    let bodies = sent.iter().cycle().take(count);
    let bodies = bodies.map(|sent| bodies::resend(door.encoding(), &sent.auth_request_id));
    Ok(Work::bodies(Verb::Resend, bodies.collect()))
}

/// Verifies of `count` requests, each by its code.
pub(crate) async fn verifies(server: &Server, door: Door, count: u64) -> anyhow::Result<Work> {
    let mut inbox = Inbox::open(server.address).await?;
    inbox.skip_to_end().await?;
    let mut stock = Vec::new();
    let mut missing = count;
    while missing > 0 {
        let sent = send(server, missing.min(IN_FLIGHT)).await?;
        missing -= missing.min(IN_FLIGHT);
        let mut codes = inbox.codes(sent.len()).await?;
        for sent in sent {
            let code = codes
                .remove(&sent.address)
                .context("a code of another run")?;
            let id = &sent.auth_request_id;
            stock.push(bodies::verify(door.encoding(), id, &code));
        }
    }
    settled(server).await?;
    Ok(Work::bodies(Verb::Verify, stock))
}

async fn send(server: &Server, count: u64) -> anyhow::Result<Vec<Sent>> {
    const CONNECTIONS: usize = 64;
    let door = Door::Rest;
    let run = watch::run_tag();
    let work = Rc::new(Work::sends(door.encoding(), &run).keeping());
    let round = drive::round(server, door, CONNECTIONS, &work, Until::Count(count)).await?;
    let errors = round.meter.errors();
    ensure!(
        errors.is_empty(),
        "sends beforehand were refused: {errors:?}"
    );
    let sent = work.kept().into_iter().map(|(number, answer)| {
        Ok(Sent {
            address: drive::address(&run, number),
            auth_request_id: bodies::auth_request_id(door.encoding(), &answer)?,
        })
    });
    sent.collect()
}

/// Waits until the server has nothing left to do for what went before.
pub(crate) async fn settled(server: &Server) -> anyhow::Result<()> {
    const LOOK_EVERY: Duration = Duration::from_millis(200);
    const AT_MOST: usize = 150;
    let idle = Duration::from_millis(10);
    let mut before = server.process.usage()?;
    for _ in 0..AT_MOST {
        tokio::time::sleep(LOOK_EVERY).await;
        let now = server.process.usage()?;
        if (now - before).cpu <= idle {
            break;
        }
        before = now;
    }
    Ok(())
}
