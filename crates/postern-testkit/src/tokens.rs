//! An OAuth token endpoint that hands out what it is told to, and keeps what it was asked.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// A running endpoint over plain HTTP on loopback. Dropping it closes its port.
#[derive(Debug)]
pub struct TokenServer {
    addr: SocketAddr,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct Shared {
    answers: Mutex<VecDeque<(u16, String)>>,
    asked: Mutex<Vec<String>>,
}

impl TokenServer {
    /// Listens on a free port of 127.0.0.1. Until it is told an answer it answers 503.
    ///
    /// # Errors
    /// When no port can be bound.
    pub async fn start() -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let (addr, shared) = (listener.local_addr()?, Arc::new(Shared::default()));
        let task = tokio::spawn(accept(listener, Arc::clone(&shared)));
        Ok(Self { addr, shared, task })
    }

    /// The endpoint.
    pub fn url(&self) -> String {
        format!("http://{}/token", self.addr)
    }

    /// Answers the next request with this token, good for so many seconds. Answers queue; the last
    /// one stays.
    pub fn grant(&self, token: &str, expires_in: u64) {
        let body = serde_json::json!({
            "access_token": token, "token_type": "Bearer", "expires_in": expires_in,
        });
        self.answer(200, &body.to_string());
    }

    /// Answers the next request with this.
    pub fn answer(&self, status: u16, body: &str) {
        held(&self.shared.answers).push_back((status, body.to_owned()));
    }

    /// The bodies of the requests so far, oldest first.
    pub fn asked(&self) -> Vec<String> {
        held(&self.shared.asked).clone()
    }
}

impl Drop for TokenServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut requests = tokio::task::JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        requests.spawn(serve(stream, Arc::clone(&shared)));
        while requests.try_join_next().is_some() {}
    }
}

async fn serve(mut stream: TcpStream, shared: Arc<Shared>) -> io::Result<()> {
    let body = read(&mut stream).await?;
    held(&shared.asked).push(body);
    let (status, body) = {
        let mut answers = held(&shared.answers);
        let next = answers.front().cloned();
        if answers.len() > 1 {
            answers.pop_front();
        }
        next.unwrap_or_else(|| (503, String::new()))
    };
    let head = format!(
        "HTTP/1.1 {status} scripted\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all((head + &body).as_bytes()).await
}

/// The body of one request.
async fn read(stream: &mut TcpStream) -> io::Result<String> {
    let mut heard = Vec::new();
    loop {
        if stream.read_buf(&mut heard).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let text = String::from_utf8_lossy(&heard);
        let Some((fields, body)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        let length = fields
            .lines()
            .filter_map(|line| line.split_once(':'))
            .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
            .and_then(|(_, length)| length.trim().parse().ok());
        if body.len() >= length.unwrap_or(0) {
            return Ok(body.to_owned());
        }
    }
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
