use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use postern_core::ports::StoreError;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use super::act::{Act, Answer, Ask};
use super::batch::{self, Bench, Outcome};
use super::failure::{Failure, Remedy};
use super::session::Session;
use super::target::Target;
use crate::connect::Tuning;
use crate::line::Line;
use crate::pace::{Pace, Spent, Watch, Whose};
use crate::patience::{Patience, answered, answered_in_time};

/// How often a batch is tried as a whole before its acts run one by one.
const TOGETHER: u32 = 3;
/// How often an act by itself is tried against others that change the same rows.
const ALONE: u32 = 8;
/// How long a writer lets another one finish before it works beside it.
const TURN: Duration = Duration::from_millis(25);

/// The way to the writers: a bounded line that some tasks empty, each with a connection of its own.
pub(super) struct Writers {
    patience: Patience,
    flow: Arc<Flow>,
    tasks: Mutex<Vec<JoinHandle<()>>>,
}

impl Writers {
    /// Starts as many writers, behind a line of as many acts, as `tuning` says.
    pub(super) fn start(target: &Arc<Target>, bench: &Arc<Bench>, tuning: &Tuning) -> Self {
        let postgres = tuning.postgres;
        let (count, group) = (postgres.writers.max(1), postgres.group.max(1));
        let flow = Arc::new(Flow {
            line: Mutex::new(Line::new(tuning.queue)),
            came: Notify::new(),
            gathering: tokio::sync::Mutex::default(),
            pace: Mutex::new(Pace::new(count, group)),
            turns: Arc::default(),
        });
        let abandon = Arc::new(Abandon(Arc::clone(&flow)));
        let writer = |_| {
            let writer = Writer {
                target: Arc::clone(target),
                bench: Arc::clone(bench),
                session: None,
                flow: Arc::clone(&flow),
                turn: Turn::default(),
                committing: Duration::ZERO,
            };
            let abandon = Arc::clone(&abandon);
            tokio::spawn(async move {
                writer.run().await;
                drop(abandon);
            })
        };
        Self {
            patience: tuning.patience,
            tasks: Mutex::new((0..count).map(writer).collect()),
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
        if !self.flow.line().push(act, whose) {
            return Err(StoreError::Refused);
        }
        self.flow.came.notify_one();
        match whose {
            Whose::Caller => answered_in_time(answer, &standing, self.patience).await,
            Whose::House => answered(answer).await,
        }
    }

    /// Refuses what comes from now on; what was accepted is still committed.
    pub(super) fn close(&self) {
        self.flow.line().close();
        self.flow.came.notify_one();
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
        self.flow.line().len()
    }

    /// Whether acts are accepted, and all writers work.
    pub(super) fn lives(&self) -> bool {
        !self.flow.line().is_closed() && self.tasks().iter().all(|task| !task.is_finished())
    }

    fn tasks(&self) -> MutexGuard<'_, Vec<JoinHandle<()>>> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The line, and what the writers and those who wait know of one another.
struct Flow {
    line: Mutex<Line<Act>>,
    /// Told of every act that joins the line, and of its end.
    came: Notify,
    /// Held by who waits for the first act of a group, and then for the turn.
    gathering: tokio::sync::Mutex<()>,
    pace: Mutex<Pace>,
    /// Held by who reads, judges and writes; whose commit is under way has let go of it. So the next
    /// group gathers while one works, and commits overlap.
    turns: Arc<tokio::sync::Mutex<()>>,
}

impl Flow {
    fn note(&self, spent: Spent) {
        let room = {
            let mut pace = self.pace();
            pace.note(spent);
            pace.room()
        };
        let late = self.line().allow(room);
        for act in late {
            act.fail(StoreError::Refused);
        }
    }

    fn pace(&self) -> MutexGuard<'_, Pace> {
        self.pace.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn line(&self) -> MutexGuard<'_, Line<Act>> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until some act waits; `false` once the line is closed and empty.
    async fn some(&self) -> bool {
        loop {
            let came = self.came.notified();
            {
                let line = self.line();
                if !line.is_empty() {
                    return true;
                }
                if line.is_closed() {
                    return false;
                }
            }
            came.await;
        }
    }

    /// Takes what waits, up to a whole group.
    fn fill(&self, acts: &mut Vec<Act>) {
        let most = self.pace().group().saturating_sub(acts.len());
        self.line().take(acts, most);
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

/// Tells whoever waits when the last writer has ended, also if it breaks down.
struct Abandon(Arc<Flow>);

impl Drop for Abandon {
    fn drop(&mut self) {
        let waiting = self.0.line().abandon();
        drop(waiting);
    }
}

struct Writer {
    target: Arc<Target>,
    bench: Arc<Bench>,
    session: Option<Session>,
    flow: Arc<Flow>,
    turn: Turn,
    /// How long the commits of the batch at hand have taken.
    committing: Duration,
}

impl Writer {
    async fn run(mut self) {
        // The first acts shall not wait for it; if it fails they try again.
        self.reaches().await;
        let flow = Arc::clone(&self.flow);
        let mut acts = Vec::new();
        loop {
            if acts.is_empty() {
                let _gathering = flow.gathering.lock().await;
                if !flow.some().await {
                    return;
                }
                self.turn = flow.turn().await;
                flow.fill(&mut acts);
            } else {
                self.turn = flow.turn().await;
                if let Ok(_gathering) = flow.gathering.try_lock() {
                    flow.fill(&mut acts);
                }
            }
            acts.retain(Act::wanted);
            acts = self.measured(acts).await;
            self.turn.end();
        }
    }

    /// Commits the acts, as [`Self::together`], and tells the line how long that took. What it takes to
    /// connect and to prepare statements tells nothing of the groups to come.
    async fn measured(&mut self, acts: Vec<Act>) -> Vec<Act> {
        let (watch, count) = (Watch::start(), acts.len());
        let prepared = self.session.as_ref().map(Session::statements);
        self.committing = Duration::ZERO;
        let later = self.together(acts).await;
        let whole = watch.elapsed();
        if prepared.is_none() || self.session.as_ref().map(Session::statements) != prepared {
            return later;
        }
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
