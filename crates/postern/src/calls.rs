//! The three calls of the passwordless API, whatever door they come through.
//!
//! A door decodes a message, a [`Call`] runs it, the door encodes what comes back: gRPC and REST
//! cannot drift apart.

use std::future::Future;
use std::sync::Arc;

use http::{HeaderMap, header::ACCEPT_LANGUAGE, request::Parts};
use postern_core::{
    Error,
    flow::{Receipt, ResendInput, SendInput, Verified, VerifyInput},
    model::{Caller, Languages, Method as Mailed, Person, Template, UsedBy},
};
use postern_proto::scalekit::v1::auth::passwordless::{
    PasswordlessType, ResendPasswordlessRequest, SendPasswordlessRequest, SendPasswordlessResponse,
    TemplateType, VerifyPasswordLessRequest, VerifyPasswordLessResponse,
    verify_password_less_request::AuthCredential,
};

use crate::{
    app::{App, Stopwatch, sdk_of},
    listen::{RequestContext, RequestId},
    present::{self, Problem},
    telemetry::labels::{Door, Method, Outcome},
};

/// One call: its messages and what it does.
pub trait Call {
    /// What comes in.
    type Request: prost::Message + Default + serde::de::DeserializeOwned;
    /// What of a protobuf message has to be seen before it is read as a request.
    type Shape: prost::Message + Default;
    /// What goes out.
    type Response: prost::Message + serde::Serialize;
    /// What it is counted as.
    const METHOD: Method;

    /// Refuses a message that reading it as a request would bend.
    ///
    /// # Errors
    /// What is wrong with it.
    fn check(_: &Self::Shape) -> Result<(), Error> {
        Ok(())
    }

    /// Does it for an authenticated caller; of the headers (of gRPC: the metadata), for what no
    /// message has a field for.
    fn run(
        app: &App,
        caller: &Caller,
        headers: &HeaderMap,
        request: Self::Request,
    ) -> impl Future<Output = Result<Self::Response, Error>> + std::marker::Send;
}

/// Both members of verify's oneof: read as a oneof, the last one on the wire would win in silence.
#[derive(Clone, PartialEq, prost::Message)]
pub struct OfferedProofs {
    #[prost(string, optional, tag = "1")]
    code: Option<String>,
    #[prost(string, optional, tag = "2")]
    link_token: Option<String>,
}

/// Opens an auth request and mails its credential.
pub struct Send;
/// Mails the credential of an auth request again.
pub struct Resend;
/// Judges a proof.
pub struct Verify;

impl Call for Send {
    type Request = SendPasswordlessRequest;
    type Shape = ();
    type Response = SendPasswordlessResponse;
    const METHOD: Method = Method::Send;

    async fn run(
        app: &App,
        caller: &Caller,
        headers: &HeaderMap,
        request: Self::Request,
    ) -> Result<Self::Response, Error> {
        let input = SendInput {
            email: request.email,
            template: request.template,
            magiclink_auth_uri: request.magiclink_auth_uri,
            state: request.state,
            expires_in: request.expires_in,
            template_variables: request.template_variables.into_iter().collect(),
            languages: languages(headers),
        };
        let receipt = app.postern.send(caller, input).await?;
        Ok(received(app, &receipt))
    }
}

impl Call for Resend {
    type Request = ResendPasswordlessRequest;
    type Shape = ();
    type Response = SendPasswordlessResponse;
    const METHOD: Method = Method::Resend;

    async fn run(
        app: &App,
        caller: &Caller,
        _: &HeaderMap,
        request: Self::Request,
    ) -> Result<Self::Response, Error> {
        let auth_request_id = request.auth_request_id;
        let receipt = app
            .postern
            .resend(caller, ResendInput { auth_request_id })
            .await?;
        Ok(received(app, &receipt))
    }
}

impl Call for Verify {
    type Request = VerifyPasswordLessRequest;
    type Shape = OfferedProofs;
    type Response = VerifyPasswordLessResponse;
    const METHOD: Method = Method::Verify;

    fn check(offered: &OfferedProofs) -> Result<(), Error> {
        let given = |text: &Option<String>| text.as_ref().is_some_and(|text| !text.is_empty());
        if given(&offered.code) && given(&offered.link_token) {
            let told = "give either code or link_token, not both";
            return Err(Error::invalid("auth_credential", "required", told));
        }
        Ok(())
    }

    async fn run(
        app: &App,
        caller: &Caller,
        _: &HeaderMap,
        request: Self::Request,
    ) -> Result<Self::Response, Error> {
        let (code, link_token) = match request.auth_credential {
            Some(AuthCredential::Code(code)) => (Some(code), None),
            Some(AuthCredential::LinkToken(token)) => (None, Some(token)),
            None => (None, None),
        };
        let auth_request_id = request.auth_request_id;
        let input = VerifyInput {
            code,
            link_token,
            auth_request_id,
        };
        let judged = app.postern.verify(caller, input).await;
        if let Some(verdict) = present::verdict(&judged) {
            app.metrics.redeem(verdict);
        }
        judged.map(verified)
    }
}

/// Why a call was not done.
pub enum Refusal {
    /// The flow refused it.
    Error(Error),
    /// There was no message to give to the flow.
    Problem(Problem),
}

impl Refusal {
    /// As the caller sees it; `id` is the request's.
    pub fn problem(self, id: RequestId) -> Problem {
        match self {
            Self::Error(error) => Problem::new(error, id),
            Self::Problem(problem) => problem,
        }
    }

    fn outcome(&self) -> Outcome {
        match self {
            Self::Error(error) => present::outcome(error.kind()),
            Self::Problem(_) => Outcome::Invalid,
        }
    }
}

/// Authenticates the caller, then reads the message, then runs the call, and counts it.
///
/// In that order: who has no valid token learns nothing, and the first call of one SDK never has
/// one (contract §1.6).
///
/// # Errors
/// [`Refusal`].
pub async fn perform<C: Call>(
    app: &App,
    head: &Parts,
    door: Door,
    message: impl Future<Output = Result<C::Request, Problem>>,
) -> Result<C::Response, Refusal> {
    let begun = Stopwatch::start();
    let performed = attempt::<C>(app, &head.headers, message).await;
    let outcome = performed
        .as_ref()
        .err()
        .map_or(Outcome::Ok, Refusal::outcome);
    let id = RequestContext::of(&head.extensions).id;
    let (took, sdk) = (begun.elapsed(), sdk_of(&head.headers));
    app.answered(id, (C::METHOD, door), outcome, took, sdk);
    performed
}

async fn attempt<C: Call>(
    app: &App,
    headers: &HeaderMap,
    message: impl Future<Output = Result<C::Request, Problem>>,
) -> Result<C::Response, Refusal> {
    app.freshness.check().map_err(Refusal::Error)?;
    let caller = app
        .bearers
        .caller(headers, &app.postern.snapshot(), app.postern.now());
    let caller = caller.map_err(Refusal::Error)?;
    let caller = for_whom(caller, headers);
    let message = message.await.map_err(Refusal::Problem)?;
    C::run(app, &caller, headers, message)
        .await
        .map_err(Refusal::Error)
}

/// The caller with the person whom the app tells of: the same headers over REST and as gRPC metadata.
fn for_whom(caller: Arc<Caller>, headers: &HeaderMap) -> Arc<Caller> {
    let told = |name: &str| headers.get(name)?.to_str().ok();
    match Person::told(told("postern-client-ip"), told("postern-user-agent")) {
        None => caller,
        person => Arc::new(Caller {
            client: caller.client.clone(),
            person,
        }),
    }
}

/// What the call says the person reads: `Accept-Language`, as the app got it from the browser.
fn languages(headers: &HeaderMap) -> Languages {
    let said = headers.get(ACCEPT_LANGUAGE);
    let said = said.and_then(|value| value.to_str().ok());
    said.map(Languages::parse).unwrap_or_default()
}

/// The answer, once the outbox knows of the mail.
fn received(app: &App, receipt: &Receipt) -> SendPasswordlessResponse {
    if receipt.mailed {
        (app.outbox)(receipt.delivery);
    }
    SendPasswordlessResponse {
        auth_request_id: receipt.auth_request_id.expose().to_owned(),
        expires_at: receipt.expires_at.unix_seconds(),
        expires_in: u32::try_from(receipt.expires_in.as_secs()).unwrap_or(u32::MAX),
        passwordless_type: wire_method(receipt.method).into(),
    }
}

fn verified(verified: Verified) -> VerifyPasswordLessResponse {
    let by = match verified.by {
        UsedBy::Code => PasswordlessType::Otp,
        UsedBy::Link => PasswordlessType::Link,
    };
    VerifyPasswordLessResponse {
        email: verified.email,
        state: verified.state,
        template: verified
            .template
            .map(|template| wire_template(template).into()),
        passwordless_type: by.into(),
    }
}

fn wire_method(method: Mailed) -> PasswordlessType {
    match method {
        Mailed::Otp => PasswordlessType::Otp,
        Mailed::Link => PasswordlessType::Link,
        Mailed::LinkOtp => PasswordlessType::LinkOtp,
    }
}

fn wire_template(template: Template) -> TemplateType {
    match template {
        Template::Unspecified => TemplateType::Unspecified,
        Template::Signin => TemplateType::Signin,
        Template::Signup => TemplateType::Signup,
    }
}
