use serde_json::{Value, json};

use crate::serve::Running;
use crate::{Application, eventually};

/// A development server whose metrics are asked for there.
fn measured(data: &str, metrics: &str) -> Running {
    Running::dev(&[
        "--listen",
        "127.0.0.1:0",
        "--data",
        data,
        "--metrics",
        metrics,
    ])
}

#[tokio::test]
async fn metrics_have_a_listener_of_their_own_and_count_calls_by_method_and_outcome() {
    let folder = tempfile::tempdir().expect("a folder");
    let metrics = free_address();
    let data = folder.path().join("data");
    let data = data.to_str().expect("UTF-8");
    let server = measured(data, &metrics);
    let url = server.told["url"].as_str().expect("a URL");
    let send = format!("{url}/api/v1/passwordless/email/send");
    let refused = reqwest::Client::new().post(send).body("{}").send().await;
    assert_eq!(refused.expect("it answers").status(), 401);

    let (_, text) = get(&format!("http://{metrics}/metrics")).await;
    for series in [
        r#"postern_requests_total{method="send",door="rest",outcome="unauthenticated"} 1"#,
        "postern_outbox_depth 0",
        "postern_snapshot_age_seconds ",
        "postern_store_queue_depth ",
    ] {
        assert!(text.contains(series), "{series}\n{text}");
    }
    assert_eq!(get(&format!("{url}/metrics")).await.0, 404);
    assert_eq!(get(&format!("http://{metrics}/readyz")).await.0, 200);
}

#[tokio::test]
async fn a_sign_in_is_counted_from_the_call_to_the_mail_and_the_verdict() {
    let folder = tempfile::tempdir().expect("a folder");
    let (metrics, data) = (free_address(), folder.path().join("data"));
    let data = data.to_str().expect("UTF-8");
    let server = measured(data, &metrics);
    let told = |name: &str| server.told[name].as_str().expect("text").to_owned();
    let (url, id, secret) = (told("url"), told("client_id"), told("client_secret"));
    let app = Application::sign_on(&url, &id, &secret).await;
    let app = app.expect("the client is good");
    let (_, sent) = app.send("ada@example.com").await;
    let mails = get(&format!("{url}/dev/inbox/messages?wait=10")).await.1;
    let mails: Value = serde_json::from_str(&mails).expect("JSON");
    let code = mails[0]["otp"].as_str().expect("a code");
    let wrong = if code == "000000" { "111111" } else { "000000" };
    for code in [wrong, code] {
        let proof = json!({ "auth_request_id": sent["auth_request_id"], "code": code });
        app.call("verify", proof).await;
    }
    let scrape = format!("http://{metrics}/metrics");
    eventually("the mail is counted", async || {
        let sent = "postern_delivery_attempts_total{outcome=\"sent\"} 1\n";
        get(&scrape).await.1.contains(sent)
    })
    .await;
    let text = get(&scrape).await.1;
    for series in [
        r#"postern_requests_total{method="token",door="oauth",outcome="ok"} 1"#,
        r#"postern_requests_total{method="verify",door="rest",outcome="refused"} 1"#,
        r#"postern_requests_total{method="verify",door="rest",outcome="ok"} 1"#,
        r#"postern_request_duration_seconds_count{method="send",door="rest"} 1"#,
        r#"postern_redeem_verdicts_total{verdict="wrong"} 1"#,
        r#"postern_redeem_verdicts_total{verdict="accepted"} 1"#,
        "postern_mail_time_to_sent_seconds_count 1",
        "postern_outbox_depth 0",
        "postern_outbox_oldest_age_seconds 0",
    ] {
        assert!(text.contains(series), "{series}\n{text}");
    }
}

async fn get(url: &str) -> (u16, String) {
    let answer = reqwest::get(url).await.expect("it answers");
    (answer.status().as_u16(), answer.text().await.expect("text"))
}

fn free_address() -> String {
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    free.local_addr().expect("it is bound").to_string()
}
