//! `grpc.health.v1.Health`: readiness, in gRPC's own words.

use std::{pin::Pin, sync::Arc, time::Duration};

use futures_util::{Stream, StreamExt as _};
use tokio::{
    sync::{Semaphore, watch},
    time::sleep,
};
use tokio_stream::wrappers::WatchStream;
use tonic::{Request, Response, Status};
use tonic_health::pb::{
    HealthCheckRequest, HealthCheckResponse, health_check_response::ServingStatus,
    health_server::Health,
};

/// The service whose health is told; the empty name means the whole server.
pub(super) const PASSWORDLESS: &str = "scalekit.v1.auth.passwordless.PasswordlessService";

/// Tells the server's readiness.
pub(super) struct Readiness {
    ready: watch::Receiver<bool>,
    watchers: Arc<Semaphore>,
}

/// Watchers at once: each keeps its connection from being idle, and none needs a token.
const WATCHERS: usize = 256;
/// How long one may watch before it has to ask again.
const WATCHED: Duration = Duration::from_hours(1);

impl Readiness {
    pub(super) fn new(ready: watch::Receiver<bool>) -> Self {
        Self {
            ready,
            watchers: Arc::new(Semaphore::new(WATCHERS)),
        }
    }
}

#[tonic::async_trait]
impl Health for Readiness {
    type WatchStream = Pin<Box<dyn Stream<Item = Result<HealthCheckResponse, Status>> + Send>>;

    async fn check(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<HealthCheckResponse>, Status> {
        if !known(&request.get_ref().service) {
            return Err(Status::not_found("no such service"));
        }
        Ok(Response::new(told(*self.ready.borrow())))
    }

    async fn watch(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        let known = known(&request.get_ref().service);
        let place = Arc::clone(&self.watchers).try_acquire_owned();
        let place = place.map_err(|_| Status::resource_exhausted("too many are watching"))?;
        let changes = WatchStream::new(self.ready.clone()).take_until(sleep(WATCHED));
        let told = changes.map(move |ready| {
            let _held = &place;
            Ok(if known { told(ready) } else { unknown() })
        });
        Ok(Response::new(Box::pin(told)))
    }
}

fn known(service: &str) -> bool {
    service.is_empty() || service == PASSWORDLESS
}

fn told(ready: bool) -> HealthCheckResponse {
    let status = if ready {
        ServingStatus::Serving
    } else {
        ServingStatus::NotServing
    };
    HealthCheckResponse {
        status: status.into(),
    }
}

fn unknown() -> HealthCheckResponse {
    HealthCheckResponse {
        status: ServingStatus::ServiceUnknown.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn watchers_past_the_bound_are_refused_until_one_leaves() {
        let (_ready, readiness) = watch::channel(true);
        let health = Readiness::new(readiness);
        let watch = || health.watch(Request::new(HealthCheckRequest::default()));
        let mut watchers = Vec::new();
        for _ in 0..WATCHERS {
            watchers.push(watch().await.unwrap_or_else(|refused| panic!("{refused}")));
        }
        let refused = watch().await.err().unwrap();
        assert_eq!(refused.code(), tonic::Code::ResourceExhausted);
        watchers.pop();
        assert!(watch().await.is_ok());
    }
}
