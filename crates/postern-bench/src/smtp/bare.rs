//! The bare SMTP crate over a stream without delay: what the outbox is held against.

use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use lettre::address::Envelope;
use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::extension::ClientId;
use tokio::net::TcpStream;
use tokio::process::Command;
use tokio::task::JoinSet;

use crate::floor::Bare;
use crate::meter::count;
use crate::process::Process;
use crate::watch;

/// Measures in a process of its own, so that its CPU time is its own.
pub(super) async fn measure(
    port: u16,
    connections: usize,
    span: Duration,
    bytes: usize,
) -> anyhow::Result<Bare> {
    let output = Command::new(std::env::current_exe()?)
        .args(["smtp-floor", "--port", &port.to_string()])
        .args(["--connections", &connections.to_string()])
        .args(["--seconds", &span.as_secs_f64().to_string()])
        .args(["--bytes", &bytes.to_string()])
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .await?;
    ensure!(output.status.success(), "the bare SMTP crate failed");
    serde_json::from_slice(&output.stdout).context("it tells JSON")
}

/// That process, with as many threads as there are cores.
pub(crate) fn child(
    port: u16,
    connections: usize,
    seconds: f64,
    bytes: usize,
) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let span = Duration::from_secs_f64(seconds);
    let bare = runtime.block_on(all(port, connections, span, bytes))?;
    println!("{}", serde_json::to_string(&bare)?);
    Ok(())
}

async fn all(port: u16, connections: usize, span: Duration, bytes: usize) -> anyhow::Result<Bare> {
    let ours = Process(std::process::id());
    let (began, before) = (watch::now(), ours.usage()?);
    let mut sending = JoinSet::new();
    for _ in 0..connections {
        sending.spawn(send(port, began + span, bytes));
    }
    let mut mails = 0;
    while let Some(sent) = sending.join_next().await {
        mails += sent??;
    }
    let used = ours.usage()? - before;
    Ok(Bare {
        per_second: count(mails) / began.elapsed().as_secs_f64(),
        cpu_us: used.cpu.as_secs_f64() * 1e6 / count(mails).max(1.0),
    })
}

async fn send(port: u16, end: Instant, bytes: usize) -> anyhow::Result<u64> {
    let stream = TcpStream::connect(("127.0.0.1", port)).await?;
    stream.set_nodelay(true)?;
    let hello = ClientId::Domain("bench.example".to_owned());
    let mut smtp = AsyncSmtpConnection::connect_with_transport(Box::new(stream), &hello).await?;
    let (from, to) = (
        "login@bench.example".parse()?,
        "someone@bench.example".parse()?,
    );
    let envelope = Envelope::new(Some(from), vec![to])?;
    let message = message(bytes);
    let mut sent = 0;
    while watch::now() < end {
        smtp.send(&envelope, &message).await?;
        sent += 1;
    }
    smtp.quit().await?;
    Ok(sent)
}

/// A message of about that size, in lines as mails have them.
fn message(bytes: usize) -> Vec<u8> {
    let mut message =
        b"From: login@bench.example\r\nTo: someone@bench.example\r\nSubject: 482913\r\n\r\n"
            .to_vec();
    while message.len() < bytes {
        message
            .extend_from_slice(b"some sixty characters of text, as mails are full of them. \r\n");
    }
    message
}
