//! The gRPC door.

mod bounds;
mod frame;
mod health;
mod unary;

use std::sync::Arc;

use axum::{Router, middleware::from_fn, routing::post};
use postern_proto::FILE_DESCRIPTOR_SET;
use tonic_health::pb::health_server::HealthServer;
use tonic_reflection::server::Builder as Reflection;

use crate::{
    app::App,
    calls::{Resend, Send, Verify},
    listing::ListAuthRequests,
};

/// The service of the authentication log.
const AUDIT_LOGS: &str = "scalekit.v1.auditlogs.AuditLogsService";

/// Every gRPC method that is served; all others fall to the router's fallback, as UNIMPLEMENTED.
///
/// # Panics
/// Never: reflection's descriptors are compiled in, and tests build this router.
pub fn routes(app: &Arc<App>) -> Router<Arc<App>> {
    let health = HealthServer::new(health::Readiness::new(app.ready.clone()))
        .max_decoding_message_size(bounds::MESSAGE_LIMIT);
    let v1 = reflection()
        .build_v1()
        .expect("the compiled-in descriptors are sound")
        .max_decoding_message_size(bounds::MESSAGE_LIMIT);
    let v1alpha = reflection()
        .build_v1alpha()
        .expect("the compiled-in descriptors are sound")
        .max_decoding_message_size(bounds::MESSAGE_LIMIT);
    let open = Router::new()
        .route_service("/grpc.health.v1.Health/Check", health.clone())
        .route_service("/grpc.health.v1.Health/Watch", health)
        .route_service(
            "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
            v1,
        )
        .route_service(
            "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
            v1alpha,
        )
        .layer(from_fn(bounds::keep));
    Router::new()
        .route(
            &passwordless("SendPasswordlessEmail"),
            post(unary::unary::<Send>),
        )
        .route(
            &passwordless("ResendPasswordlessEmail"),
            post(unary::unary::<Resend>),
        )
        .route(
            &passwordless("VerifyPasswordlessEmail"),
            post(unary::unary::<Verify>),
        )
        .route(
            &format!("/{AUDIT_LOGS}/ListAuthRequests"),
            post(unary::unary::<ListAuthRequests>),
        )
        .merge(open)
}

fn passwordless(method: &str) -> String {
    format!("/{}/{method}", health::PASSWORDLESS)
}

fn reflection<'b>() -> Reflection<'b> {
    Reflection::configure()
        .register_encoded_file_descriptor_set(FILE_DESCRIPTOR_SET)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        .with_service_name(health::PASSWORDLESS)
        .with_service_name(AUDIT_LOGS)
        .with_service_name("grpc.health.v1.Health")
}
