//! The plain-text opening of a STARTTLS session (RFC 3207).

use lettre::transport::smtp::extension::ClientId;
use lettre::transport::smtp::response::Response;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::answer::Answer;
use super::failure::Failure;
use super::tape::Tape;
use crate::mail::Stage;

/// Greets, asks for TLS and returns the server's greeting. Nothing secret is said here, nothing
/// heard here is believed after the handshake, and a server that says more than it was asked is
/// refused: someone on the way could have put that there (CVE-2011-0411 and its kin).
pub(super) async fn ask(
    stream: &mut TcpStream,
    hello: &ClientId,
    tape: &Tape,
) -> Result<Vec<u8>, Failure> {
    let (greeting, _) = read_reply(stream, tape).await?;
    say(stream, &format!("EHLO {hello}\r\n"), tape).await?;
    let (_, extensions) = read_reply(stream, tape).await?;
    if !extensions
        .message()
        .any(|line| line.eq_ignore_ascii_case("STARTTLS"))
    {
        return Err(Failure::misfit(
            Stage::Tls,
            "the server does not offer STARTTLS",
        ));
    }
    say(stream, "STARTTLS\r\n", tape).await?;
    read_reply(stream, tape).await?;
    Ok(greeting)
}

async fn say(stream: &mut TcpStream, line: &str, tape: &Tape) -> Result<(), Failure> {
    tape.said(line.as_bytes());
    let written = stream.write_all(line.as_bytes()).await;
    written.map_err(|error| Failure::connection(Stage::Greeting, error.to_string()))
}

async fn read_reply(stream: &mut TcpStream, tape: &Tape) -> Result<(Vec<u8>, Response), Failure> {
    let trouble = |text: String| Failure::connection(Stage::Greeting, text);
    let mut heard = Vec::with_capacity(512);
    let mut answer = Answer::default();
    while !is_whole(&heard) {
        let read = stream
            .read_buf(&mut heard)
            .await
            .map_err(|error| trouble(error.to_string()))?;
        if read == 0 {
            return Err(trouble("the server closed the connection".to_owned()));
        }
        let came = &heard[heard.len() - read..];
        answer
            .hear(came)
            .map_err(|found| Failure::too_much(Stage::Greeting, found))?;
    }
    tape.heard(&heard);
    if !is_one(&heard) {
        return Err(trouble("the server said more than it was asked".to_owned()));
    }
    let text = String::from_utf8_lossy(&heard);
    let reply: Response = text
        .parse()
        .map_err(|_| trouble("what came was not SMTP".to_owned()))?;
    if !reply.is_positive() {
        let text = reply.message().collect::<Vec<_>>().join(" ");
        return Err(Failure::refused(Stage::Greeting, reply.code().into(), text));
    }
    Ok((heard, reply))
}

/// Whether what came is one reply: each line but the last says that another follows.
fn is_one(heard: &[u8]) -> bool {
    let lines: Vec<&[u8]> = heard.split_inclusive(|byte| *byte == b'\n').collect();
    let goes_on = |line: &&[u8]| line.get(3) == Some(&b'-');
    lines.iter().rev().skip(1).all(goes_on)
}

/// Whether the last line that came is the last line of a reply: `250 …` and not `250-…`.
fn is_whole(heard: &[u8]) -> bool {
    let Some(lines) = heard.strip_suffix(b"\r\n") else {
        return false;
    };
    let last = lines
        .rsplit(|byte| *byte == b'\n')
        .next()
        .unwrap_or_default();
    last.get(3).is_none_or(|byte| *byte != b'-')
}
