use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use postern_client::{Client, Error, SendRequest, VerifyRequest};
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::history::{Act, Call, History, Outcome};
use crate::random::Random;
use crate::world::World;

/// How long a client waits for an answer.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long requests live, in seconds: longer than a mail may be late, so that none is excused.
pub(crate) const LIFETIME: u64 = 300;

/// An application with a connection to each node, by both doors.
pub(crate) struct Application {
    world: Arc<World>,
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
        let outcome = if rest {
            self.over_rest(node, &act).await
        } else {
            self.over_grpc(node, &act).await
        };
        self.history.add(Call {
            start,
            end: self.world.at(),
            act,
            outcome: outcome.clone(),
        });
        outcome
    }

    async fn over_rest(&self, node: usize, act: &Act) -> Outcome {
        let (verb, body) = match act {
            Act::Send { to } => ("send", json!({ "email": to, "expires_in": LIFETIME })),
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
            Err(error) if error.is_connect() => return Outcome::NotDone,
            Err(_) => return Outcome::Unknown,
        };
        let status = answer.status().as_u16();
        let Ok(told) = answer.json::<Value>().await else {
            return Outcome::Unknown;
        };
        if status == 200 {
            return match told["auth_request_id"].as_str() {
                Some(request) => Outcome::Sent(request.to_owned()),
                None => Outcome::Verified,
            };
        }
        refused(
            told["details"][0]["error_code"]
                .as_str()
                .unwrap_or("NO_ERROR_CODE"),
        )
    }

    async fn over_grpc(&self, node: usize, act: &Act) -> Outcome {
        let calls = self.grpc[node].passwordless();
        let ended = match act {
            Act::Send { to } => {
                let asked = SendRequest::new(to).expires_in(Duration::from_secs(LIFETIME));
                let sent = calls.send(asked).await;
                sent.map(|sent| Outcome::Sent(sent.auth_request_id))
            }
            Act::Resend { request, .. } => {
                let sent = calls.resend(request).await;
                sent.map(|sent| Outcome::Sent(sent.auth_request_id))
            }
            Act::Verify { request, code, .. } => {
                let verify = VerifyRequest::code(request, code);
                calls.verify(verify).await.map(|_| Outcome::Verified)
            }
        };
        ended.unwrap_or_else(|error| match &error {
            Error::Unreachable(_) => Outcome::NotDone,
            Error::OutcomeUnknown(_) | Error::DeadlineExceeded(_) => Outcome::Unknown,
            other => refused(other.error_code().unwrap_or("NO_ERROR_CODE")),
        })
    }
}

fn refused(code: &str) -> Outcome {
    match code {
        "UNAVAILABLE" => Outcome::NotDone,
        "OUTCOME_UNKNOWN" => Outcome::Unknown,
        other => Outcome::Refused(other.to_owned()),
    }
}

/// A person, or several who share a few addresses, until `stop`.
pub(crate) struct Person {
    pub(crate) application: Arc<Application>,
    pub(crate) random: Random,
    pub(crate) name: usize,
}

impl Person {
    /// Signs in over and over, in all the ways that people do.
    pub(crate) async fn live(mut self, stop: watch::Receiver<bool>) {
        let mut turn = 0;
        while !*stop.borrow() {
            turn += 1;
            let to = if self.random.below(4) == 0 {
                format!("shared{}@example.com", self.random.below(6))
            } else {
                format!("p{}.{turn}@example.com", self.name)
            };
            let Outcome::Sent(request) = self.ask(Act::Send { to: to.clone() }).await else {
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            };
            match self.random.below(8) {
                0 => {}
                1 => self.guess(&request, 7).await,
                2 => self.resend(&to, &request).await,
                3 => {
                    let wrong = self.random.below(4);
                    self.guess(&request, wrong).await;
                    self.sign_in(&to, &request).await;
                }
                _ => self.sign_in(&to, &request).await,
            }
        }
    }

    async fn ask(&mut self, act: Act) -> Outcome {
        let node = self.random.index(self.application.world.urls.len());
        let rest = self.random.below(2) == 0;
        self.application.call(node, rest, act).await
    }

    async fn guess(&mut self, request: &str, times: u64) {
        for _ in 0..times {
            let code = format!("{:010}", self.random.below(10_000_000_000));
            let act = Act::Verify {
                request: request.to_owned(),
                code,
                right: false,
            };
            self.ask(act).await;
        }
    }

    async fn resend(&mut self, to: &str, request: &str) {
        let act = Act::Resend {
            to: to.to_owned(),
            request: request.to_owned(),
        };
        self.ask(act).await;
        self.sign_in(to, request).await;
    }

    /// Types every code that came, each on two nodes at once.
    async fn sign_in(&mut self, to: &str, request: &str) {
        let world = Arc::clone(&self.application.world);
        for _ in 0..20 {
            let mails = world.mails_to(to);
            if !mails.is_empty() {
                for mail in mails.iter().rev().take(2) {
                    self.twice(request, &mail.code).await;
                }
                return;
            }
            tokio::time::sleep(Duration::from_millis(150)).await;
        }
    }

    async fn twice(&mut self, request: &str, code: &str) {
        let act = Act::Verify {
            request: request.to_owned(),
            code: code.to_owned(),
            right: true,
        };
        let nodes = self.application.world.urls.len();
        let (one, other) = (self.random.index(nodes), self.random.index(nodes));
        let application = &self.application;
        tokio::join!(
            application.call(one, true, act.clone()),
            application.call(other, false, act),
        );
    }
}
