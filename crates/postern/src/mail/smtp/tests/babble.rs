//! Servers that say more than anybody needs to.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::*;

/// A client of a server that says `first`, then `chunk` without end, whatever it hears.
async fn babbling(first: &'static str, chunk: &'static str, tls: TlsMode) -> Smtp {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let flood = chunk.repeat(1024);
                let _ = stream.write_all(first.as_bytes()).await;
                if !first.is_empty() {
                    let _ = stream.read(&mut [0; 512]).await;
                }
                while stream.write_all(flood.as_bytes()).await.is_ok() {}
            });
        }
    });
    client(port, tls)
}

fn client(port: u16, tls: TlsMode) -> Smtp {
    let endpoint = Endpoint {
        host: "127.0.0.1".to_owned(),
        port,
        tls,
        login: None,
        hello: "postern.test".to_owned(),
    };
    Smtp::new(endpoint, Trust::System, Limits::default())
}

async fn mailed(smtp: &Smtp) -> Outcome {
    let envelope = Envelope::new(None, vec!["ada@example.com".parse().unwrap()]).unwrap();
    smtp.send(&envelope, MESSAGE, &[], Patience::WHOLE).await
}

#[tokio::test]
async fn an_answer_without_an_end_is_the_providers_trouble_and_says_so() {
    let (lines, bytes) = (
        "the server's answer has more than 128 lines",
        "the server's answer is longer than 16 KiB",
    );
    for tls in [TlsMode::None, TlsMode::StartTls] {
        for (first, chunk, why) in [
            ("", "220-\r\n", lines),
            ("", "2", bytes),
            ("220 hello\r\n", "250-x\r\n", lines),
            ("220 hello\r\n", "250-xxxxxxxxxxx", bytes),
        ] {
            let outcome = mailed(&babbling(first, chunk, tls).await).await;
            assert_eq!(outcome.as_str(), "provider_trouble", "{outcome:?}");
            assert_eq!(outcome.reply().stage, Stage::Greeting);
            assert_eq!(outcome.reply().text, why, "{first:?} {chunk:?} {tls:?}");
        }
    }
}

#[tokio::test]
async fn a_babbling_server_does_not_hold_up_the_mails_of_another() {
    let babbling = babbling("", "220-\r\n", TlsMode::None).await;
    let good = World::plain().await;
    let (lost, sent) = tokio::join!(mailed(&babbling), good.send());
    assert_eq!((lost.as_str(), sent.as_str()), ("provider_trouble", "sent"));
}

#[tokio::test]
async fn an_ehlo_with_more_extensions_than_anybody_has_is_taken() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let ehlo = "250-X-EXTENSION-OF-SOME-LENGTH\r\n".repeat(100) + "250 SIZE\r\n";
        stream.write_all(b"220 hello\r\n").await.unwrap();
        let mut heard = [0; 512];
        loop {
            let said = stream.read(&mut heard).await.unwrap();
            let answer = match &heard[..said] {
                [] => break,
                line if line.starts_with(b"EHLO") => &*ehlo,
                _ => "451 not now\r\n",
            };
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    let endpoint = Endpoint {
        host: "127.0.0.1".to_owned(),
        port,
        tls: TlsMode::None,
        login: None,
        hello: "postern.test".to_owned(),
    };
    let smtp = Smtp::new(endpoint, Trust::System, Limits::default());
    let outcome = mailed(&smtp).await;
    assert_eq!(outcome.reply().to_string(), "mail: 451 not now");
}

#[tokio::test]
async fn what_comes_before_tls_without_being_asked_for_is_not_taken_for_the_servers_word() {
    let forged = "250 AUTH PLAIN\r\n250 ok\r\n550 5.1.1 no such user\r\n";
    let ahead_of_ehlo = format!("220 hello\r\n{forged}");
    let ahead_of_tls = format!("250-hello\r\n250 STARTTLS\r\n220 go\r\n{forged}");
    for said in [
        vec![ahead_of_ehlo.leak() as &str],
        vec!["220 hello\r\n", ahead_of_tls.leak()],
        vec![
            "220 hello\r\n",
            "250 STARTTLS\r\n",
            "220 go\r\n550 5.1.1 no\r\n",
        ],
    ] {
        let outcome = mailed(&saying(said).await).await;
        assert!(matches!(&outcome, Outcome::Retry(_)), "{outcome:?}");
        assert_eq!(
            outcome.reply().text,
            "the server said more than it was asked"
        );
    }
}

/// A client of a server that says one of these after the other, each but the first once it heard something.
async fn saying(all: Vec<&'static str>) -> Smtp {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        for (place, said) in all.into_iter().enumerate() {
            if place > 0 {
                let _ = stream.read(&mut [0; 512]).await;
            }
            let _ = stream.write_all(said.as_bytes()).await;
        }
        while stream.read(&mut [0; 512]).await.is_ok_and(|read| read > 0) {}
    });
    client(port, TlsMode::StartTls)
}
