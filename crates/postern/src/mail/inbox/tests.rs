use std::net::SocketAddr;
use std::time::Duration;

use axum::body::Body;
use http::{Request, StatusCode};
use http_body_util::BodyExt as _;
use postern_core::model::{AuthRequestId, DeliveryId, Email, RequestHandle, Timestamp};
use tower::ServiceExt as _;

use super::super::{Credentials, Parts};
use super::*;
use crate::listen::{RequestContext, RequestId};

struct Still;

impl Clock for Still {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix_seconds(1_795_379_460)
    }
}

struct World {
    inbox: Arc<DevInbox>,
    _folder: tempfile::TempDir,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let inbox = DevInbox::open(&folder.path().join("inbox.db"), Arc::new(Still)).unwrap();
        Self {
            inbox,
            _folder: folder,
        }
    }

    async fn mail(&self, to: &str, subject: &str) {
        let outcome = self
            .inbox
            .deliver(&mail(to, subject), Patience::WHOLE)
            .await;
        assert!(matches!(outcome, Outcome::Sent(_)), "{outcome:?}");
    }

    async fn get(&self, path: &str) -> (StatusCode, http::HeaderMap, String) {
        self.get_from("127.0.0.1:40000", "localhost:8080", path)
            .await
    }

    async fn get_from(
        &self,
        peer: &str,
        host: &str,
        path: &str,
    ) -> (StatusCode, http::HeaderMap, String) {
        let mut request = Request::get(path)
            .header("host", host)
            .body(Body::empty())
            .unwrap();
        let peer: SocketAddr = peer.parse().unwrap();
        let id: RequestId = RequestContext::of(&http::Extensions::new()).id;
        request.extensions_mut().insert(RequestContext { id, peer });
        let response = self.inbox.router().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        (
            parts.status,
            parts.headers,
            String::from_utf8(bytes.to_vec()).unwrap(),
        )
    }

    async fn messages(&self, query: &str) -> Vec<Value> {
        let (status, _, body) = self.get(&format!("/dev/inbox/messages{query}")).await;
        assert_eq!(status, StatusCode::OK, "{body}");
        serde_json::from_str(&body).unwrap()
    }
}

fn mail(to: &str, subject: &str) -> Mail {
    Mail {
        delivery: DeliveryId {
            request: AuthRequestId::from_bytes([1; 16]),
            ordinal: 0,
        },
        from: "Acme <login@acme.example>".parse().unwrap(),
        to: Email::parse(to).unwrap(),
        parts: Parts {
            subject: subject.to_owned(),
            text: "your code is 123456".to_owned(),
            html: "<html><head></head><b>123456</b></html>".to_owned(),
        },
        dated: Still.now(),
        credentials: Credentials {
            passcode: Some(Passcode::new("123456")),
            link: Some(SecretText::new("https://app.example/?link_token=t_l")),
            link_token: Some(LinkToken::new("t_l")),
            page_token: None,
            handle: RequestHandle::new("handle"),
        },
    }
}

fn subjects(mails: &[Value]) -> Vec<&str> {
    mails
        .iter()
        .map(|mail| mail["subject"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn a_message_has_everything_a_test_needs() {
    let world = World::new();
    world.mail("Ada@example.com", "hello").await;
    let mails = world.messages("").await;
    let headers = mails[0]["headers"].as_object().unwrap();
    assert_eq!(headers["Auto-Submitted"], "auto-generated");
    let mut rest = mails[0].clone();
    rest.as_object_mut().unwrap().remove("headers");
    let expected = json!({
        "id": "1", "to": "Ada@example.com", "from": "Acme <login@acme.example>", "subject": "hello",
        "text": "your code is 123456", "html": "<html><head></head><b>123456</b></html>", "otp": "123456",
        "link": "https://app.example/?link_token=t_l", "link_token": "t_l", "auth_request_id": "handle",
        "received_at": "2026-11-22T20:31:00.000Z",
    });
    assert_eq!(rest, expected);
}

#[tokio::test]
async fn an_empty_inbox_is_an_empty_array_at_once() {
    let world = World::new();
    assert!(world.messages("?to=ada@example.com").await.is_empty());
}

#[tokio::test]
async fn messages_are_asked_for_by_address_without_regard_to_case_and_from_an_id_on() {
    let world = World::new();
    for (to, subject) in [
        ("Ada@example.com", "a"),
        ("bob@example.com", "b"),
        ("ada@EXAMPLE.com", "c"),
        ("a+b@example.com", "d"),
    ] {
        world.mail(to, subject).await;
    }
    let found = world.messages("?to=aDa@example.com").await;
    assert_eq!(subjects(&found), ["a", "c"]);
    let after = format!(
        "?to=ada@example.com&after={}",
        found[0]["id"].as_str().unwrap()
    );
    assert_eq!(subjects(&world.messages(&after).await), ["c"]);
    assert_eq!(subjects(&world.messages("?limit=2").await), ["a", "b"]);
    for plus in ["?to=a+b@example.com", "?to=a%2Bb%40example.com"] {
        assert_eq!(subjects(&world.messages(plus).await), ["d"], "{plus}");
    }
}

#[tokio::test]
async fn a_long_answer_is_whole_and_in_order() {
    let world = World::new();
    let puts = (0..600).map(|n| {
        world
            .inbox
            .inbox
            .put(keep(&mail("ada@example.com", &format!("{n}")), "now"))
    });
    futures_util::future::join_all(puts).await;
    for (limit, count) in [
        (10_000, 600),
        (600, 600),
        (512, 512),
        (256, 256),
        (257, 257),
    ] {
        let mails = world.messages(&format!("?limit={limit}")).await;
        assert_eq!(mails.len(), count);
        assert!(
            mails
                .windows(2)
                .all(|pair| pair[0]["id"].as_str().unwrap().len()
                    <= pair[1]["id"].as_str().unwrap().len())
        );
        assert_eq!(mails.last().unwrap()["id"], format!("{count}"));
    }
}

#[tokio::test]
async fn a_wait_ends_with_the_first_match() {
    let world = World::new();
    let waiting = world.messages("?to=ada@example.com&wait=60");
    let others = async {
        world.mail("bob@example.com", "not this").await;
        world.mail("ada@example.com", "this").await;
    };
    let (found, ()) = tokio::time::timeout(
        Duration::from_secs(20),
        futures_util::future::join(waiting, others),
    )
    .await
    .unwrap();
    assert_eq!(subjects(&found), ["this"]);
}

#[tokio::test]
async fn a_wait_without_a_match_ends_with_an_empty_array() {
    let world = World::new();
    world.mail("bob@example.com", "not this").await;
    assert!(
        world
            .messages("?to=ada@example.com&wait=1")
            .await
            .is_empty()
    );
}

#[tokio::test]
async fn bad_parameters_are_named_in_a_json_400() {
    let world = World::new();
    for (query, field) in [
        ("wait=61", "wait"),
        ("wait=-1", "wait"),
        ("wait=soon", "wait"),
        ("limit=0", "limit"),
        ("limit=10001", "limit"),
        ("after=x", "after"),
        ("after=-1", "after"),
    ] {
        let (status, _, body) = world.get(&format!("/dev/inbox/messages?{query}")).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{query}");
        let body: Value = serde_json::from_str(&body).unwrap();
        assert_eq!(body["code"], 3);
        assert!(
            body.to_string().contains(&format!("\"field\":\"{field}\"")),
            "{body}"
        );
    }
}

#[tokio::test]
async fn the_inbox_does_not_exist_beyond_loopback() {
    let world = World::new();
    world.mail("ada@example.com", "secret").await;
    for path in [
        "/dev/inbox",
        "/dev/inbox/messages",
        "/dev/inbox/mails/1",
        "/dev/inbox/mails/1/html",
    ] {
        for (peer, host) in [
            ("192.0.2.7:1", "localhost"),
            ("127.0.0.1:1", "evil.example"),
            ("127.0.0.1:1", "127.0.0.1.nip.io"),
        ] {
            let (status, _, body) = world.get_from(peer, host, path).await;
            assert_eq!(status, StatusCode::NOT_FOUND, "{peer} {host} {path}");
            assert!(!body.contains("secret"));
        }
        for (peer, host) in [
            ("127.0.0.1:1", "127.0.0.1:8080"),
            ("[::1]:1", "[::1]:8080"),
            ("[::ffff:127.0.0.1]:1", "localhost"),
        ] {
            assert_eq!(
                world.get_from(peer, host, path).await.0,
                StatusCode::OK,
                "{peer} {host} {path}"
            );
        }
    }
}

#[tokio::test]
async fn pages_show_whatever_a_mail_says_as_text() {
    let world = World::new();
    world
        .mail("ada@example.com", "</title><script>alert(1)</script>")
        .await;
    for path in ["/dev/inbox", "/dev/inbox/mails/1"] {
        let (_, headers, body) = world.get(path).await;
        assert!(!body.contains("<script"), "{path}");
        assert!(body.contains("&lt;script"), "{path}");
        assert!(
            headers["content-security-policy"]
                .to_str()
                .unwrap()
                .starts_with("default-src 'none'")
        );
    }
}

#[tokio::test]
async fn a_mail_page_shows_code_and_link_and_frames_the_html_without_rights() {
    let world = World::new();
    world.mail("ada@example.com", "hello").await;
    let (_, _, page) = world.get("/dev/inbox/mails/1").await;
    assert!(page.contains("<p class=\"code\">123456</p>"));
    assert!(
        page.contains("link_token=t_l\" rel=\"noreferrer\""),
        "{page}"
    );
    let (_, headers, html) = world.get("/dev/inbox/mails/1/html").await;
    assert!(html.contains("<b>123456</b>"));
    assert!(
        headers["content-security-policy"]
            .to_str()
            .unwrap()
            .starts_with("sandbox allow-popups")
    );
    for path in [
        "/dev/inbox/mails/2",
        "/dev/inbox/mails/x",
        "/dev/inbox/mails/2/html",
    ] {
        assert_eq!(world.get(path).await.0, StatusCode::NOT_FOUND);
    }
}
