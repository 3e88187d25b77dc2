use std::time::{Duration, UNIX_EPOCH};

use postern_proto::scalekit::v1::errdetails::{
    ErrorInfo, ValidationErrorInfo, validation_error_info,
};
use tonic::{Code, Status};

use super::Pair;
use crate::{
    Error, PasswordlessType, SendRequest, Template, VerifyRequest,
    fake_server::{Fake, Step, detailed, lock, refusal},
};

/// The client's error for what the server says.
async fn told(status: Status) -> Error {
    let pair = Pair::with(|builder| builder.repeats(0)).await;
    pair.next_call(Step::Refuse(status));
    pair.send().await.expect_err("the server refuses")
}

#[tokio::test]
async fn a_send_carries_every_field_and_reads_every_answer() {
    let pair = Pair::new().await;
    let request = SendRequest::new("ada@example.com")
        .template(Template::SignUp)
        .magiclink_auth_uri("https://app.example.com/in")
        .state("cart-17")
        .expires_in(Duration::from_mins(30))
        .variable("plan", "Family");
    let sent = pair.client.passwordless().send(request).await.unwrap();

    let seen = lock(&pair.world().sends).pop().unwrap();
    assert_eq!(seen.email, "ada@example.com");
    assert_eq!(seen.template, Some(2));
    assert_eq!(
        seen.magiclink_auth_uri.as_deref(),
        Some("https://app.example.com/in")
    );
    assert_eq!(seen.state.as_deref(), Some("cart-17"));
    assert_eq!(seen.template_variables["plan"], "Family");
    assert_eq!(sent.auth_request_id, "request-1");
    assert_eq!(sent.expires_in, Duration::from_mins(30));
    assert_eq!(sent.expires_at, UNIX_EPOCH + Duration::from_hours(500_000));
    assert_eq!(sent.passwordless_type, PasswordlessType::LinkOtp);
}

#[tokio::test]
async fn every_call_for_a_person_tells_of_them_and_others_do_not() {
    let pair = Pair::new().await;
    let person = pair
        .client
        .passwordless()
        .for_person([192, 0, 2, 7].into(), "Firefox\n/140")
        .languages("de-CH,de;q=0.9");
    let sent = person.send(SendRequest::new("ada@example.com")).await;
    let id = sent.unwrap().auth_request_id;
    person.resend(&id).await.unwrap();
    let proof = VerifyRequest::code(&id, Fake::CODE);
    person.verify(proof).await.unwrap();
    pair.send().await.unwrap();
    let told = lock(&pair.world().persons).clone();
    let ada = ["192.0.2.7", "Firefox/140", "de-CH,de;q=0.9"].map(str::to_owned);
    assert_eq!(told[..3], [ada.clone(), ada.clone(), ada]);
    assert_eq!(told[3], [const { String::new() }; 3]);
}

#[tokio::test]
async fn what_is_not_set_is_absent_on_the_wire() {
    let pair = Pair::new().await;
    pair.send().await.unwrap();
    let seen = lock(&pair.world().sends).pop().unwrap();
    assert_eq!(
        (seen.template, seen.expires_in, seen.state),
        (None, None, None)
    );
    assert_eq!(seen.magiclink_auth_uri, None);
}

#[tokio::test]
async fn a_code_and_a_link_verify_and_tell_which_was_used() {
    let pair = Pair::new().await;
    let passwordless = pair.client.passwordless();
    let code = VerifyRequest::code("request-1", Fake::CODE);
    let verified = passwordless.verify(code).await.unwrap();
    assert_eq!(verified.email, "ada@example.com");
    assert_eq!(verified.state.as_deref(), Some("cart-17"));
    assert_eq!(verified.passwordless_type, PasswordlessType::Otp);

    let link = VerifyRequest::link(Fake::LINK_TOKEN).auth_request_id("request-1");
    let verified = passwordless.verify(link).await.unwrap();
    assert_eq!(verified.passwordless_type, PasswordlessType::Link);
}

#[tokio::test]
async fn a_wrong_code_tells_how_many_attempts_are_left() {
    let pair = Pair::new().await;
    let wrong = VerifyRequest::code("request-1", "000000");
    let refused = pair.client.passwordless().verify(wrong).await.unwrap_err();
    let Error::InvalidCode(refusal) = refused else {
        panic!("{refused:?}")
    };
    assert_eq!(refusal.attempts_left(), Some(4));
    assert_eq!(refusal.message(), "the code is invalid: 4 attempts left");
}

#[tokio::test]
async fn each_error_code_has_its_variant() {
    macro_rules! expect {
        ($($code:ident $name:literal => $variant:ident;)*) => {$(
            let error = told(refusal(Code::$code, $name, "told")).await;
            assert!(matches!(error, Error::$variant(_)), "{}: {error:?}", $name);
            assert_eq!(error.error_code(), Some($name));
            assert_eq!(error.to_string(), "told");
        )*};
    }
    expect! {
        InvalidArgument "INVALID_ARGUMENT" => InvalidArgument;
        InvalidArgument "INVALID_CODE" => InvalidCode;
        InvalidArgument "INVALID_LINK" => InvalidLink;
        InvalidArgument "OTHER_BROWSER" => OtherBrowser;
        FailedPrecondition "AUTH_REQUEST_EXPIRED" => Expired;
        FailedPrecondition "AUTH_REQUEST_USED" => Used;
        FailedPrecondition "LINK_SUPERSEDED" => Superseded;
        FailedPrecondition "CODE_SUPERSEDED" => Superseded;
        FailedPrecondition "START_AGAIN" => StartAgain;
        FailedPrecondition "METHOD_DISABLED" => NotReady;
        FailedPrecondition "MAIL_NOT_CONFIGURED" => NotReady;
        FailedPrecondition "ADDRESS_SUPPRESSED" => AddressSuppressed;
        InvalidArgument "DOMAIN_NOT_ALLOWED" => DomainNotAllowed;
        NotFound "AUTH_REQUEST_NOT_FOUND" => NotFound;
        ResourceExhausted "RATE_LIMITED" => RateLimited;
        ResourceExhausted "TOO_MANY_ATTEMPTS" => TooManyAttempts;
        PermissionDenied "PERMISSION_DENIED" => PermissionDenied;
        Unimplemented "UNIMPLEMENTED" => Unimplemented;
        Unavailable "UNAVAILABLE" => Unavailable;
        FailedPrecondition "SOMETHING_NEW" => Other;
    }
}

#[tokio::test]
async fn a_server_without_error_details_is_understood_by_its_grpc_code() {
    let error = told(Status::not_found("no such request")).await;
    assert!(matches!(error, Error::NotFound(_)));
    assert_eq!(error.error_code(), Some("NOT_FOUND"));
}

#[tokio::test]
async fn an_unknown_outcome_is_not_called_a_refusal() {
    let error = told(refusal(
        Code::Internal,
        "OUTCOME_UNKNOWN",
        "may have taken effect",
    ))
    .await;
    assert!(matches!(error, Error::OutcomeUnknown(_)));
}

#[tokio::test]
async fn the_wait_of_a_throttled_call_is_told() {
    let said = "rate limit exceeded: too many mails, try again in 42 seconds";
    let error = told(refusal(Code::ResourceExhausted, "RATE_LIMITED", said)).await;
    assert_eq!(error.retry_after(), Some(Duration::from_secs(42)));

    let mut status = refusal(Code::ResourceExhausted, "RATE_LIMITED", said);
    status
        .metadata_mut()
        .insert("retry-after", "41".parse().unwrap());
    assert_eq!(
        told(status).await.retry_after(),
        Some(Duration::from_secs(41))
    );
}

#[tokio::test]
async fn every_offending_field_is_told() {
    let violation = validation_error_info::FieldViolation {
        field: "email".into(),
        description: "email is required".into(),
        constraint: "required".into(),
    };
    let info = ErrorInfo {
        error_code: "INVALID_ARGUMENT".into(),
        validation_error_info: Some(ValidationErrorInfo {
            field_violations: vec![violation],
        }),
        ..ErrorInfo::default()
    };
    let error = told(detailed(Code::InvalidArgument, "email is required", &info)).await;
    let violations = error.refusal().unwrap().violations();
    assert_eq!(violations.len(), 1);
    assert_eq!(violations[0].field, "email");
    assert_eq!(violations[0].constraint, "required");
}

#[tokio::test]
async fn a_call_without_an_answer_ends_at_its_deadline() {
    let pair = Pair::with(|builder| builder.deadline(Duration::from_millis(200))).await;
    pair.next_call(Step::Silence);
    let error = pair.send().await.unwrap_err();
    assert!(matches!(error, Error::DeadlineExceeded(_)), "{error:?}");
}

#[tokio::test]
async fn the_client_says_its_name() {
    let pair = Pair::with(|builder| builder.user_agent("shop/7")).await;
    pair.send().await.unwrap();
    assert_eq!(lock(&pair.world().agents).pop().as_deref(), Some("shop/7"));
}
