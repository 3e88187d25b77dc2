//! Mails per second into a local sink, beside the bare SMTP crate over a no-delay stream. A
//! measurement, not a check of behaviour: run it by hand with
//! `cargo run --release -p postern --example smtp_speed`.
#![expect(clippy::unwrap_used, reason = "a measurement that cannot go on panics")]
#![expect(clippy::disallowed_methods, reason = "a measurement reads the clock")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use lettre::address::Envelope;
use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::extension::ClientId;
use postern::mail::Patience;
use postern::mail::smtp::{Endpoint, Limits, Smtp, Trust};
use postern_core::model::TlsMode;
use postern_testkit::smtp::SmtpServer;
use tokio::net::TcpStream;

const SPAN: Duration = Duration::from_secs(2);
const RUNS: usize = 5;

fn message() -> Vec<u8> {
    let mut message =
        b"From: a@example.com\r\nTo: b@example.com\r\nSubject: 482913\r\n\r\n".to_vec();
    while message.len() < 1024 {
        message
            .extend_from_slice(b"some sixty characters of text, as mails are full of them. \r\n");
    }
    message
}

fn envelope() -> Envelope {
    let address = |text: &str| text.parse().unwrap();
    Envelope::new(
        Some(address("a@example.com")),
        vec![address("b@example.com")],
    )
    .unwrap()
}

/// Runs `connections` tasks that send until the span is over; each is given when that is and says
/// how many mails it sent.
async fn measured<F, Sent>(connections: usize, sender: F) -> f64
where
    F: Fn(Instant) -> Sent,
    Sent: Future<Output = u32> + Send + 'static,
{
    let began = Instant::now();
    let tasks: Vec<_> = (0..connections)
        .map(|_| tokio::spawn(sender(began + SPAN)))
        .collect();
    let mut mails = 0;
    for task in tasks {
        mails += task.await.unwrap();
    }
    f64::from(mails) / began.elapsed().as_secs_f64()
}

async fn ours(sink: &SmtpServer, connections: usize) -> f64 {
    let endpoint = Endpoint {
        host: "127.0.0.1".to_owned(),
        port: sink.addr().port(),
        tls: TlsMode::None,
        login: None,
        hello: "postern.test".to_owned(),
    };
    let limits = Limits {
        connections,
        ..Limits::default()
    };
    let smtp = Arc::new(Smtp::new(endpoint, Trust::System, limits));
    measured(connections, |end| {
        let smtp = Arc::clone(&smtp);
        async move {
            let (envelope, message, mut sent) = (envelope(), message(), 0);
            while Instant::now() < end {
                assert_eq!(
                    smtp.send(&envelope, &message, &[], Patience::WHOLE)
                        .await
                        .as_str(),
                    "sent"
                );
                sent += 1;
            }
            sent
        }
    })
    .await
}

async fn bare(sink: &SmtpServer, connections: usize) -> f64 {
    let addr = sink.addr();
    measured(connections, |end| async move {
        let stream = TcpStream::connect(addr).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let hello = ClientId::Domain("postern.test".to_owned());
        let smtp = AsyncSmtpConnection::connect_with_transport(Box::new(stream), &hello).await;
        let (mut smtp, envelope, message, mut sent) = (smtp.unwrap(), envelope(), message(), 0);
        while Instant::now() < end {
            smtp.send(&envelope, &message).await.unwrap();
            sent += 1;
        }
        sent
    })
    .await
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    for connections in [1, 8] {
        let sink = SmtpServer::builder().count_only().start().await.unwrap();
        let (mut we, mut they) = (Vec::new(), Vec::new());
        for _ in 0..RUNS {
            they.push(bare(&sink, connections).await);
            we.push(ours(&sink, connections).await);
        }
        let (we, they) = (median(we), median(they));
        println!(
            "{connections} connections: ours {we:.0}/s, bare lettre without delay {they:.0}/s, ratio {:.2}",
            we / they
        );
    }
}
