//! The proto3 JSON forms that the REST door promises (contract §8).
#![expect(clippy::unwrap_used, reason = "a test may")]

use postern_proto::{
    scalekit::v1::{
        auditlogs::{AuthLogRequest, ListAuthLogResponse},
        auth::passwordless::{
            PasswordlessType, SendPasswordlessRequest, SendPasswordlessResponse, TemplateType,
            VerifyPasswordLessRequest, VerifyPasswordLessResponse,
            verify_password_less_request::AuthCredential,
        },
        errdetails::{ErrorInfo, ValidationErrorInfo, validation_error_info::FieldViolation},
    },
    timestamp::Timestamp,
};
use serde_json::json;

fn read<T: serde::de::DeserializeOwned>(value: serde_json::Value) -> T {
    serde_json::from_value(value).unwrap()
}

fn written(value: &impl serde::Serialize) -> serde_json::Value {
    serde_json::to_value(value).unwrap()
}

#[test]
fn sixty_four_bit_integers_are_strings_and_enums_are_names() {
    let answer = SendPasswordlessResponse {
        auth_request_id: "abc".to_owned(),
        expires_at: 1_748_696_575,
        expires_in: 300,
        passwordless_type: PasswordlessType::LinkOtp.into(),
    };
    assert_eq!(
        serde_json::to_string(&answer).unwrap(),
        r#"{"auth_request_id":"abc","expires_at":"1748696575","expires_in":300,"passwordless_type":"LINK_OTP"}"#
    );
}

#[test]
fn plain_fields_are_always_shown_and_unset_optional_ones_never() {
    let empty = VerifyPasswordLessResponse::default();
    assert_eq!(
        written(&empty),
        json!({"email": "", "passwordless_type": "PASSWORDLESS_TYPE_UNSPECIFIED"})
    );
    let full = VerifyPasswordLessResponse {
        email: "a@b.c".to_owned(),
        state: Some(String::new()),
        template: Some(TemplateType::Unspecified.into()),
        passwordless_type: PasswordlessType::Otp.into(),
    };
    assert_eq!(
        written(&full),
        json!({"email": "a@b.c", "state": "", "template": "UNSPECIFIED", "passwordless_type": "OTP"})
    );
}

#[test]
fn both_cases_numbers_as_strings_and_unknown_keys_are_read() {
    let wanted = SendPasswordlessRequest {
        email: "a@b.c".to_owned(),
        template: Some(TemplateType::Signup.into()),
        magiclink_auth_uri: Some("https://x.y/z".to_owned()),
        state: None,
        expires_in: Some(300),
        template_variables: [("name".to_owned(), "Ada".to_owned())].into(),
    };
    let snake = json!({"email": "a@b.c", "template": "SIGNUP", "magiclink_auth_uri": "https://x.y/z",
        "expires_in": 300, "template_variables": {"name": "Ada"}, "who": [1, {"knows": null}]});
    let camel = json!({"email": "a@b.c", "template": 2, "magiclinkAuthUri": "https://x.y/z",
        "expiresIn": "300", "templateVariables": {"name": "Ada"}});
    assert_eq!(read::<SendPasswordlessRequest>(snake), wanted);
    assert_eq!(read::<SendPasswordlessRequest>(camel), wanted);
}

#[test]
fn an_explicit_zero_template_is_kept_apart_from_none() {
    let zero: SendPasswordlessRequest = read(json!({"template": 0}));
    assert_eq!(zero.template, Some(0));
    let none: SendPasswordlessRequest = read(json!({"template": null}));
    assert_eq!(none.template, None);
}

#[test]
fn a_proof_is_a_code_or_a_link_token() {
    let code: VerifyPasswordLessRequest = read(json!({"code": "1", "auth_request_id": "r"}));
    assert_eq!(
        code.auth_credential,
        Some(AuthCredential::Code("1".to_owned()))
    );
    let link: VerifyPasswordLessRequest = read(json!({"linkToken": "t", "code": null}));
    assert_eq!(
        link.auth_credential,
        Some(AuthCredential::LinkToken("t".to_owned()))
    );
}

#[test]
fn an_error_info_shows_its_code_and_only_the_details_it_has() {
    let mut info = ErrorInfo {
        error_code: "UNAUTHENTICATED".to_owned(),
        ..ErrorInfo::default()
    };
    assert_eq!(written(&info), json!({"error_code": "UNAUTHENTICATED"}));
    info.validation_error_info = Some(ValidationErrorInfo {
        field_violations: vec![FieldViolation {
            field: "email".to_owned(),
            description: "email is required".to_owned(),
            constraint: "required".to_owned(),
        }],
    });
    assert_eq!(
        written(&info)["validation_error_info"],
        json!({"field_violations": [{"field": "email", "description": "email is required", "constraint": "required"}]})
    );
}

#[test]
fn the_log_keeps_its_odd_key_and_writes_rfc_3339_times() {
    let row = AuthLogRequest {
        timestamp: Some(Timestamp {
            seconds: 1_748_696_575,
            nanos: 0,
        }),
        ..AuthLogRequest::default()
    };
    let page = ListAuthLogResponse {
        auth_requests: vec![row],
        ..ListAuthLogResponse::default()
    };
    let page = written(&page);
    assert_eq!(page["authRequests"][0]["timestamp"], "2025-05-31T13:02:55Z");
    assert_eq!(page["next_page_token"], "");
    assert_eq!(page["total_size"], 0);
    assert_eq!(
        read::<Timestamp>(json!("2025-05-31T13:02:55Z")).seconds,
        1_748_696_575
    );
}
