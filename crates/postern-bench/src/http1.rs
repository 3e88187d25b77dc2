//! HTTP/1.1 on one kept connection, as lean as a load generator must be: one write, one answer
//! with a `content-length`.

use std::net::SocketAddr;

use anyhow::{Context, bail, ensure};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// A kept connection.
pub(crate) struct Connection {
    stream: TcpStream,
    host: String,
    out: Vec<u8>,
    read: Vec<u8>,
    /// Where the answer in `read` ends; what follows belongs to none.
    filled: usize,
}

/// What came back.
pub(crate) struct Answer<'a> {
    pub(crate) status: u16,
    pub(crate) body: &'a [u8],
}

/// A request but for its body.
pub(crate) struct Head<'a> {
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    pub(crate) content_type: &'a str,
    /// Sent when not empty.
    pub(crate) authorization: &'a str,
}

impl Connection {
    pub(crate) async fn open(address: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address)
            .await
            .with_context(|| format!("no connection to {address}"))?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            host: address.to_string(),
            out: Vec::with_capacity(2048),
            read: vec![0; 16 << 10],
            filled: 0,
        })
    }

    /// One call.
    pub(crate) async fn call(
        &mut self,
        head: &Head<'_>,
        body: &[u8],
    ) -> anyhow::Result<Answer<'_>> {
        self.encode(head, body);
        self.stream.write_all(&self.out).await?;
        self.answer().await
    }

    fn encode(&mut self, head: &Head<'_>, body: &[u8]) {
        let out = &mut self.out;
        out.clear();
        for part in [
            head.method,
            " ",
            head.path,
            " HTTP/1.1\r\nhost: ",
            &self.host,
        ] {
            out.extend_from_slice(part.as_bytes());
        }
        if !head.authorization.is_empty() {
            out.extend_from_slice(b"\r\nauthorization: ");
            out.extend_from_slice(head.authorization.as_bytes());
        }
        if !body.is_empty() {
            out.extend_from_slice(b"\r\ncontent-type: ");
            out.extend_from_slice(head.content_type.as_bytes());
            out.extend_from_slice(b"\r\ncontent-length: ");
            out.extend_from_slice(body.len().to_string().as_bytes());
        }
        out.extend_from_slice(b"\r\n\r\n");
        out.extend_from_slice(body);
    }

    async fn answer(&mut self) -> anyhow::Result<Answer<'_>> {
        self.filled = 0;
        let head_ends = loop {
            self.fill().await?;
            if let Some(at) = find(&self.read[..self.filled], b"\r\n\r\n") {
                break at + 4;
            }
        };
        let head = &self.read[..head_ends];
        let status = status(head).context("no HTTP/1.1 status line")?;
        let length = content_length(head).context("an answer without content-length")?;
        let ends = head_ends + length;
        if self.read.len() < ends {
            self.read.resize(ends, 0);
        }
        while self.filled < ends {
            self.fill().await?;
        }
        ensure!(self.filled == ends, "more than one answer to one request");
        Ok(Answer {
            status,
            body: &self.read[head_ends..ends],
        })
    }

    async fn fill(&mut self) -> anyhow::Result<()> {
        if self.filled == self.read.len() {
            self.read.resize(self.filled * 2, 0);
        }
        match self.stream.read(&mut self.read[self.filled..]).await? {
            0 => bail!("the server closed the connection"),
            more => self.filled += more,
        }
        Ok(())
    }
}

fn status(head: &[u8]) -> Option<u16> {
    let digits = head.strip_prefix(b"HTTP/1.1 ")?.get(..3)?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}

fn content_length(head: &[u8]) -> Option<usize> {
    const NAME: &[u8] = b"content-length:";
    let line = head
        .split(|&byte| byte == b'\n')
        .find(|line| line.len() > NAME.len() && line[..NAME.len()].eq_ignore_ascii_case(NAME))?;
    std::str::from_utf8(&line[NAME.len()..])
        .ok()?
        .trim()
        .parse()
        .ok()
}

fn find(within: &[u8], what: &[u8]) -> Option<usize> {
    within.windows(what.len()).position(|window| window == what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_and_length_are_read_from_a_head() {
        let head =
            b"HTTP/1.1 429 Too Many Requests\r\nContent-Length: 17\r\nretry-after: 3\r\n\r\n";
        assert_eq!(status(head), Some(429));
        assert_eq!(content_length(head), Some(17));
        assert_eq!(content_length(b"HTTP/1.1 200 OK\r\n\r\n"), None);
    }
}
