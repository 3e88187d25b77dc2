//! Work that is more than one call: whole sign-ins, and sends up to the last mail.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use tokio::task::JoinSet;

use crate::{
    bodies::{self, Verb},
    door::{Door, Outcome},
    drive::{self, Until, Work},
    inbox::Inbox,
    meter::{Meter, Round},
    server::Server,
    stock, watch,
};

/// `count` sign-ins by `people` at once, each from the send to the accepted code. A latency is
/// that of a whole sign-in, the wait for its mail included.
pub(crate) async fn sign_ins(
    server: &Rc<Server>,
    door: Door,
    people: usize,
    count: u64,
) -> anyhow::Result<Round> {
    let run = Rc::new(watch::run_tag());
    let taken = Rc::new(Cell::new(0));
    let meter = Rc::new(RefCell::new(Meter::new()));
    let (began, before) = (watch::now(), server.usage()?);
    let mut signing_in = JoinSet::new();
    for _ in 0..people {
        let (server, run) = (Rc::clone(server), Rc::clone(&run));
        let (taken, meter) = (Rc::clone(&taken), Rc::clone(&meter));
        signing_in.spawn_local(async move {
            let mut person = Person::arrive(server, door).await?;
            while taken.get() < count {
                let address = drive::address(&run, taken.replace(taken.get() + 1));
                let asked = watch::now();
                let error = person.sign_in(address).await?.err();
                meter.borrow_mut().record(asked.elapsed(), error);
            }
            anyhow::Ok(())
        });
    }
    while let Some(done) = signing_in.join_next().await {
        done??;
    }
    let (took, used) = (began.elapsed(), server.usage()? - before);
    let meter = meter.replace(Meter::new());
    Ok(Round { meter, took, used })
}

struct Person {
    server: Rc<Server>,
    door: Door,
    connection: crate::door::Connection,
    inbox: Inbox,
}

impl Person {
    async fn arrive(server: Rc<Server>, door: Door) -> anyhow::Result<Self> {
        Ok(Self {
            connection: door.open(server.address).await?,
            inbox: Inbox::open(server.address).await?,
            server,
            door,
        })
    }

    async fn sign_in(&mut self, address: String) -> anyhow::Result<Outcome> {
        let encoding = self.door.encoding();
        let authorization = self.server.authorization_for(Verb::Send);
        let body = bodies::send(encoding, address.clone());
        let answer = self
            .connection
            .call(Verb::Send, &authorization, &body)
            .await?;
        let id = match answer {
            Ok(answer) => bodies::auth_request_id(encoding, &answer)?,
            Err(code) => return Ok(Err(code)),
        };
        let code = self.inbox.code_for(&address).await?;
        let verify = bodies::verify(encoding, &id, &code);
        self.connection
            .call(Verb::Verify, &authorization, &verify)
            .await
    }
}

/// `count` sends, and the time and CPU time until the last of their mails is in the inbox. The
/// latencies are those of the sends.
pub(crate) async fn outbox(
    server: &Server,
    door: Door,
    connections: usize,
    count: u64,
) -> anyhow::Result<Round> {
    let run = watch::run_tag();
    let work = Rc::new(Work::sends(door.encoding(), &run));
    let mut inbox = Inbox::open(server.address).await?;
    let (began, before) = (watch::now(), server.usage()?);
    let sends = drive::round(server, door, connections, &work, Until::Count(count)).await?;
    let last = drive::address(&run, count - 1);
    inbox.code_for(&last).await?;
    let took = began.elapsed();
    // Mails of other addresses may still be on their way; their CPU time belongs here.
    stock::settled(server).await?;
    Ok(Round {
        meter: sends.meter,
        took,
        used: server.usage()? - before,
    })
}
