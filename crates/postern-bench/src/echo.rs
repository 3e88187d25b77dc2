//! The floor: the same bodies in and out through the same stack, and nothing done with them.

use std::{io::Write as _, net::SocketAddr, process::Stdio};

use anyhow::Context;
use axum::{
    Router,
    body::Bytes,
    http::{HeaderName, StatusCode, header::CONTENT_TYPE},
    routing::post,
};
use postern_proto::scalekit::v1::auth::passwordless::{
    PasswordlessType, ResendPasswordlessRequest, SendPasswordlessRequest, SendPasswordlessResponse,
    VerifyPasswordLessRequest, VerifyPasswordLessResponse,
    passwordless_service_server::{PasswordlessService, PasswordlessServiceServer},
};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};
use tonic::{Request, Response, Status};

use crate::{bodies::Verb, pooled, process::Process, server::Server};

/// An echo in a process of its own, so that its CPU time is counted like the server's.
pub(crate) struct Echo {
    pub(crate) server: Server,
    /// Ends it when dropped.
    _child: Child,
}

impl Echo {
    /// The bare echo.
    pub(crate) async fn start(workers: Option<usize>) -> anyhow::Result<Self> {
        Self::run(&["echo-server"], workers, None).await
    }

    /// The echo with one statement a request on this database.
    pub(crate) async fn pooled(
        workers: Option<usize>,
        url: &str,
        database: Process,
    ) -> anyhow::Result<Self> {
        Self::run(&pooled::words(url), workers, Some(database)).await
    }

    async fn run(
        words: &[&str],
        workers: Option<usize>,
        database: Option<Process>,
    ) -> anyhow::Result<Self> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let as_the_server = cores.saturating_sub(1).max(1);
        let workers = workers.unwrap_or(as_the_server).to_string();
        let mut child = Command::new(std::env::current_exe()?)
            .args(words)
            .args(["--workers", &workers])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let output = child.stdout.take().context("its output is piped")?;
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line).await?;
        let address = line.trim().parse().context("the echo tells its address")?;
        let process = Process(child.id().context("the echo runs")?);
        Ok(Self {
            server: Server::echo(address, process, database),
            _child: child,
        })
    }
}

/// Serves until the process ends; tells its address on standard output.
pub(crate) fn serve(workers: usize) -> anyhow::Result<()> {
    run(workers, async { Ok(router()) })
}

/// Serves what `router` comes to.
pub(crate) fn run(
    workers: usize,
    router: impl Future<Output = anyhow::Result<Router>>,
) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(workers)
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let router = router.await?;
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let address: SocketAddr = listener.local_addr()?;
        writeln!(std::io::stdout(), "{address}")?;
        let listener = axum::serve::ListenerExt::tap_io(listener, |stream| {
            // As the server does; without it nothing is lost but the echo's latency.
            drop(stream.set_nodelay(true));
        });
        axum::serve(listener, router).await?;
        Ok(())
    })
}

pub(crate) fn router() -> Router {
    let grpc = PasswordlessServiceServer::new(Same);
    Router::new()
        .route(Verb::Send.rest_path(), post(send))
        .route(Verb::Resend.rest_path(), post(resend))
        .route(Verb::Verify.rest_path(), post(verify))
        .route_service(
            "/scalekit.v1.auth.passwordless.PasswordlessService/{method}",
            grpc,
        )
}

async fn send(body: Bytes) -> Result<Answer, StatusCode> {
    sent_for(&body)
}

async fn resend(body: Bytes) -> Result<Answer, StatusCode> {
    json::<ResendPasswordlessRequest, _>(&body, sent)
}

async fn verify(body: Bytes) -> Result<Answer, StatusCode> {
    verified_for(&body)
}

/// A JSON body with its type.
pub(crate) type Answer = ([(HeaderName, &'static str); 1], Vec<u8>);

/// Reads a send and answers one.
pub(crate) fn sent_for(body: &[u8]) -> Result<Answer, StatusCode> {
    json::<SendPasswordlessRequest, _>(body, sent)
}

/// Reads a verify and answers one.
pub(crate) fn verified_for(body: &[u8]) -> Result<Answer, StatusCode> {
    json::<VerifyPasswordLessRequest, _>(body, verified)
}

fn json<Q, A>(body: &[u8], answer: fn() -> A) -> Result<Answer, StatusCode>
where
    Q: for<'de> serde::Deserialize<'de>,
    A: serde::Serialize,
{
    let asked: Result<Q, _> = serde_json::from_slice(body);
    asked
        .map(|_| {
            let answer = serde_json::to_vec(&answer()).expect("messages have a JSON form");
            ([(CONTENT_TYPE, "application/json")], answer)
        })
        .map_err(|_| StatusCode::BAD_REQUEST)
}

struct Same;

#[tonic::async_trait]
impl PasswordlessService for Same {
    async fn send_passwordless_email(
        &self,
        _: Request<SendPasswordlessRequest>,
    ) -> Result<Response<SendPasswordlessResponse>, Status> {
        Ok(Response::new(sent()))
    }

    async fn resend_passwordless_email(
        &self,
        _: Request<ResendPasswordlessRequest>,
    ) -> Result<Response<SendPasswordlessResponse>, Status> {
        Ok(Response::new(sent()))
    }

    async fn verify_passwordless_email(
        &self,
        _: Request<VerifyPasswordLessRequest>,
    ) -> Result<Response<VerifyPasswordLessResponse>, Status> {
        Ok(Response::new(verified()))
    }
}

/// As long as a real answer.
fn sent() -> SendPasswordlessResponse {
    SendPasswordlessResponse {
        auth_request_id: "AQGY1f0ZGXz2q0c5u3mXo1hCkq9d0u2t7m4c8b1z6Y0v".to_owned(),
        expires_at: 1_800_000_000,
        expires_in: 300,
        passwordless_type: PasswordlessType::Otp.into(),
    }
}

fn verified() -> VerifyPasswordLessResponse {
    VerifyPasswordLessResponse {
        email: "b12345.19a3f0c1d2e4f@bench.example.com".to_owned(),
        state: None,
        template: None,
        passwordless_type: PasswordlessType::Otp.into(),
    }
}
