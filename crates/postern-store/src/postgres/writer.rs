use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use postern_core::ports::StoreError;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::act::{Act, Answer, Ask};
use super::batch::{self, Bench, Outcome};
use super::failure::{Failure, Remedy};
use super::session::Session;
use super::target::Target;
use crate::connect::Tuning;
use crate::pace::{Gate, Pace, Spent, Watch, Whose};
use crate::patience::{Patience, answered, answered_in_time};

/// How often a batch is tried as a whole before its acts run one by one.
const TOGETHER: u32 = 3;
/// How often an act by itself is tried against others that change the same rows.
const ALONE: u32 = 8;
/// How long a writer lets another one finish before it works beside it.
const TURN: Duration = Duration::from_millis(25);

/// The way to the writers: a bounded line that some tasks empty, each with a connection of its own.
pub(super) struct Writers {
    line: Mutex<Option<mpsc::Sender<Act>>>,
    bound: usize,
    patience: Patience,
    flow: Arc<Flow>,
    tasks: Mutex<Vec<JoinHandle<()>>>,
}

impl Writers {
    /// Starts as many writers, behind a line of as many acts, as `tuning` says.
    pub(super) fn start(target: &Arc<Target>, bench: &Arc<Bench>, tuning: &Tuning) -> Self {
        let (bound, postgres) = (tuning.queue, tuning.postgres);
        let (count, group) = (postgres.writers, postgres.group.max(1));
        let (line, acts) = mpsc::channel(bound.max(1));
        let acts = Arc::new(tokio::sync::Mutex::new(acts));
        let flow = Arc::new(Flow {
            gate: Gate::new(bound.max(1)),
            pace: Mutex::new(Pace::new(count, group)),
            turns: Arc::default(),
        });
        let writer = |_| {
            let writer = Writer {
                target: Arc::clone(target),
                bench: Arc::clone(bench),
                session: None,
                flow: Arc::clone(&flow),
                turn: Turn::default(),
                group,
                committing: Duration::ZERO,
            };
            tokio::spawn(writer.run(Arc::clone(&acts)))
        };
        Self {
            line: Mutex::new(Some(line)),
            bound: bound.max(1),
            patience: tuning.patience,
            tasks: Mutex::new((0..count.max(1)).map(writer).collect()),
            flow,
        }
    }

    /// Has an act done.
    ///
    /// # Errors
    /// The line is closed or too long for whose act it is, or what became of the act.
    pub(super) async fn run(&self, ask: Ask) -> Result<Answer, StoreError> {
        let whose = ask.whose();
        let (act, answer) = Act::new(ask);
        let standing = act.standing.clone();
        let line = self.line().clone().ok_or(StoreError::Refused)?;
        // Others may join meanwhile: as many as there are threads.
        if !self.flow.gate.admits(self.bound - line.capacity(), whose) {
            return Err(StoreError::Refused);
        }
        line.try_send(act).map_err(|_| StoreError::Refused)?;
        drop(line);
        match whose {
            Whose::Caller => answered_in_time(answer, &standing, self.patience).await,
            Whose::House => answered(answer).await,
        }
    }

    /// Refuses what comes from now on; what was accepted is still committed.
    pub(super) fn close(&self) {
        self.line().take();
    }

    /// Waits for the end of what was accepted.
    pub(super) async fn ended(&self) {
        let tasks = std::mem::take(&mut *self.tasks());
        for task in tasks {
            if task.await.is_err() {
                tracing::error!("a writer of the store had broken down");
            }
        }
    }

    /// Acts that wait.
    pub(super) fn waiting(&self) -> usize {
        let line = self.line();
        line.as_ref()
            .map_or(0, |line| self.bound.saturating_sub(line.capacity()))
    }

    /// Whether acts are accepted, and all writers work.
    pub(super) fn lives(&self) -> bool {
        self.line().is_some() && self.tasks().iter().all(|task| !task.is_finished())
    }

    fn line(&self) -> std::sync::MutexGuard<'_, Option<mpsc::Sender<Act>>> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tasks(&self) -> std::sync::MutexGuard<'_, Vec<JoinHandle<()>>> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the writers and those who wait know of one another.
struct Flow {
    gate: Gate,
    pace: Mutex<Pace>,
    /// Held by who reads, judges and writes; whose commit is under way has let go of it. So the next
    /// group gathers while one works, and commits overlap.
    turns: Arc<tokio::sync::Mutex<()>>,
}

impl Flow {
    fn note(&self, spent: Spent) {
        let mut pace = self.pace.lock().unwrap_or_else(PoisonError::into_inner);
        pace.note(spent);
        self.gate.allow(pace.room());
    }

    /// The turn to work. Without end nobody waits for it: a group that stands still at somebody
    /// else's lock holds up only itself.
    async fn turn(&self) -> Turn {
        let waited = tokio::time::timeout(TURN, Arc::clone(&self.turns).lock_owned());
        Turn(waited.await.ok())
    }
}

/// The turn to work, until it is over.
#[derive(Default)]
pub(super) struct Turn(Option<tokio::sync::OwnedMutexGuard<()>>);

impl Turn {
    /// Lets the next one work.
    pub(super) fn end(&mut self) {
        self.0.take();
    }
}

type Line = Arc<tokio::sync::Mutex<mpsc::Receiver<Act>>>;

struct Writer {
    target: Arc<Target>,
    bench: Arc<Bench>,
    session: Option<Session>,
    flow: Arc<Flow>,
    turn: Turn,
    /// Acts that are committed together, at most.
    group: usize,
    /// How long the commits of the batch at hand have taken.
    committing: Duration,
}

impl Writer {
    async fn run(mut self, line: Line) {
        let mut acts = Vec::with_capacity(self.group);
        loop {
            if acts.is_empty() {
                let mut line = line.lock().await;
                let Some(first) = line.recv().await else {
                    return;
                };
                acts.push(first);
                self.turn = self.flow.turn().await;
                self.fill(&mut acts, &mut line);
            } else {
                self.turn = self.flow.turn().await;
                if let Ok(mut line) = line.try_lock() {
                    self.fill(&mut acts, &mut line);
                }
            }
            acts.retain(Act::wanted);
            acts = self.measured(acts).await;
            self.turn.end();
        }
    }

    /// Takes what waits, up to a whole group.
    fn fill(&self, acts: &mut Vec<Act>, line: &mut mpsc::Receiver<Act>) {
        while acts.len() < self.group
            && let Ok(act) = line.try_recv()
        {
            acts.push(act);
        }
    }

    /// Commits the acts, as [`Self::together`], and tells the line how long that took.
    async fn measured(&mut self, acts: Vec<Act>) -> Vec<Act> {
        let (watch, count) = (Watch::start(), acts.len());
        self.committing = Duration::ZERO;
        let later = self.together(acts).await;
        let whole = watch.elapsed();
        self.flow.note(Spent {
            acts: count - later.len(),
            work: whole.saturating_sub(self.committing),
            whole,
        });
        later
    }

    /// Commits the acts, and answers those that have to wait for the next batch.
    async fn together(&mut self, mut acts: Vec<Act>) -> Vec<Act> {
        for _ in 0..TOGETHER {
            acts.retain(Act::wanted);
            if acts.is_empty() {
                return acts;
            }
            match self.attempt(&mut acts).await {
                Outcome::Done(later) => return answer(acts, &later),
                Outcome::Unknown(failure) => return fail(acts, &failure, Failure::at_commit),
                Outcome::Failed(failure) => match failure.remedy() {
                    Remedy::Again | Remedy::Reconnect if self.reaches().await => {}
                    Remedy::Reconnect => return fail(acts, &failure, Failure::not_done),
                    Remedy::Later if matches!(failure, Failure::Late | Failure::Fenced(_)) => {
                        return fail(acts, &failure, Failure::not_done);
                    }
                    Remedy::Again | Remedy::Later | Remedy::None => break,
                },
            }
        }
        let mut line = VecDeque::from(acts);
        while let Some(act) = line.pop_front() {
            self.alone(act).await;
        }
        Vec::new()
    }

    /// One act in a transaction of its own.
    async fn alone(&mut self, act: Act) {
        let mut acts = vec![act];
        let mut last = Failure::Raced;
        for _ in 0..ALONE {
            if !acts.iter().all(Act::wanted) {
                return;
            }
            match self.attempt(&mut acts).await {
                Outcome::Done(later) => {
                    answer(acts, &later);
                    return;
                }
                Outcome::Unknown(failure) => {
                    fail(acts, &failure, Failure::at_commit);
                    return;
                }
                Outcome::Failed(failure) => last = failure,
            }
            if last.remedy() != Remedy::Again {
                break;
            }
        }
        fail(acts, &last, Failure::not_done);
    }

    /// One try on a connection that stands; a spoilt one is let go of.
    async fn attempt(&mut self, acts: &mut [Act]) -> Outcome {
        if !self.reaches().await {
            return Outcome::Failed(Failure::Lost("it cannot be reached".to_owned()));
        }
        let Some(session) = self.session.take() else {
            return Outcome::Failed(Failure::Lost("it cannot be reached".to_owned()));
        };
        let outcome = batch::run(
            &session,
            &self.bench,
            acts,
            &mut self.turn,
            &mut self.committing,
        )
        .await;
        let spoilt = match &outcome {
            Outcome::Done(_) => false,
            Outcome::Failed(failure) => failure.spoils(),
            Outcome::Unknown(_) => true,
        };
        if !spoilt {
            self.session = Some(session);
        }
        outcome
    }

    /// Whether there is a connection, after making one if need be.
    async fn reaches(&mut self) -> bool {
        if self.session.as_ref().is_some_and(|one| !one.is_closed()) {
            return true;
        }
        self.session = None;
        let opening = Session::open(&self.target);
        let opened = tokio::time::timeout(self.target.tuning.statement_timeout, opening).await;
        match opened.unwrap_or(Err(Failure::Late)) {
            Ok(session) => self.session = Some(session),
            Err(failure) => tracing::error!(error = %failure, "the database cannot be reached"),
        }
        self.session.is_some()
    }
}

fn answer(acts: Vec<Act>, later: &std::collections::HashSet<usize>) -> Vec<Act> {
    let mut waiting = Vec::new();
    for (index, act) in acts.into_iter().enumerate() {
        if later.contains(&index) {
            waiting.push(act);
        } else {
            act.answer();
        }
    }
    waiting
}

fn fail(acts: Vec<Act>, cause: &Failure, told: fn(Failure) -> StoreError) -> Vec<Act> {
    tracing::error!(error = %cause, acts = acts.len(), "acts were not committed");
    for act in acts {
        act.fail(told(cause.clone()));
    }
    Vec::new()
}
