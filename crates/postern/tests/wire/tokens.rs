//! `/oauth/token`, `/keys` and the metadata (contract §1.4, §1.8, §1.15-17, §5, §6).

use std::{collections::HashSet, time::Duration};

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{
    ISSUER, Server,
    http::{get, http1, http2, post_form},
};

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

fn claims(token: &str) -> (Value, Value) {
    let mut parts = token
        .split('.')
        .map(|part| URL_SAFE_NO_PAD.decode(part).unwrap());
    let mut next = || serde_json::from_slice(&parts.next().unwrap()).unwrap();
    (next(), next())
}

#[tokio::test]
async fn a_token_answer_is_200_with_an_integer_lifetime_and_is_never_cached() {
    let server = Server::start().await;
    let answer = post_form(server.addr, "/oauth/token", &server.token_form()).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let body = answer.json();
    assert_eq!(body["expires_in"], json!(86399));
    assert_eq!(body["token_type"], "Bearer");
}

#[tokio::test]
async fn tokens_are_given_over_http2_too() {
    let server = Server::start().await;
    let form = server.token_form();
    let answer = http2(server.addr, Method::POST, "/oauth/token", &[FORM], form).await;
    assert_eq!(answer.status, StatusCode::OK);
    let keys = http2(server.addr, Method::GET, "/keys", &[], "").await;
    assert_eq!(keys.status, StatusCode::OK);
}

#[tokio::test]
async fn the_claims_satisfy_every_sdk() {
    let server = Server::start().await;
    let (header, claims) = claims(&server.token().await);
    let client = server.client.id.as_str();
    let now = server.app.postern.now().unix_seconds();
    assert_eq!(header["alg"], "RS256");
    assert_eq!(header["typ"], "JWT");
    assert!(header["kid"].as_str().unwrap().starts_with("snk_"));
    assert_eq!(claims["iss"], ISSUER);
    assert_eq!(claims["aud"], json!([client]));
    assert_eq!(claims["sub"], client);
    assert_eq!(claims["client_id"], client);
    assert_eq!(claims["exp"], now + 86399);
    assert!(claims["iat"].as_i64().unwrap() < now, "back-dated");
    assert!(claims["nbf"].as_i64().unwrap() < now, "back-dated");
    assert!(claims["jti"].as_str().unwrap().starts_with("tkn_"));
}

#[tokio::test]
async fn every_token_is_distinct() {
    let server = Server::start().await;
    let mut names = HashSet::new();
    for _ in 0..8 {
        let (_, claims) = claims(&server.token().await);
        assert!(names.insert(claims["jti"].as_str().unwrap().to_owned()));
    }
}

#[tokio::test]
async fn the_signature_verifies_against_the_published_keys() {
    let server = Server::start().await;
    let token = server.token().await;
    let (header, _) = claims(&token);
    let published = get(server.addr, "/keys").await.json();
    let keys = published["keys"].as_array().unwrap().clone();
    assert_eq!(keys.len(), 2, "the active key and the standby");
    for key in &keys {
        let shape = (&key["kty"], &key["use"], &key["alg"], &key["e"]);
        assert_eq!(
            shape,
            (
                &json!("RSA"),
                &json!("sig"),
                &json!("RS256"),
                &json!("AQAB")
            )
        );
    }
    let key = keys.iter().find(|key| key["kid"] == header["kid"]).unwrap();
    let (n, e) = (key["n"].as_str().unwrap(), key["e"].as_str().unwrap());
    let key = jsonwebtoken::DecodingKey::from_rsa_components(n, e).unwrap();
    let mut rules = jsonwebtoken::Validation::new(jsonwebtoken::Algorithm::RS256);
    rules.set_audience(&[server.client.id.as_str()]);
    rules.set_issuer(&[ISSUER]);
    rules.validate_exp = false;
    jsonwebtoken::decode::<Value>(&token, &key, &rules).unwrap();
}

#[tokio::test]
async fn http_basic_and_a_doubled_slash_are_taken() {
    let server = Server::start().await;
    let pair = format!("{}:{}", server.client.id, server.client.secret.expose());
    let basic = format!("Basic {}", STANDARD.encode(pair));
    let headers = [FORM, ("authorization", basic.as_str())];
    let form = "grant_type=client_credentials";
    let answer = http1(server.addr, Method::POST, "//oauth/token", &headers, form).await;
    assert_eq!(answer.status, StatusCode::OK);
}

#[tokio::test]
async fn a_stale_bearer_token_is_ignored_by_the_token_and_key_endpoints() {
    let server = Server::start().await;
    let stale = ("authorization", "Bearer eyJhbGciOiJSUzI1NiJ9.e30.c3RhbGU");
    let form = server.token_form();
    let token = http1(
        server.addr,
        Method::POST,
        "/oauth/token",
        &[FORM, stale],
        form,
    )
    .await;
    assert_eq!(token.status, StatusCode::OK);
    let keys = http1(server.addr, Method::GET, "/keys", &[stale], "").await;
    assert_eq!(keys.status, StatusCode::OK);
}

#[tokio::test]
async fn a_wrong_secret_and_an_unknown_client_are_the_same_401() {
    let server = Server::start().await;
    let wrong = format!(
        "grant_type=client_credentials&client_id={}&client_secret=x",
        server.client.id
    );
    let unknown = "grant_type=client_credentials&client_id=skc_0&client_secret=x";
    let wrong = post_form(server.addr, "/oauth/token", &wrong).await;
    let unknown = post_form(server.addr, "/oauth/token", unknown).await;
    assert_eq!(wrong.status, StatusCode::UNAUTHORIZED);
    assert_eq!(wrong.json()["error"], "invalid_client");
    assert_eq!(wrong.body, unknown.body);
    assert_eq!(wrong.status, unknown.status);
}

#[tokio::test]
async fn oauth_refusals_have_the_shape_of_rfc_6749() {
    let server = Server::start().await;
    let form = server.token_form();
    let other_grant = form.replace("client_credentials", "password");
    let no_grant = form.replace("grant_type", "grant");
    let twice = format!("{form}&client_id=x");
    let cases = [
        (other_grant.as_str(), 400, "unsupported_grant_type"),
        (&no_grant, 400, "invalid_request"),
        (&twice, 400, "invalid_request"),
        ("", 401, "invalid_client"),
    ];
    for (form, status, error) in cases {
        let answer = post_form(server.addr, "/oauth/token", form).await;
        assert_eq!(answer.status.as_u16(), status, "{form}");
        assert_eq!(answer.json()["error"], error);
        assert!(answer.json()["error_description"].is_string());
    }
    let json = [("content-type", "application/json")];
    let answer = http1(server.addr, Method::POST, "/oauth/token", &json, "{}").await;
    assert_eq!(answer.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    assert_eq!(answer.json()["error"], "invalid_request");
}

#[tokio::test]
async fn the_metadata_lists_what_is_served_under_the_public_url() {
    let server = Server::start().await;
    let openid = get(server.addr, "/.well-known/openid-configuration")
        .await
        .json();
    let oauth = get(server.addr, "/.well-known/oauth-authorization-server")
        .await
        .json();
    assert_eq!(openid, oauth);
    assert_eq!(openid["issuer"], ISSUER);
    assert_eq!(openid["token_endpoint"], format!("{ISSUER}/oauth/token"));
    assert_eq!(openid["jwks_uri"], format!("{ISSUER}/keys"));
    assert!(
        openid.get("authorization_endpoint").is_none(),
        "not served yet"
    );
    let addresses = openid
        .as_object()
        .unwrap()
        .iter()
        .filter(|(name, _)| name.ends_with("_endpoint"));
    for (_, address) in addresses {
        let path = address.as_str().unwrap().strip_prefix(ISSUER).unwrap();
        let probe = get(server.addr, path).await;
        assert_ne!(probe.status, StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn a_token_ends_with_its_lifetime_and_with_its_client_but_not_with_its_secret() {
    let server = Server::start().await;
    let bearer = format!("Bearer {}", server.token().await);
    let ask = || async {
        let headers = [("authorization", bearer.as_str())];
        http1(
            server.addr,
            Method::POST,
            "/api/v1/passwordless/email/send",
            &headers,
            "{}",
        )
        .await
        .status
    };
    assert_eq!(ask().await, StatusCode::BAD_REQUEST, "known");
    let postern = &server.app.postern;
    postern
        .rotate_client(&server.client.id, Duration::ZERO, None)
        .await
        .unwrap();
    assert_eq!(
        ask().await,
        StatusCode::BAD_REQUEST,
        "rotation ends no token"
    );
    server.advance(Duration::from_secs(86_398));
    assert_eq!(ask().await, StatusCode::BAD_REQUEST, "its last second");
    server.advance(Duration::from_secs(1));
    assert_eq!(
        ask().await,
        StatusCode::UNAUTHORIZED,
        "expired, though remembered"
    );
}

#[tokio::test]
async fn revoking_a_client_ends_its_tokens_at_once() {
    let server = Server::start().await;
    let bearer = format!("Bearer {}", server.token().await);
    let ask = || async {
        let headers = [("authorization", bearer.as_str())];
        http1(
            server.addr,
            Method::POST,
            "/api/v1/passwordless/email/send",
            &headers,
            "{}",
        )
        .await
        .status
    };
    assert_eq!(ask().await, StatusCode::BAD_REQUEST, "known");
    server
        .app
        .postern
        .revoke_client(&server.client.id)
        .await
        .unwrap();
    assert_eq!(ask().await, StatusCode::UNAUTHORIZED);
}
