//! The gRPC door (contract §1.5-7, §1.11-13, §3).

use crate::support::{
    Server,
    http::{http1, http2, raw},
};
use http::Method;
use postern_proto::{
    google::rpc,
    scalekit::v1::{
        auth::passwordless::{
            PasswordlessType, ResendPasswordlessRequest, SendPasswordlessRequest,
            VerifyPasswordLessRequest, passwordless_service_client::PasswordlessServiceClient,
            verify_password_less_request::AuthCredential,
        },
        errdetails::ErrorInfo,
    },
};
use prost::Message as _;
use tonic::{Code, Request, Status, metadata::MetadataValue, transport::Channel};

const SERVICE: &str = "/scalekit.v1.auth.passwordless.PasswordlessService";
const GRPC: (&str, &str) = ("content-type", "application/grpc");
const TRAILERS: (&str, &str) = ("te", "trailers");

async fn client(server: &Server) -> PasswordlessServiceClient<Channel> {
    PasswordlessServiceClient::connect(server.url())
        .await
        .unwrap()
}

fn with_tokens<T>(message: T, tokens: &[&str]) -> Request<T> {
    let mut request = Request::new(message);
    for token in tokens {
        let value: MetadataValue<_> = format!("Bearer {token}").parse().unwrap();
        request.metadata_mut().append("authorization", value);
    }
    request
}

fn to(email: &str) -> SendPasswordlessRequest {
    SendPasswordlessRequest {
        email: email.to_owned(),
        ..Default::default()
    }
}

/// The one ErrorInfo of a status, whose code and message must be repeated in the details.
fn error_info(status: &Status) -> ErrorInfo {
    let details = rpc::Status::decode(status.details()).unwrap();
    assert_eq!(details.code, status.code() as i32);
    assert_eq!(details.message, status.message());
    assert_eq!(details.details.len(), 1, "one detail, and of no other type");
    let detail = &details.details[0];
    assert_eq!(detail.type_url, postern_proto::ERROR_INFO_TYPE_URL);
    ErrorInfo::decode(&*detail.value).unwrap()
}

fn framed(message: &impl prost::Message) -> Vec<u8> {
    let bytes = message.encode_to_vec();
    let mut frame = vec![0];
    frame.extend_from_slice(&u32::try_from(bytes.len()).unwrap().to_be_bytes());
    frame.extend(bytes);
    frame
}

#[tokio::test]
async fn send_resend_and_a_wrong_code_through_the_generated_client() {
    let server = Server::start().await;
    let token = server.token().await;
    let mut api = client(&server).await;
    let sent = with_tokens(to("ada@example.com"), &[&token]);
    let sent = api
        .send_passwordless_email(sent)
        .await
        .unwrap()
        .into_inner();
    assert_eq!(sent.passwordless_type(), PasswordlessType::Otp);
    assert_eq!(sent.expires_in, 300);
    assert_eq!(
        server.queued.lock().unwrap().len(),
        1,
        "the outbox was told"
    );
    let auth_request_id = sent.auth_request_id;
    let again = ResendPasswordlessRequest {
        auth_request_id: auth_request_id.clone(),
    };
    let again = api
        .resend_passwordless_email(with_tokens(again, &[&token]))
        .await
        .unwrap();
    assert_eq!(again.into_inner().auth_request_id, auth_request_id);
    let wrong = VerifyPasswordLessRequest {
        auth_credential: Some(AuthCredential::Code("not a code".to_owned())),
        auth_request_id: Some(auth_request_id),
    };
    let refused = api
        .verify_passwordless_email(with_tokens(wrong, &[&token]))
        .await
        .unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    assert_eq!(error_info(&refused).error_code, "INVALID_CODE");
    assert!(refused.metadata().get("x-request-id").is_some());
}

#[tokio::test]
async fn the_right_code_is_accepted_once_through_the_generated_client() {
    let server = Server::start().await;
    let token = server.token().await;
    let mut api = client(&server).await;
    let asked = SendPasswordlessRequest {
        state: Some("s 1".to_owned()),
        ..to("Ada@Example.com")
    };
    let sent = api
        .send_passwordless_email(with_tokens(asked, &[&token]))
        .await
        .unwrap()
        .into_inner();
    let code = server.code_of(&sent.auth_request_id).await;
    let proof = VerifyPasswordLessRequest {
        auth_credential: Some(AuthCredential::Code(code)),
        auth_request_id: Some(sent.auth_request_id),
    };
    let verified = api
        .verify_passwordless_email(with_tokens(proof.clone(), &[&token]))
        .await;
    let verified = verified.unwrap().into_inner();
    assert_eq!(verified.email, "Ada@Example.com");
    assert_eq!(verified.state.as_deref(), Some("s 1"));
    assert_eq!(verified.template, None);
    assert_eq!(verified.passwordless_type(), PasswordlessType::Otp);
    let again = api
        .verify_passwordless_email(with_tokens(proof, &[&token]))
        .await
        .unwrap_err();
    assert_eq!(again.code(), Code::FailedPrecondition);
    assert_eq!(error_info(&again).error_code, "AUTH_REQUEST_USED");
}

#[tokio::test]
async fn a_throttled_send_is_code_8_on_http_200() {
    let server = Server::start().await;
    let bearer = format!("Bearer {}", server.token().await);
    let path = format!("{SERVICE}/SendPasswordlessEmail");
    let headers = [GRPC, ("authorization", bearer.as_str())];
    let send = || {
        http2(
            server.addr,
            Method::POST,
            &path,
            &headers,
            framed(&to("ada@example.com")),
        )
    };
    for _ in 0..2 {
        assert_eq!(send().await.grpc_status(), Some("0"));
    }
    let third = send().await;
    assert_eq!(
        (third.status.as_u16(), third.grpc_status()),
        (200, Some("8"))
    );
    let status = Status::from_header_map(&third.headers).unwrap();
    assert_eq!(error_info(&status).error_code, "RATE_LIMITED");
    assert!(status.message().contains("rate limit") && status.message().contains("seconds"));
}

#[tokio::test]
async fn authentication_comes_before_validation_and_before_the_body_is_decoded() {
    let server = Server::start().await;
    let mut api = client(&server).await;
    let empty = api.send_passwordless_email(to("")).await.unwrap_err();
    assert_eq!(empty.code(), Code::Unauthenticated);
    assert_eq!(error_info(&empty).error_code, "UNAUTHENTICATED");
    let path = format!("{SERVICE}/SendPasswordlessEmail");
    let garbage = http2(server.addr, Method::POST, &path, &[GRPC], "garbage").await;
    assert_eq!(garbage.grpc_status(), Some("16"));
    assert_eq!(garbage.status, 200);
}

#[tokio::test]
async fn any_valid_one_of_several_authorization_values_is_enough() {
    let server = Server::start().await;
    let token = server.token().await;
    let mut api = client(&server).await;
    for tokens in [[token.as_str(), "stale"], ["stale", &token]] {
        let sent = api
            .send_passwordless_email(with_tokens(to("a@example.com"), &tokens))
            .await;
        sent.unwrap();
    }
    let none = api
        .send_passwordless_email(with_tokens(to("a@example.com"), &["x", "y"]))
        .await;
    assert_eq!(none.unwrap_err().code(), Code::Unauthenticated);
}

#[tokio::test]
async fn validation_names_every_offending_field() {
    let server = Server::start().await;
    let token = server.token().await;
    let wrong = SendPasswordlessRequest {
        email: "<ada@example.com>".to_owned(),
        template: Some(7),
        state: Some("s".repeat(1001)),
        expires_in: Some(59),
        template_variables: [("otp".to_owned(), String::new())].into(),
        ..Default::default()
    };
    let mut api = client(&server).await;
    let refused = api
        .send_passwordless_email(with_tokens(wrong, &[&token]))
        .await
        .unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    let info = error_info(&refused);
    assert_eq!(info.error_code, "INVALID_ARGUMENT");
    let violations = info.validation_error_info.unwrap().field_violations;
    let fields: Vec<_> = violations
        .iter()
        .map(|violation| violation.field.as_str())
        .collect();
    for field in [
        "email",
        "template",
        "state",
        "expires_in",
        "template_variables.otp",
    ] {
        assert!(fields.contains(&field), "{field} is not among {fields:?}");
    }
}

#[tokio::test]
async fn the_trailers_of_the_longest_refusal_stay_under_8_kib() {
    let server = Server::start().await;
    let token = server.token().await;
    let key = |n: usize| format!("{n:02}{}", "🔥".repeat(400));
    let wrong = SendPasswordlessRequest {
        email: "🔥".repeat(2000),
        template_variables: (0..30).map(|n| (key(n), "v".repeat(300))).collect(),
        ..Default::default()
    };
    let path = format!("{SERVICE}/SendPasswordlessEmail");
    let bearer = format!("Bearer {token}");
    let headers = [GRPC, ("authorization", bearer.as_str())];
    let answer = http2(server.addr, Method::POST, &path, &headers, framed(&wrong)).await;
    assert_eq!(answer.grpc_status(), Some("3"));
    let size: usize = answer
        .headers
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len() + 32)
        .sum();
    assert!(size < 8192, "{size} bytes");
}

#[tokio::test]
async fn grpc_over_http1_ends_with_announced_trailers() {
    let server = Server::start().await;
    let token = server.token().await;
    let message = framed(&to("ada@example.com"));
    let mut bytes = format!(
        "POST {SERVICE}/SendPasswordlessEmail HTTP/1.1\r\nHost: {}\r\nContent-Type: application/grpc\r\n\
         Te: trailers\r\nGrpc-Timeout: 9999999u\r\nGrpc-Accept-Encoding: gzip\r\nAuthorization: Bearer {token}\r\n\
         Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n{:x}\r\n",
        server.addr,
        message.len()
    )
    .into_bytes();
    bytes.extend(message);
    bytes.extend(b"\r\n0\r\n\r\n");
    let answer = raw(server.addr, &bytes).await;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200 OK"), "{answer}");
    assert!(head.contains("content-type: application/grpc"));
    assert!(head.contains("transfer-encoding: chunked"));
    assert!(head.contains("trailer: grpc-status, grpc-message, grpc-status-details-bin"));
    assert!(
        body.ends_with("\r\n0\r\ngrpc-status: 0\r\n\r\n"),
        "{answer}"
    );
}

#[tokio::test]
async fn an_error_over_http1_has_its_status_in_the_head() {
    let server = Server::start().await;
    let path = format!("{SERVICE}/VerifyPasswordlessEmail");
    let answer = http1(
        server.addr,
        Method::POST,
        &path,
        &[GRPC, TRAILERS],
        framed(&to("x")),
    )
    .await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("grpc-status"), Some("16"));
    assert_eq!(answer.header("content-type"), Some("application/grpc"));
    let status = Status::from_header_map(&answer.headers).unwrap();
    assert_eq!(error_info(&status).error_code, "UNAUTHENTICATED");
    assert!(answer.header("trailer").is_none(), "there are none to come");
    assert!(answer.body.is_empty());
}

#[tokio::test]
async fn every_other_method_is_unimplemented_with_an_error_info() {
    let server = Server::start().await;
    for path in [
        "/scalekit.v1.events.EventsService/ListEventsPaginated",
        "/scalekit.v1.auth.passwordless.PasswordlessService/Nothing",
        "/scalekit.v1.clients.ClientService/ListClients",
        "/grpc.health.v1.Health/Nothing",
        "/nowhere",
    ] {
        let answer = http2(server.addr, Method::POST, path, &[GRPC], framed(&to(""))).await;
        assert_eq!(answer.status, 200, "{path}");
        assert_eq!(answer.grpc_status(), Some("12"), "{path}");
        let status = Status::from_header_map(&answer.headers).unwrap();
        assert_eq!(error_info(&status).error_code, "UNIMPLEMENTED");
    }
}

#[tokio::test]
async fn a_compressed_or_malformed_message_is_refused_in_grpc_terms() {
    let server = Server::start().await;
    let bearer = format!("Bearer {}", server.token().await);
    let path = format!("{SERVICE}/SendPasswordlessEmail");
    let mut compressed = framed(&to("a@example.com"));
    compressed[0] = 1;
    let too_large = framed(&to(&"a".repeat(70_000)));
    for (body, code) in [
        (compressed, "12"),
        (b"\0\0\0\0\x09x".to_vec(), "3"),
        (too_large, "3"),
    ] {
        let headers = [GRPC, ("authorization", bearer.as_str())];
        let answer = http2(server.addr, Method::POST, &path, &headers, body).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.grpc_status(), Some(code));
    }
}

#[tokio::test]
async fn an_explicit_zero_template_is_taken() {
    let server = Server::start().await;
    let token = server.token().await;
    let zero = SendPasswordlessRequest {
        template: Some(0),
        ..to("ada@example.com")
    };
    client(&server)
        .await
        .send_passwordless_email(with_tokens(zero, &[&token]))
        .await
        .unwrap();
}

#[tokio::test]
async fn a_code_and_a_link_in_one_verify_are_refused_though_protobuf_would_keep_the_last() {
    let server = Server::start().await;
    let bearer = format!("Bearer {}", server.token().await);
    let both = [
        VerifyPasswordLessRequest {
            auth_credential: Some(AuthCredential::Code("123456".to_owned())),
            auth_request_id: Some("x".repeat(44)),
        },
        VerifyPasswordLessRequest {
            auth_credential: Some(AuthCredential::LinkToken("y".repeat(49))),
            auth_request_id: None,
        },
    ];
    let bytes = both.map(|message| message.encode_to_vec()).concat();
    let mut frame = vec![0];
    frame.extend_from_slice(&u32::try_from(bytes.len()).unwrap().to_be_bytes());
    frame.extend(bytes);
    let path = format!("{SERVICE}/VerifyPasswordlessEmail");
    let headers = [GRPC, TRAILERS, ("authorization", bearer.as_str())];
    let answer = http2(server.addr, Method::POST, &path, &headers, frame).await;
    assert_eq!(answer.header("grpc-status"), Some("3"));
}
