//! One SMTP session, told step by step so that every failure has its place.

use std::fmt;

use lettre::address::{Address, Envelope};
use lettre::transport::smtp::Error;
use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::commands::{Data, Ehlo, Mail, Rcpt};
use lettre::transport::smtp::extension::{ClientId, Extension, MailBodyParameter, MailParameter};
use lettre::transport::smtp::response::Response;
use memchr::memmem;
use postern_core::model::TlsMode;
use tokio::time::Instant;

use super::endpoint::{Dialer, Endpoint};
use super::failure::Failure;
use super::progress::Progress;
use super::starttls;
use super::wire::Wire;
use crate::mail::Stage;

/// An open session, logged in, between two mails.
pub(super) struct Connection {
    smtp: AsyncSmtpConnection,
    pipelining: bool,
    /// When it was opened or last carried a mail.
    pub(super) used_at: Instant,
}

impl Connection {
    /// Connects, encrypts, greets and logs in, in the order that the endpoint's TLS mode asks for.
    pub(super) async fn open(
        dialer: &Dialer,
        endpoint: &Endpoint,
        stage: &Progress,
    ) -> Result<Self, Failure> {
        stage.reach(Stage::Connect);
        let hello = ClientId::Domain(endpoint.hello.clone());
        let tape = &dialer.tape;
        tape.note(|| format!("connecting to {}:{}", endpoint.host, endpoint.port));
        let (mut stream, peer) = dialer.connect(endpoint).await?;
        let wire = match endpoint.tls {
            TlsMode::None => Wire::plain(stream, peer, tape.clone()),
            TlsMode::Implicit => {
                stage.reach(Stage::Tls);
                let stream = dialer.encrypt(endpoint, stream).await?;
                Wire::tls(stream, peer, Vec::new(), tape.clone())
            }
            TlsMode::StartTls => {
                stage.reach(Stage::Greeting);
                let greeting = starttls::ask(&mut stream, &hello, tape).await?;
                stage.reach(Stage::Tls);
                let stream = dialer.encrypt(endpoint, stream).await?;
                Wire::tls(stream, peer, greeting, tape.clone())
            }
        };
        stage.reach(Stage::Greeting);
        let connected = AsyncSmtpConnection::connect_with_transport(Box::new(wire), &hello).await;
        let mut smtp = connected.map_err(|error| Failure::of(Stage::Greeting, &error))?;
        // The SMTP crate forgets the extensions it does not use, and this one saves three round
        // trips a mail.
        let extensions = smtp
            .command(Ehlo::new(hello))
            .await
            .map_err(|error| Failure::of(Stage::Greeting, &error))?;
        let pipelining = extensions
            .message()
            .any(|line| line.eq_ignore_ascii_case("PIPELINING"));
        if let Some(login) = &endpoint.login {
            stage.reach(Stage::Auth);
            login.perform(&mut smtp).await?;
            // A token may have been fetched for it.
            tape.hide(login.passwords());
        }
        Ok(Self {
            smtp,
            pipelining,
            used_at: tick(),
        })
    }

    /// Hands one message to one recipient. `stage` follows the dialogue, for who gives up on it.
    pub(super) async fn send(
        &mut self,
        envelope: &Envelope,
        message: &[u8],
        stage: &Progress,
    ) -> Result<Response, Failure> {
        let opening = self.opening(envelope, message)?;
        stage.reach(Stage::Mail);
        if self.pipelining {
            self.open_at_once(&opening, stage).await?;
        } else {
            self.open_in_turn(&opening, stage).await?;
        }
        stage.reach(Stage::EndOfData);
        let answer = match as_on_the_wire(message) {
            Some(whole) => self.smtp.command(whole).await,
            None => self.smtp.message(message).await,
        };
        let answer = answer.map_err(|error| Failure::of(Stage::EndOfData, &error))?;
        self.used_at = tick();
        Ok(answer)
    }

    /// Makes the session ready for the next mail after a refusal. `false`: it is of no more use.
    pub(super) async fn reset(&mut self) -> bool {
        self.smtp.command("RSET\r\n").await.is_ok()
    }

    /// Says goodbye. What the server makes of it does not matter.
    pub(super) async fn quit(mut self) {
        let _ = self.smtp.quit().await;
    }

    fn opening(&self, envelope: &Envelope, message: &[u8]) -> Result<Opening, Failure> {
        let server = self.smtp.server_info();
        let mut parameters = Vec::new();
        let ascii = |address: &Address| AsRef::<str>::as_ref(address).is_ascii();
        if !envelope.from().into_iter().chain(envelope.to()).all(ascii) {
            if !server.supports_feature(Extension::SmtpUtfEight) {
                return Err(Failure::misfit(
                    Stage::Rcpt,
                    "the provider takes no UTF-8 addresses (SMTPUTF8)",
                ));
            }
            parameters.push(MailParameter::SmtpUtfEight);
        }
        if !message.is_ascii() && server.supports_feature(Extension::EightBitMime) {
            parameters.push(MailParameter::Body(MailBodyParameter::EightBitMime));
        }
        let [recipient] = envelope.to() else {
            return Err(Failure::misfit(
                Stage::Rcpt,
                "a mail has exactly one recipient",
            ));
        };
        Ok(Opening {
            mail: Mail::new(envelope.from().cloned(), parameters),
            rcpt: Rcpt::new(recipient.clone(), Vec::new()),
        })
    }

    async fn open_in_turn(&mut self, opening: &Opening, stage: &Progress) -> Result<(), Failure> {
        self.smtp
            .command(&opening.mail)
            .await
            .map_err(|error| Failure::of(Stage::Mail, &error))?;
        stage.reach(Stage::Rcpt);
        self.smtp
            .command(&opening.rcpt)
            .await
            .map_err(|error| Failure::of(Stage::Rcpt, &error))?;
        stage.reach(Stage::Data);
        self.smtp
            .command(Data)
            .await
            .map_err(|error| Failure::of(Stage::Data, &error))?;
        Ok(())
    }

    /// MAIL, RCPT and DATA in one packet (RFC 2920 §3.1), and all three answers read whatever they are.
    async fn open_at_once(&mut self, opening: &Opening, stage: &Progress) -> Result<(), Failure> {
        let mail = answered(Stage::Mail, self.smtp.command(opening).await)?;
        stage.reach(Stage::Rcpt);
        let rcpt = answered(Stage::Rcpt, self.smtp.read_response().await)?;
        stage.reach(Stage::Data);
        let data = answered(Stage::Data, self.smtp.read_response().await)?;
        let refused = match (mail, rcpt, data) {
            (Err(failure), _, data) | (Ok(()), Err(failure), data) => (failure, data.is_ok()),
            (Ok(()), Ok(()), data) => return data,
        };
        match refused {
            // The server waits for a message that nobody should get: only hanging up ends that.
            (failure, true) => Err(failure.hang_up()),
            (failure, false) => Err(failure),
        }
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("pipelining", &self.pipelining)
            .finish_non_exhaustive()
    }
}

/// The commands that come before a message.
struct Opening {
    mail: Mail,
    rcpt: Rcpt,
}

impl fmt::Display for Opening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}{}", self.mail, self.rcpt, Data)
    }
}

/// A message as the SMTP crate would send it, with what ends it, as one thing to say: the crate looks at
/// each byte to find the lines that begin with a dot, which takes longer than all else that becomes of a
/// mail here. None where a dot follows a line end that is none on the wire, or for what is not text.
fn as_on_the_wire(message: &[u8]) -> Option<String> {
    let text = str::from_utf8(message).ok()?;
    let mut whole = String::with_capacity(text.len() + text.len() / 64 + END.len());
    let mut said = 0;
    if text.starts_with('.') {
        whole.push('.');
    }
    for at in memmem::find_iter(message, b"\n.") {
        if !text[..at].ends_with('\r') {
            return None;
        }
        whole.push_str(&text[said..=at]);
        whole.push('.');
        said = at + 1;
    }
    whole.push_str(&text[said..]);
    whole.push_str(END);
    Some(whole)
}

/// What ends a message.
const END: &str = "\r\n.\r\n";

#[expect(
    clippy::disallowed_methods,
    reason = "measures how long a connection idles, which no clock of the rules sees"
)]
fn tick() -> Instant {
    Instant::now()
}

/// Tells an answer, whatever it says (inner), from the lack of one (outer).
fn answered(stage: Stage, result: Result<Response, Error>) -> Result<Result<(), Failure>, Failure> {
    match result {
        Ok(_) => Ok(Ok(())),
        Err(error) => {
            let failure = Failure::of(stage, &error);
            if failure.in_step() {
                Ok(Err(failure))
            } else {
                Err(failure)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::{TcpListener, TcpStream};

    use super::*;

    /// What the SMTP crate writes of a message.
    async fn by_the_crate(message: &[u8]) -> Vec<u8> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let hear = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            stream.write_all(b"220 hello\r\n").await.unwrap();
            let _ehlo = stream.read(&mut [0; 512]).await.unwrap();
            stream
                .write_all(b"250 hello\r\n250 taken\r\n")
                .await
                .unwrap();
            let mut heard = Vec::new();
            stream.read_to_end(&mut heard).await.unwrap();
            heard
        };
        let say = async {
            let hello = ClientId::Domain("here".to_owned());
            let stream = Box::new(TcpStream::connect(address).await.unwrap());
            let smtp = AsyncSmtpConnection::connect_with_transport(stream, &hello).await;
            smtp.unwrap().message(message).await.unwrap();
        };
        tokio::join!(hear, say).0
    }

    #[tokio::test]
    async fn a_message_is_said_as_the_smtp_crate_says_it() {
        for text in [
            "",
            ".",
            "..",
            ".\r\na",
            "a\r\n.b\r\n..c\r\n.\r\n.",
            "a\r\n.\r\nb",
            "a.b\r\nc.\r\n ..\r\n",
            "a\nb\rc.\r",
            "Grüße\r\n.é\r\n",
        ] {
            let said = as_on_the_wire(text.as_bytes()).unwrap();
            assert_eq!(
                said.as_bytes(),
                by_the_crate(text.as_bytes()).await,
                "{text:?}"
            );
        }
    }

    #[test]
    fn what_is_no_text_on_the_wire_is_left_to_the_smtp_crate() {
        for odd in [&b"\xff"[..], b"a\n.b", b"\n."] {
            assert_eq!(as_on_the_wire(odd), None, "{odd:?}");
        }
    }
}
