//! The app's side: a page that notes every visit, as one that verifies on GET would.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// A web server that answers every request with a page, and notes what was asked for.
pub(crate) struct App {
    pub(crate) url: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl App {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let notes = Arc::clone(&asked);
        tokio::spawn(async move {
            while let Ok((peer, _)) = listener.accept().await {
                tokio::spawn(answer(peer, Arc::clone(&notes)));
            }
        });
        Self { url, asked }
    }

    /// The link tokens that reached it, each time one did.
    pub(crate) fn tokens(&self) -> Vec<String> {
        let asked = self.asked.lock().unwrap();
        let tokens = asked
            .iter()
            .filter_map(|path| path.split_once("link_token="));
        tokens.map(|(_, token)| token.to_owned()).collect()
    }
}

async fn answer(peer: TcpStream, notes: Arc<Mutex<Vec<String>>>) {
    let mut peer = BufReader::new(peer);
    let mut first = String::new();
    if peer.read_line(&mut first).await.is_err() {
        return;
    }
    loop {
        let mut header = String::new();
        if peer.read_line(&mut header).await.unwrap_or(0) <= 2 {
            break;
        }
    }
    if let Some(path) = first.split(' ').nth(1) {
        notes.lock().unwrap().push(path.to_owned());
    }
    let page = "<!doctype html><title>App</title><h1 id=app>The app</h1>";
    let answer = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{page}",
        page.len()
    );
    let _ = peer.write_all(answer.as_bytes()).await;
}
