//! `grpc.health.v1.Health`: readiness, in gRPC's own words.

use std::pin::Pin;

use futures_util::{Stream, StreamExt as _};
use tokio::sync::watch;
use tokio_stream::wrappers::WatchStream;
use tonic::{Request, Response, Status};
use tonic_health::pb::{
    HealthCheckRequest, HealthCheckResponse, health_check_response::ServingStatus,
    health_server::Health,
};

/// The service whose health is told; the empty name means the whole server.
pub(super) const PASSWORDLESS: &str = "scalekit.v1.auth.passwordless.PasswordlessService";

/// Tells the server's readiness.
pub(super) struct Readiness(watch::Receiver<bool>);

impl Readiness {
    pub(super) fn new(ready: watch::Receiver<bool>) -> Self {
        Self(ready)
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
        Ok(Response::new(told(*self.0.borrow())))
    }

    async fn watch(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        let known = known(&request.get_ref().service);
        let changes = WatchStream::new(self.0.clone());
        let told = changes.map(move |ready| Ok(if known { told(ready) } else { unknown() }));
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
