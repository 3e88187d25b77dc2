//! An application that calls the REST API, and a person who reads the development inbox.

use postern_testkit::process::Credentials;
use reqwest::RequestBuilder;
use serde_json::{Value, json};

/// One application with its access token.
pub(crate) struct Caller {
    http: reqwest::Client,
    url: String,
    token: String,
}

/// An answer: the HTTP status and the JSON body.
pub(crate) type Answer = (u16, Value);

impl Caller {
    /// Gets a token with the credentials of `postern dev`.
    pub(crate) async fn new(credentials: &Credentials) -> Self {
        let http = reqwest::Client::new();
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", &credentials.client_id),
            ("client_secret", &credentials.client_secret),
        ];
        let url = credentials.url.clone();
        let asked = http
            .post(format!("{url}/oauth/token"))
            .form(&form)
            .send()
            .await;
        let answer: Value = asked
            .expect("the server answers")
            .json()
            .await
            .expect("a token answer is JSON");
        let token = answer["access_token"]
            .as_str()
            .expect("an access token")
            .to_owned();
        Self { http, url, token }
    }

    /// The access token it presents.
    pub(crate) fn token(&self) -> &str {
        &self.token
    }

    /// Asks for a mail to this address, with a lifetime that outlives every restart of a test.
    pub(crate) async fn send(&self, to: &str) -> reqwest::Result<Answer> {
        self.post("send", &json!({ "email": to, "expires_in": 3600 }))
            .await
    }

    /// Asks for the mail of this request again.
    pub(crate) async fn resend(&self, auth_request_id: &str) -> reqwest::Result<Answer> {
        self.post("resend", &json!({ "auth_request_id": auth_request_id }))
            .await
    }

    /// Presents a code.
    pub(crate) async fn verify(
        &self,
        auth_request_id: &str,
        code: &str,
    ) -> reqwest::Result<Answer> {
        self.post(
            "verify",
            &json!({ "auth_request_id": auth_request_id, "code": code }),
        )
        .await
    }

    /// Calls one of the three, with any body.
    pub(crate) async fn post(&self, verb: &str, body: &Value) -> reqwest::Result<Answer> {
        let url = format!("{}/api/v1/passwordless/email/{verb}", self.url);
        let answer = self
            .http
            .post(url)
            .bearer_auth(&self.token)
            .json(body)
            .send()
            .await?;
        Ok((answer.status().as_u16(), answer.json().await?))
    }

    /// Reads the newest page of the authentication log.
    pub(crate) async fn log(&self) -> reqwest::Result<Answer> {
        let url = format!("{}/api/v1/logs/authentication/requests", self.url);
        let answer = self.http.get(url).bearer_auth(&self.token).send().await?;
        Ok((answer.status().as_u16(), answer.json().await?))
    }

    /// Posts to `path` what `made` makes of the request, and tells the status of the answer.
    pub(crate) async fn raw(
        &self,
        path: &str,
        made: impl FnOnce(RequestBuilder) -> RequestBuilder,
    ) -> u16 {
        let request = made(self.http.post(format!("{}/{path}", self.url)));
        request
            .send()
            .await
            .expect("the server answers")
            .status()
            .as_u16()
    }

    /// The mails to this address after the mail with the id `after`, waiting up to 10 s for the first.
    pub(crate) async fn mails(&self, to: &str, after: Option<&str>) -> reqwest::Result<Vec<Value>> {
        let mut query = vec![("to", to), ("wait", "10")];
        query.extend(after.map(|id| ("after", id)));
        let url = format!("{}/dev/inbox/messages", self.url);
        self.http.get(url).query(&query).send().await?.json().await
    }
}

/// The text at `name` of a JSON object, which must have it.
pub(crate) fn text(value: &Value, name: &str) -> String {
    value[name]
        .as_str()
        .unwrap_or_else(|| panic!("{value} has no {name}"))
        .to_owned()
}

/// The `error_code` of a refusal, empty in an answer that is none.
pub(crate) fn error_code(answer: &Answer) -> &str {
    answer.1["details"][0]["error_code"]
        .as_str()
        .unwrap_or_default()
}
