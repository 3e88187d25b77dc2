use std::time::Duration;

use crate::{BuildError, Client, SendRequest, VerifyRequest};

#[test]
fn a_url_is_an_origin_with_or_without_a_slash() {
    for url in [
        "http://localhost:8080",
        "https://auth.example.com/",
        "http://[::1]:80",
    ] {
        Client::new(url, "id", "secret").expect(url);
    }
    for url in [
        "",
        "localhost:8080",
        "ftp://host",
        "https://host/path",
        "https://host?x",
        "http://a@host",
        "/",
    ] {
        let refused = Client::new(url, "id", "secret").expect_err(url);
        assert_eq!(refused, BuildError::InvalidUrl(url.to_owned()));
    }
}

#[test]
fn a_private_ca_that_is_no_certificate_is_refused() {
    let builder = Client::builder("https://localhost", "id", "secret");
    let refused = builder.ca_pem("no certificate").build().unwrap_err();
    assert!(matches!(refused, BuildError::InvalidCa(_)));
}

#[test]
fn a_user_agent_that_is_no_header_is_refused() {
    let builder = Client::builder("http://localhost", "id", "secret");
    let refused = builder.user_agent("two\nlines").build().unwrap_err();
    assert_eq!(refused, BuildError::InvalidUserAgent);
}

#[test]
fn debug_prints_no_secret() {
    let client = Client::new("http://localhost", "the-id", "the-secret").unwrap();
    let send = SendRequest::new("the-address")
        .state("the-state")
        .variable("v1", "the-value");
    let verify = VerifyRequest::code("the-request", "the-code");
    let printed = format!(
        "{client:?} {:?} {verify:?}",
        send.expires_in(Duration::from_mins(1))
    );
    assert!(!printed.contains("the-"), "{printed}");
}
