use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use postern_client::{Client, Error, SendRequest, VerifyRequest};
use serde_json::{Value, json};

use crate::history::{Act, Call, History, Outcome};
use crate::world::World;

/// How long a client waits for an answer.
const PATIENCE: Duration = Duration::from_secs(20);

/// An application with a connection to each node, by both doors.
pub(crate) struct Application {
    pub(crate) world: Arc<World>,
    history: Arc<History>,
    http: reqwest::Client,
    token: String,
    grpc: Vec<Client>,
}

impl Application {
    /// Signs on.
    pub(crate) async fn new(world: &Arc<World>, history: &Arc<History>) -> Result<Self> {
        let http = reqwest::Client::builder()
            .no_proxy()
            .timeout(PATIENCE)
            .build()?;
        let (id, secret) = &world.client;
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", id),
            ("client_secret", secret),
        ];
        let url = format!("{}/oauth/token", world.urls[0]);
        let told: Value = http.post(url).form(&form).send().await?.json().await?;
        let grpc = world.urls.iter().map(|url| {
            let client = Client::builder(url, id, secret);
            client.repeats(0).deadline(PATIENCE).build()
        });
        Ok(Self {
            world: Arc::clone(world),
            history: Arc::clone(history),
            http,
            token: told["access_token"].as_str().unwrap_or_default().to_owned(),
            grpc: grpc.collect::<Result<_, _>>()?,
        })
    }

    /// Asks one node by one door, and writes down what came of it.
    pub(crate) async fn call(&self, node: usize, rest: bool, act: Act) -> Outcome {
        let start = self.world.at();
        let mut told = String::new();
        let outcome = if rest {
            self.over_rest(node, &act, &mut told).await
        } else {
            self.over_grpc(node, &act, &mut told).await
        };
        self.history.add(Call {
            node,
            rest,
            start,
            end: self.world.at(),
            act,
            outcome: outcome.clone(),
            told,
        });
        outcome
    }

    async fn over_rest(&self, node: usize, act: &Act, told: &mut String) -> Outcome {
        let (verb, body) = match act {
            Act::Send { to, lifetime } => ("send", json!({ "email": to, "expires_in": lifetime })),
            Act::Resend { request, .. } => ("resend", json!({ "auth_request_id": request })),
            Act::Verify { request, code, .. } => (
                "verify",
                json!({ "auth_request_id": request, "code": code }),
            ),
        };
        let url = format!("{}/api/v1/passwordless/email/{verb}", self.world.urls[node]);
        let call = self.http.post(url).bearer_auth(&self.token).json(&body);
        let answer = match call.send().await {
            Ok(answer) => answer,
            Err(error) if error.is_connect() => return Outcome::Unreached,
            Err(error) => {
                *told = format!("{error:?}");
                return Outcome::Unknown;
            }
        };
        let status = answer.status().as_u16();
        match answer.bytes().await {
            Ok(body) => {
                *told = String::from_utf8_lossy(&body).into_owned();
                read(act, status, &body)
            }
            Err(error) => {
                *told = format!("{error:?}");
                Outcome::Unknown
            }
        }
    }

    /// The client makes a call that a leaving server did not take once more by itself, and no other.
    async fn over_grpc(&self, node: usize, act: &Act, told: &mut String) -> Outcome {
        let ended = self.once_over_grpc(node, act).await;
        ended.unwrap_or_else(|error| {
            *told = format!("{error:?}");
            match &error {
                Error::Unreachable(_) => Outcome::Unreached,
                Error::OutcomeUnknown(_) | Error::DeadlineExceeded(_) => Outcome::Unknown,
                other => refused(other.error_code().unwrap_or("NO_ERROR_CODE")),
            }
        })
    }

    async fn once_over_grpc(&self, node: usize, act: &Act) -> Result<Outcome, Error> {
        let calls = self.grpc[node].passwordless();
        match act {
            Act::Send { to, lifetime } => {
                let asked = SendRequest::new(to).expires_in(Duration::from_secs(*lifetime));
                let sent = calls.send(asked).await?;
                Ok(Outcome::Sent(sent.auth_request_id))
            }
            Act::Resend { request, .. } => {
                let sent = calls.resend(request).await?;
                Ok(Outcome::Sent(sent.auth_request_id))
            }
            Act::Verify { request, code, .. } => {
                let verify = VerifyRequest::code(request, code);
                calls.verify(verify).await.map(|_| Outcome::Verified)
            }
        }
    }
}

/// What a whole answer by REST says.
fn read(act: &Act, status: u16, body: &[u8]) -> Outcome {
    let garbled = || Outcome::Garbled(format!("{status}: {}", String::from_utf8_lossy(body)));
    let Ok(told) = serde_json::from_slice::<Value>(body) else {
        return garbled();
    };
    let text = |found: &Value| found.as_str().map(str::to_owned);
    let read = match (status, act) {
        (200, Act::Verify { .. }) => text(&told["email"]).map(|_| Outcome::Verified),
        (200, _) => text(&told["auth_request_id"]).map(Outcome::Sent),
        _ => text(&told["details"][0]["error_code"]).map(|code| refused(&code)),
    };
    read.unwrap_or_else(garbled)
}

fn refused(code: &str) -> Outcome {
    match code {
        "UNAVAILABLE" => Outcome::NotDone,
        "OUTCOME_UNKNOWN" => Outcome::Unknown,
        other => Outcome::Refused(other.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn garbled(act: &Act, status: u16, body: &str) -> bool {
        matches!(read(act, status, body.as_bytes()), Outcome::Garbled(_))
    }

    #[test]
    fn an_answer_that_is_not_what_the_contract_says_is_a_class_of_its_own() {
        let send = Act::Send {
            to: "ada".into(),
            lifetime: 60,
        };
        let verify = Act::Verify {
            request: "it".into(),
            code: "1".into(),
            right: true,
        };
        assert!(garbled(&verify, 502, "<html>"));
        assert!(garbled(&verify, 200, ""));
        assert!(garbled(&send, 200, "{}"), "a send is no verify");
        assert!(garbled(&verify, 200, "{}"));
        assert!(garbled(&send, 500, "{\"code\":13}"));
        let told = "{\"details\":[{\"error_code\":\"UNAVAILABLE\"}]}";
        assert_eq!(read(&send, 503, told.as_bytes()), Outcome::NotDone);
        let told = b"{\"auth_request_id\":\"it\"}";
        assert_eq!(read(&send, 200, told), Outcome::Sent("it".into()));
        assert_eq!(
            read(&verify, 200, b"{\"email\":\"ada\"}"),
            Outcome::Verified
        );
    }
}
