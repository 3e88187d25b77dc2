//! gRPC health and reflection.

use tokio_stream::StreamExt as _;
use tonic::{Code, transport::Channel};
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};
use tonic_reflection::pb::v1::{
    ServerReflectionRequest, server_reflection_client::ServerReflectionClient,
    server_reflection_request::MessageRequest, server_reflection_response::MessageResponse,
};

use crate::support::Server;

const SERVICE: &str = "scalekit.v1.auth.passwordless.PasswordlessService";

#[tokio::test]
async fn health_tells_readiness_and_its_changes() {
    let server = Server::start().await;
    let channel = Channel::from_shared(server.url())
        .unwrap()
        .connect()
        .await
        .unwrap();
    let mut health = HealthClient::new(channel);
    let ask = |service: &str| HealthCheckRequest {
        service: service.to_owned(),
    };
    for service in ["", SERVICE] {
        let told = health.check(ask(service)).await.unwrap().into_inner();
        assert_eq!(told.status(), ServingStatus::Serving);
    }
    assert_eq!(
        health.check(ask("other")).await.unwrap_err().code(),
        Code::NotFound
    );
    let mut changes = health.watch(ask("")).await.unwrap().into_inner();
    assert_eq!(
        changes.next().await.unwrap().unwrap().status(),
        ServingStatus::Serving
    );
    server.ready.send(false).unwrap();
    assert_eq!(
        changes.next().await.unwrap().unwrap().status(),
        ServingStatus::NotServing
    );
}

#[tokio::test]
async fn reflection_shows_the_services_and_their_files() {
    let server = Server::start().await;
    let channel = Channel::from_shared(server.url())
        .unwrap()
        .connect()
        .await
        .unwrap();
    let mut reflection = ServerReflectionClient::new(channel);
    let ask = |message_request| ServerReflectionRequest {
        host: String::new(),
        message_request: Some(message_request),
    };
    let asked = [
        ask(MessageRequest::ListServices(String::new())),
        ask(MessageRequest::FileContainingSymbol(SERVICE.to_owned())),
    ];
    let answers = reflection
        .server_reflection_info(tokio_stream::iter(asked))
        .await
        .unwrap();
    let answers: Vec<_> = answers
        .into_inner()
        .map(|answer| answer.unwrap().message_response)
        .collect()
        .await;
    let Some(MessageResponse::ListServicesResponse(services)) = &answers[0] else {
        panic!("{answers:?}")
    };
    let names: Vec<_> = services
        .service
        .iter()
        .map(|service| service.name.as_str())
        .collect();
    assert!(names.contains(&SERVICE), "{names:?}");
    assert!(matches!(
        &answers[1],
        Some(MessageResponse::FileDescriptorResponse(_))
    ));
}

/// The status of a stream that sent `messages`, each filled with `bytes` bytes.
async fn reflected(server: &Server, messages: usize, bytes: usize) -> Code {
    let channel = Channel::from_shared(server.url()).unwrap();
    let mut reflection = ServerReflectionClient::new(channel.connect().await.unwrap());
    let asked = std::iter::repeat_n(
        ServerReflectionRequest {
            host: "x".repeat(bytes),
            message_request: None,
        },
        messages,
    );
    let answers = reflection.server_reflection_info(tokio_stream::iter(asked));
    let answers = match answers.await {
        Ok(answers) => answers.into_inner().collect::<Vec<_>>().await,
        Err(refused) => return refused.code(),
    };
    let refused = answers.into_iter().find_map(Result::err);
    refused.map_or(Code::Ok, |refused| refused.code())
}

#[tokio::test]
async fn the_open_services_take_no_message_of_more_than_16_kib() {
    let server = Server::start().await;
    assert_eq!(
        reflected(&server, 1, 15 * 1024).await,
        Code::InvalidArgument
    );
    let channel = Channel::from_shared(server.url()).unwrap();
    let mut health = HealthClient::new(channel.connect().await.unwrap());
    let long = HealthCheckRequest {
        service: "x".repeat(17 * 1024),
    };
    let refused = health.check(long).await.unwrap_err();
    assert_eq!(refused.code(), Code::OutOfRange);
}
