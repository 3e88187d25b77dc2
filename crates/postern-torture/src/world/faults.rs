//! How each fault is inflicted and mended.

use std::time::Duration;

use anyhow::{Context, Result};
use postern_testkit::smtp::{Act, Step};

use super::database::{Database, LATER, spoil};
use super::proxy::Wire;
use super::{Engine, World, lock};
use crate::history::Fault;
use crate::node::Node;
use crate::random::Random;

/// Connections that all nodes together get when there are hardly any.
const FEW: u32 = 2;

impl World {
    /// Every kind of fault that this world can suffer, on nodes that are drawn.
    pub(crate) fn faults(&self, long: bool, random: &mut Random) -> Vec<Fault> {
        let mut node = || random.index(self.nodes.len());
        let mut faults = vec![
            Fault::Kill(node()),
            Fault::Stop(node()),
            Fault::Terminate(node()),
            Fault::Mail,
            Fault::LostAnswers,
            Fault::Overload,
        ];
        match self.engine {
            Engine::Postgres => faults.extend([
                Fault::Database,
                Fault::Failover,
                Fault::Standby,
                Fault::Connections,
                Fault::Cut(node()),
                Fault::Silent(node()),
                Fault::Slow(node()),
            ]),
            Engine::Sqlite => faults.extend(self.disk.as_ref().map(|_| Fault::Disk)),
        }
        if self.steps_clocks() {
            faults.push(Fault::Clock);
        }
        if long {
            faults.push(Fault::DeadMail);
        }
        faults
    }

    /// Kinds of faults that this machine has no means for, and why.
    pub(crate) fn left_out(&self) -> Vec<&'static str> {
        let disk = self.engine == Engine::Sqlite && self.disk.is_none();
        let clock = !self.steps_clocks();
        [
            disk.then_some("no disk becomes full: no file system may be mounted here"),
            clock.then_some("no clock is stepped: there is no libfaketime here"),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    fn steps_clocks(&self) -> bool {
        self.node(0, |node| node.step_clock(0)).unwrap_or(false)
    }

    /// Breaks something, keeps it broken for so long, and mends it; done when that is done. Answers for
    /// how many milliseconds what had ended was on its way up again.
    pub(crate) async fn inflict(
        &self,
        fault: Fault,
        lasts: Duration,
        random: &mut Random,
    ) -> Result<u64> {
        match fault {
            Fault::Kill(number) => {
                self.node(number, |node| {
                    node.signal("KILL").and_then(|()| node.ended())
                })?;
                tokio::time::sleep(lasts).await;
                return self.start_again(number).await;
            }
            Fault::Terminate(number) => {
                self.node(number, |node| node.signal("TERM"))?;
                self.wait_for_end(number).await?;
                return self.start_again(number).await;
            }
            Fault::Database | Fault::Failover => {
                self.database(Database::crash)?;
                tokio::time::sleep(lasts).await;
                let start = self.at();
                self.database(match fault {
                    Fault::Database => Database::restart,
                    _ => Database::fail_over,
                })?;
                return Ok(self.at() - start);
            }
            other => self.trouble(other, lasts, random).await?,
        }
        Ok(0)
    }

    /// What ends no process for good.
    async fn trouble(&self, fault: Fault, lasts: Duration, random: &mut Random) -> Result<()> {
        match fault {
            Fault::Stop(number) => {
                self.node(number, |node| node.signal("STOP"))?;
                tokio::time::sleep(lasts).await;
                self.node(number, |node| node.signal("CONT"))
            }
            Fault::Cut(number) => self.wire(number, Wire::Cut, lasts).await,
            Fault::Silent(number) => self.wire(number, Wire::Silent, lasts).await,
            Fault::Slow(number) => self.wire(number, Wire::Slow(LATER), lasts).await,
            Fault::Disk => {
                let disk = self.disk.as_ref().context("there is a disk")?;
                disk.fill()?;
                tokio::time::sleep(lasts).await;
                disk.free()
            }
            Fault::Clock => self.step_clocks(random),
            Fault::Mail => self.mail(&[Step::Rcpt], &Act::reply(451), lasts).await,
            // Who has a connection from before gets no further, either.
            Fault::DeadMail => {
                let steps = [Step::Banner, Step::Reset, Step::Mail, Step::Rcpt];
                self.mail(&steps, &Act::Drop, lasts).await
            }
            Fault::LostAnswers => {
                self.mail(&[Step::EndOfData], &Act::AcceptAndDrop, lasts)
                    .await
            }
            Fault::Standby => {
                self.database(|database| database.stall_standby(true))?;
                tokio::time::sleep(lasts).await;
                self.database(|database| database.stall_standby(false))
            }
            Fault::Connections => {
                self.database(|database| database.limit_connections(Some(FEW)))?;
                tokio::time::sleep(lasts).await;
                self.database(|database| database.limit_connections(None))
            }
            // What overloads is in the hands of who calls; the rest is above.
            Fault::Overload
            | Fault::Kill(_)
            | Fault::Terminate(_)
            | Fault::Database
            | Fault::Failover => Ok(()),
        }
    }

    /// What an operator does when service is back: after a failover there has to be a standby again.
    pub(crate) fn clear_up(&self, after: Fault) -> Result<()> {
        match after {
            Fault::Failover => self.database(Database::rebuild_standby),
            _ => Ok(()),
        }
    }

    async fn start_again(&self, number: usize) -> Result<u64> {
        let start = self.at();
        self.node(number, Node::start)?;
        self.ready(number).await?;
        Ok(self.at() - start)
    }

    async fn wire(&self, number: usize, wire: Wire, lasts: Duration) -> Result<()> {
        spoil(&self.wires[number], wire);
        tokio::time::sleep(lasts).await;
        spoil(&self.wires[number], Wire::Whole);
        Ok(())
    }

    /// Some clocks right, the others two seconds ahead, or behind. Which of these, is drawn once in a
    /// run: what one clock says later must not differ by more from what another said before, either.
    fn step_clocks(&self, random: &mut Random) -> Result<()> {
        let drawn = if random.below(2) == 0 { 2 } else { -2 };
        let seconds = *self.skew.get_or_init(|| drawn);
        for number in 0..self.nodes.len() {
            let steps = random.below(2) == 0;
            let seconds = if steps { seconds } else { 0 };
            self.node(number, |node| node.step_clock(seconds))?;
        }
        Ok(())
    }

    async fn mail(&self, steps: &[Step], act: &Act, lasts: Duration) -> Result<()> {
        for step in steps {
            self.smtp.always(*step, act.clone());
        }
        tokio::time::sleep(lasts).await;
        self.smtp.heal();
        for (to, act) in lock(&self.refused).iter() {
            self.smtp.always_for(to, Step::Rcpt, act.clone());
        }
        Ok(())
    }

    fn database<T>(&self, work: impl FnOnce(&mut Database) -> Result<T>) -> Result<T> {
        let database = self.database.as_ref().context("there is a database")?;
        tokio::task::block_in_place(|| work(&mut lock(database)))
    }
}
