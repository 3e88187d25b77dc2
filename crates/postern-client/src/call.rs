//! One call from its first attempt to its last, within one deadline.

use std::{future::Future, sync::Arc, time::Duration};

use tonic::{Request, Response, Status, metadata::MetadataMap};

use crate::{
    Error,
    bearer::{Bearer, Tokens},
    clock::Clock,
    error::not_taken,
    transport::Transport,
};

/// How calls are bounded and repeated.
#[derive(Clone, Copy)]
pub(crate) struct Patience {
    /// For the whole call: token, attempts and the waits between them.
    pub(crate) deadline: Duration,
    /// Attempts after the first where nothing was done.
    pub(crate) repeats: u32,
    /// The longest wait before the first repeat; each further one doubles it.
    pub(crate) back_off: Duration,
}

/// What makes calls.
pub(crate) struct Caller {
    pub(crate) transport: Transport,
    pub(crate) tokens: Tokens,
    pub(crate) patience: Patience,
    pub(crate) clock: Clock,
}

impl Caller {
    /// Makes one call of `message` by `rpc`, a method of the generated stubs, with what is `told` beside it.
    pub(crate) async fn call<M, A, F, R>(
        &self,
        message: M,
        told: &MetadataMap,
        rpc: F,
    ) -> Result<A, Error>
    where
        M: Clone,
        F: Fn(Transport, Request<M>) -> R,
        R: Future<Output = Result<Response<A>, Status>>,
    {
        let deadline = self.patience.deadline;
        tokio::time::timeout(deadline, self.attempts(message, told, rpc))
            .await
            .unwrap_or(Err(Error::DeadlineExceeded(deadline)))
    }

    async fn attempts<M, A, F, R>(&self, message: M, told: &MetadataMap, rpc: F) -> Result<A, Error>
    where
        M: Clone,
        F: Fn(Transport, Request<M>) -> R,
        R: Future<Output = Result<Response<A>, Status>>,
    {
        let ends_at = self.clock.now() + self.patience.deadline;
        let mut refused = None;
        let mut repeated = 0;
        loop {
            let (bearer, outcome) = self
                .attempt((&message, told), &rpc, refused.as_ref(), ends_at)
                .await;
            let replaceable = |bearer: &Arc<Bearer>| self.tokens.may_replace(bearer);
            match outcome {
                Err(Error::Unauthenticated(_))
                    if refused.is_none() && bearer.as_ref().is_some_and(replaceable) =>
                {
                    refused = bearer;
                }
                Err(error) if error.nothing_was_done() && repeated < self.patience.repeats => {
                    let wait = self.patience.wait(repeated, &error);
                    if self.clock.now() + wait >= ends_at {
                        return Err(error);
                    }
                    tokio::time::sleep(wait).await;
                    repeated += 1;
                }
                outcome => return outcome,
            }
        }
    }

    /// One attempt, and the token it was made with, if it got that far. What was not taken is tried again
    /// at once, as gRPC has it: a leaving server means that connection, not the service.
    async fn attempt<M, A, F, R>(
        &self,
        (message, told): (&M, &MetadataMap),
        rpc: &F,
        refused: Option<&Arc<Bearer>>,
        ends_at: Duration,
    ) -> (Option<Arc<Bearer>>, Result<A, Error>)
    where
        M: Clone,
        F: Fn(Transport, Request<M>) -> R,
        R: Future<Output = Result<Response<A>, Status>>,
    {
        let bearer = match refused {
            Some(refused) => self.tokens.instead_of(refused).await,
            None => self.tokens.bearer().await,
        };
        let bearer = match bearer {
            Ok(bearer) => bearer,
            Err(error) => return (None, Err(error)),
        };
        let request = || {
            let mut request = Request::new(message.clone());
            *request.metadata_mut() = told.clone();
            request.set_timeout(ends_at.saturating_sub(self.clock.now()));
            let header = bearer.header.clone();
            request.metadata_mut().insert("authorization", header);
            request
        };
        let mut answer = rpc(self.transport.clone(), request()).await;
        if answer.as_ref().is_err_and(not_taken) {
            answer = rpc(self.transport.clone(), request()).await;
        }
        let answer = answer.map(Response::into_inner).map_err(Error::from);
        (Some(bearer), answer)
    }
}

impl Patience {
    /// Doubling, between half and the whole of each step, and no sooner than the server asks.
    fn wait(&self, repeated: u32, error: &Error) -> Duration {
        let step = self.back_off * 2u32.saturating_pow(repeated);
        let jittered = step / 2 + (step / 2).mul_f64(fraction());
        jittered.max(error.retry_after().unwrap_or_default())
    }
}

/// Uniform in 0 to 1. Without randomness every client would wait alike, which is all that is lost.
#[expect(
    clippy::disallowed_methods,
    reason = "no test depends on it: it spreads waits"
)]
fn fraction() -> f64 {
    let mut byte = [u8::MAX];
    aws_lc_rs::rand::fill(&mut byte).ok();
    f64::from(byte[0]) / f64::from(u8::MAX)
}
