//! One connection's dialogue.

use std::io;
use std::sync::Arc;
use std::time::Instant;

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use super::{Act, Encryption, Received, Shared, Step};

const LINE_BOUND: u64 = 1 << 20;

/// Serves one connection to its end. Trouble ends it; tests look at what was kept.
pub(super) async fn serve(stream: TcpStream, shared: Arc<Shared>, connection: u64) {
    let _ = serve_inner(stream, &shared, connection).await;
}

async fn serve_inner(stream: TcpStream, shared: &Arc<Shared>, connection: u64) -> io::Result<()> {
    if shared.options.encryption == Encryption::Implicit {
        let stream = shared.acceptor.accept(stream).await?;
        let mut session = Session::new(stream, Arc::clone(shared), connection, true);
        session.greet().await?;
        return session.run().await.map(drop);
    }
    let mut session = Session::new(stream, Arc::clone(shared), connection, false);
    session.greet().await?;
    if session.run().await? == End::StartTls {
        let stream = session.stream.into_inner();
        let stream = shared.acceptor.accept(stream).await?;
        Session::new(stream, Arc::clone(shared), connection, true)
            .run()
            .await?;
    }
    Ok(())
}

/// Why a dialogue stopped.
#[derive(PartialEq, Eq)]
enum End {
    Closed,
    StartTls,
}

/// Whether the dialogue goes on after a command.
pub(super) enum Next {
    Behave,
    Answered,
    Hang,
}

pub(super) struct Session<S> {
    stream: BufReader<S>,
    pub(super) shared: Arc<Shared>,
    connection: u64,
    encrypted: bool,
    pub(super) login: Option<String>,
    from: Option<(String, Vec<String>)>,
    to: Vec<String>,
    out: Vec<u8>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Session<S> {
    fn new(stream: S, shared: Arc<Shared>, connection: u64, encrypted: bool) -> Self {
        Self {
            stream: BufReader::with_capacity(16 * 1024, stream),
            shared,
            connection,
            encrypted,
            login: None,
            from: None,
            to: Vec::new(),
            out: Vec::with_capacity(256),
        }
    }

    async fn greet(&mut self) -> io::Result<()> {
        if let Next::Behave = self.misbehave(Step::Banner).await? {
            self.say("220 scripted.test ESMTP");
        }
        self.flush().await
    }

    async fn run(&mut self) -> io::Result<End> {
        let mut line = Vec::with_capacity(256);
        loop {
            // A pipelining client (RFC 2920) reads its answers together.
            if self.stream.buffer().is_empty() {
                self.flush().await?;
            }
            if self.read_line(&mut line).await? == 0 {
                return Ok(End::Closed);
            }
            let text = String::from_utf8_lossy(&line).trim_end().to_owned();
            let verb = text
                .split(' ')
                .next()
                .unwrap_or_default()
                .to_ascii_uppercase();
            match verb.as_str() {
                "EHLO" | "HELO" => self.ehlo().await?,
                "STARTTLS" => {
                    if let Next::Behave = self.misbehave(Step::StartTls).await? {
                        self.say("220 go ahead");
                        self.flush().await?;
                        return Ok(End::StartTls);
                    }
                }
                "AUTH" => self.auth(&text).await?,
                "MAIL" => self.mail(&text).await?,
                "RCPT" => self.rcpt(&text).await?,
                "DATA" => self.data().await?,
                "RSET" => self.reset().await?,
                "NOOP" => self.say("250 ok"),
                "QUIT" => {
                    self.say("221 bye");
                    self.flush().await?;
                    return Ok(End::Closed);
                }
                _ => self.say("502 not known"),
            }
        }
    }

    async fn ehlo(&mut self) -> io::Result<()> {
        let Next::Behave = self.misbehave(Step::Ehlo).await? else {
            return Ok(());
        };
        let options = self.shared.options.clone();
        self.say("250-scripted.test");
        self.say("250-8BITMIME");
        if !options.no_pipelining {
            self.say("250-PIPELINING");
        }
        if !options.no_smtputf8 {
            self.say("250-SMTPUTF8");
        }
        if options.encryption == Encryption::StartTls && !self.encrypted {
            self.say("250-STARTTLS");
        }
        if options.account.is_some() {
            self.say("250-AUTH PLAIN LOGIN");
        } else if options.token_user.is_some() {
            self.say("250-AUTH XOAUTH2");
        }
        self.say("250 SIZE 10485760");
        Ok(())
    }

    async fn mail(&mut self, text: &str) -> io::Result<()> {
        let Next::Behave = self.misbehave(Step::Mail).await? else {
            return Ok(());
        };
        let options = &self.shared.options;
        let wanted = options.account.is_some() || options.token_user.is_some();
        if wanted && self.login.is_none() {
            self.say("530 5.7.0 log in first");
        } else if self.from.is_some() {
            self.say("503 5.5.1 nested MAIL");
        } else {
            let parameters = text.rsplit('>').next().unwrap_or_default();
            let parameters = parameters
                .split_whitespace()
                .map(str::to_ascii_uppercase)
                .collect();
            self.from = Some((address(text), parameters));
            self.say("250 2.1.0 ok");
        }
        Ok(())
    }

    async fn rcpt(&mut self, text: &str) -> io::Result<()> {
        self.to.push(address(text));
        match self.misbehave(Step::Rcpt).await? {
            Next::Behave if self.from.is_none() => {
                self.to.pop();
                self.say("503 5.5.1 need MAIL");
            }
            Next::Behave => self.say("250 2.1.5 ok"),
            Next::Answered | Next::Hang => {
                self.to.pop();
            }
        }
        Ok(())
    }

    async fn reset(&mut self) -> io::Result<()> {
        if let Next::Behave = self.misbehave(Step::Reset).await? {
            self.from = None;
            self.to.clear();
            self.say("250 2.0.0 ok");
        }
        Ok(())
    }

    async fn data(&mut self) -> io::Result<()> {
        if self.to.is_empty() {
            self.say("554 5.5.1 no valid recipients");
            return Ok(());
        }
        let Next::Behave = self.misbehave(Step::Data).await? else {
            return Ok(());
        };
        self.say("354 go ahead");
        self.flush().await?;
        let data = self.read_message().await?;
        self.end_of_data(data).await
    }

    async fn end_of_data(&mut self, data: Vec<u8>) -> io::Result<()> {
        let act = self.ordered(Step::EndOfData);
        let (from, parameters) = self.from.take().unwrap_or_default();
        let mut mail = Received {
            from,
            to: std::mem::take(&mut self.to),
            data,
            login: self.login.clone(),
            encrypted: self.encrypted,
            connection: self.connection,
            answered: true,
            parameters,
            at: now(),
        };
        match act {
            None => {}
            Some(Act::Slow(pause)) => tokio::time::sleep(pause).await,
            Some(Act::Reply(code, text)) if code < 400 => {
                self.shared.keep(mail);
                self.say(&format!("{code} {text}"));
                return Ok(());
            }
            Some(Act::AcceptAndDrop) => {
                mail.answered = false;
                self.shared.keep(mail);
                return Err(gone());
            }
            Some(Act::AcceptAndSilence) => {
                mail.answered = false;
                self.shared.keep(mail);
                return self.carry_out(Act::Silence).await.map(drop);
            }
            Some(act) => return self.carry_out(act).await.map(drop),
        }
        // Kept once the answer is on its way, so that who waits for the mail finds it settled.
        self.say("250 2.0.0 queued as 4711");
        let flushed = self.flush().await;
        mail.answered = flushed.is_ok();
        self.shared.keep(mail);
        flushed
    }

    async fn read_message(&mut self) -> io::Result<Vec<u8>> {
        let mut data = Vec::new();
        let mut line = Vec::with_capacity(1024);
        let mut first = true;
        loop {
            if self.read_line(&mut line).await? == 0 {
                return Err(gone());
            }
            if std::mem::take(&mut first)
                && let Some(act) = self.ordered(Step::Body)
            {
                self.carry_out(act).await?;
            }
            if line == b".\r\n" {
                return Ok(data);
            }
            if !self.shared.options.count_only {
                data.extend_from_slice(line.strip_prefix(b".").unwrap_or(&line));
            }
        }
    }

    fn ordered(&self, step: Step) -> Option<Act> {
        self.shared.script().take(step, &self.to)
    }

    pub(super) async fn misbehave(&mut self, step: Step) -> io::Result<Next> {
        match self.ordered(step) {
            None => Ok(Next::Behave),
            Some(act) => self.carry_out(act).await,
        }
    }

    async fn carry_out(&mut self, act: Act) -> io::Result<Next> {
        match act {
            Act::Reply(code, text) => {
                self.say(&format!("{code} {text}"));
                Ok(Next::Answered)
            }
            Act::ReplyAndDrop(code, text) => {
                self.say(&format!("{code} {text}"));
                self.flush().await?;
                Err(gone())
            }
            Act::Drop | Act::AcceptAndDrop => Err(gone()),
            Act::Silence | Act::AcceptAndSilence => {
                self.flush().await?;
                let mut sink = [0; 1024];
                while self.stream.read(&mut sink).await? > 0 {}
                Ok(Next::Hang)
            }
            Act::Slow(pause) => {
                self.flush().await?;
                tokio::time::sleep(pause).await;
                Ok(Next::Behave)
            }
        }
    }

    pub(super) async fn read_line(&mut self, line: &mut Vec<u8>) -> io::Result<usize> {
        line.clear();
        (&mut self.stream)
            .take(LINE_BOUND)
            .read_until(b'\n', line)
            .await
    }

    pub(super) fn say(&mut self, line: &str) {
        self.out.extend_from_slice(line.as_bytes());
        self.out.extend_from_slice(b"\r\n");
    }

    pub(super) async fn flush(&mut self) -> io::Result<()> {
        if self.out.is_empty() {
            return Ok(());
        }
        self.stream.get_mut().write_all(&self.out).await?;
        self.out.clear();
        self.stream.get_mut().flush().await
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "tells tests how long a mail was on its way"
)]
fn now() -> Instant {
    Instant::now()
}

fn gone() -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionAborted, "scripted end")
}

pub(super) fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The part between angle brackets.
fn address(text: &str) -> String {
    let inner = text
        .split_once('<')
        .and_then(|(_, rest)| rest.rsplit_once('>'));
    inner
        .map(|(address, _)| address.to_owned())
        .unwrap_or_default()
}
