//! The authentication log over both doors (contract §10).

use http::{Method, StatusCode};
use postern_core::flow::LogInput;
use postern_core::model::Role;
use postern_proto::scalekit::v1::auditlogs::{
    ListAuthLogRequest, audit_logs_service_client::AuditLogsServiceClient,
};
use serde_json::{Value, json};
use tonic::{Code, transport::Channel};

use crate::support::{
    Server,
    http::{Answer, http1},
};

const LIST: &str = "/api/v1/logs/authentication/requests";

async fn send(server: &Server, email: &str) -> String {
    let bearer = format!("Bearer {}", server.token().await);
    let headers = [
        ("content-type", "application/json"),
        ("authorization", bearer.as_str()),
    ];
    let body = json!({ "email": email }).to_string();
    let path = "/api/v1/passwordless/email/send";
    let answer = http1(server.addr, Method::POST, path, &headers, body).await;
    let id = answer.json()["auth_request_id"]
        .as_str()
        .unwrap()
        .to_owned();
    while server.app.postern.store().project().await.unwrap() {}
    id
}

async fn list(server: &Server, query: &str) -> Answer {
    let bearer = format!("Bearer {}", server.token().await);
    let headers = [("authorization", bearer.as_str())];
    let path = format!("{LIST}?{query}");
    http1(server.addr, Method::GET, &path, &headers, "").await
}

fn emails(body: &Value) -> Vec<&str> {
    let rows = body["authRequests"].as_array().unwrap();
    rows.iter()
        .map(|row| row["email"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn a_row_names_the_request_without_its_tag() {
    let server = Server::start().await;
    let tagged = send(&server, "Ada@example.com").await;
    let answer = list(&server, "").await;
    let body = answer.json();
    assert_eq!(body["total_size"], json!(1), "{body}");
    assert_eq!(
        (&body["next_page_token"], &body["prev_page_token"]),
        (&json!(""), &json!(""))
    );
    let row = &body["authRequests"][0];
    let id = row["auth_request_id"].as_str().unwrap();
    assert!(id.starts_with("req_") && id.len() == 26, "{id}");
    assert!(!tagged.contains(&id[4..]), "the capability is not shown");
    assert_eq!(
        (&row["email"], &row["status"]),
        (&json!("Ada@example.com"), &json!("INITIATED"))
    );
    assert_eq!(row["timestamp"], json!("2027-01-15T08:00:00Z"));
    assert_eq!(
        (&row["client_id"], &row["client_name"]),
        (&json!(server.client.id.to_string()), &json!("app"))
    );
    for search in [id, &tagged] {
        let found = list(&server, &format!("resource_id={search}")).await;
        assert_eq!(emails(&found.json()), ["Ada@example.com"]);
    }
}

#[tokio::test]
async fn pages_of_twenty_are_joined_by_their_tokens() {
    let server = Server::start().await;
    for n in 0..25 {
        send(&server, &format!("a{n}@example.com")).await;
    }
    let first = list(&server, "").await.json();
    assert_eq!(
        (emails(&first).len(), &first["total_size"]),
        (20, &json!(25))
    );
    assert_eq!(emails(&first)[0], "a24@example.com");
    let next = first["next_page_token"].as_str().unwrap();
    let second = list(&server, &format!("page_token={next}")).await.json();
    assert_eq!(emails(&second).last(), Some(&"a0@example.com"));
    assert_eq!(second["next_page_token"], json!(""));
    let back = second["prev_page_token"].as_str().unwrap();
    let again = list(&server, &format!("pageToken={back}")).await.json();
    assert_eq!(emails(&again), emails(&first));
}

#[tokio::test]
async fn filters_are_read_from_the_query_and_nonsense_is_named() {
    let server = Server::start().await;
    send(&server, "ada+x@example.com").await;
    for found in [
        "email=ada+x@example.com",
        "email=ADA%2Bx@example.com",
        "status=failed&status=Initiated",
        "start_time=2027-01-15T08:00:00Z&end_time=2027-01-15T09:00:00%2B01:00",
    ] {
        assert_eq!(
            emails(&list(&server, found).await.json()).len(),
            1,
            "{found}"
        );
    }
    for nothing in [
        "status=PENDING",
        "start_time=2027-01-15T08:00:01Z",
        "client_id=skc_7",
        "email=b@example.com",
    ] {
        assert_eq!(
            emails(&list(&server, nothing).await.json()).len(),
            0,
            "{nothing}"
        );
    }
    for (wrong, field) in [
        ("status=DONE", "status"),
        ("page_token=x", "page_token"),
        ("start_time=yesterday", "start_time"),
        ("page_size=many", "page_size"),
        ("email=ada", "email"),
        ("resource_id=req_1", "resource_id"),
    ] {
        let refused = list(&server, wrong).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST);
        let body = refused.json();
        let named = &body["details"][0]["validation_error_info"]["field_violations"][0]["field"];
        assert_eq!(named, field, "{body}");
    }
}

#[tokio::test]
async fn how_admins_sign_in_is_none_of_an_apps_business() {
    let server = Server::start().await;
    let postern = &server.app.postern;
    let owner = postern.put_admin("owner@example.com", Role::Owner);
    owner.await.unwrap();
    let uri = "https://sign-in.example.com/dashboard/sign-in/link";
    let mail = postern.admin_mail("owner@example.com", uri).unwrap();
    let mailed = postern.send_admin_mail(mail).await.unwrap();
    assert!(mailed.is_some(), "an admin signs in");
    send(&server, "ada@example.com").await;
    let own = postern.log(&LogInput::default()).await.unwrap();
    assert_eq!(
        (own.entries.len(), own.total),
        (2, 2),
        "the dashboard's own"
    );
    let id = own.entries[1].id;
    let body = list(&server, "").await.json();
    assert_eq!(emails(&body), ["ada@example.com"]);
    assert_eq!(body["total_size"], json!(1), "{body}");
    for asked in [
        "client_id=postern-dashboard".to_owned(),
        "email=owner@example.com".to_owned(),
        format!("resource_id={id}"),
    ] {
        let body = list(&server, &asked).await.json();
        assert_eq!(emails(&body).len(), 0, "{asked}: {body}");
        assert_eq!(body["total_size"], json!(0), "{asked}: {body}");
    }
}

#[tokio::test]
async fn the_grpc_twin_answers_the_same_and_needs_a_token() {
    let server = Server::start().await;
    send(&server, "ada@example.com").await;
    let channel = Channel::from_shared(server.url())
        .unwrap()
        .connect()
        .await
        .unwrap();
    let mut logs = AuditLogsServiceClient::new(channel);
    let refused = logs.list_auth_requests(ListAuthLogRequest::default()).await;
    assert_eq!(refused.unwrap_err().code(), Code::Unauthenticated);
    let mut request = tonic::Request::new(ListAuthLogRequest::default());
    let bearer = format!("Bearer {}", server.token().await);
    request
        .metadata_mut()
        .insert("authorization", bearer.parse().unwrap());
    let page = logs.list_auth_requests(request).await.unwrap().into_inner();
    assert_eq!((page.total_size, page.auth_requests.len()), (1, 1));
    assert_eq!(page.auth_requests[0].status, "INITIATED");
}

#[tokio::test]
async fn who_a_call_is_for_is_in_the_timeline_and_decides_nothing() {
    let server = Server::start().await;
    let bearer = format!("Bearer {}", server.token().await);
    let headers = [
        ("content-type", "application/json"),
        ("authorization", bearer.as_str()),
        ("postern-client-ip", "192.0.2.7"),
        ("postern-user-agent", "Firefox/200"),
    ];
    let path = "/api/v1/passwordless/email/send";
    let body = json!({"email": "ada@example.com"}).to_string();
    let answer = http1(server.addr, Method::POST, path, &headers, body).await;
    let id = answer.json()["auth_request_id"]
        .as_str()
        .unwrap()
        .to_owned();
    while server.app.postern.store().project().await.unwrap() {}
    let (entry, events) = server.app.postern.logged(&id).await.unwrap();
    let names: Vec<_> = events.iter().map(|event| event.what.name()).collect();
    assert_eq!(names, ["person", "initiated", "mail_queued"]);
    assert_eq!(entry.last, "mail_queued");
    let told = format!("{:?}", events[0].what);
    assert!(
        told.contains("192.0.2.7") && told.contains("Firefox/200"),
        "{told}"
    );
}
