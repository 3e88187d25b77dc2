use crate::serve::Running;

#[tokio::test]
async fn metrics_have_a_listener_of_their_own_and_count_calls_by_method_and_outcome() {
    let folder = tempfile::tempdir().expect("a folder");
    let metrics = free_address();
    let data = folder.path().join("data");
    let data = data.to_str().expect("UTF-8");
    let server = Running::dev(&[
        "--listen",
        "127.0.0.1:0",
        "--data",
        data,
        "--metrics",
        &metrics,
    ]);
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

async fn get(url: &str) -> (u16, String) {
    let answer = reqwest::get(url).await.expect("it answers");
    (answer.status().as_u16(), answer.text().await.expect("text"))
}

fn free_address() -> String {
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    free.local_addr().expect("it is bound").to_string()
}
