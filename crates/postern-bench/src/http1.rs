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

/// What a server that is there answers with 200.
pub(crate) const HEALTH: Head<'static> = Head {
    method: "GET",
    path: "/healthz",
    content_type: "",
    authorization: "",
};

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

    /// Whether the server has not ended it, as far as is known without asking.
    pub(crate) fn is_open(&self) -> bool {
        let read = self.stream.try_read(&mut [0]);
        read.is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock)
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
        let head_ends = self.through(0, b"\r\n\r\n").await?;
        let head = &self.read[..head_ends];
        let status = status(head).context("no HTTP/1.1 status line")?;
        let (from, ends) = match header(head, b"content-length:") {
            Some(length) => {
                let ends = head_ends + length.parse::<usize>()?;
                self.up_to(ends).await?;
                ensure!(self.filled == ends, "more than one answer to one request");
                (head_ends, ends)
            }
            None => self.chunks(head_ends).await?,
        };
        let body = &self.read[from..ends];
        Ok(Answer { status, body })
    }

    /// Reads a body in chunks, which begins at `at`, and joins them in place.
    async fn chunks(&mut self, at: usize) -> anyhow::Result<(usize, usize)> {
        let (mut ends, mut next) = (at, at);
        loop {
            let data = self.through(next, b"\r\n").await?;
            let size = std::str::from_utf8(&self.read[next..data - 2])?;
            let size = usize::from_str_radix(size, 16).context("an unreadable chunk size")?;
            self.up_to(data + size + 2).await?;
            self.read.copy_within(data..data + size, ends);
            ends += size;
            next = data + size + 2;
            if size == 0 {
                return Ok((at, ends));
            }
        }
    }

    /// Where `mark`, looked for from `from` on, ends.
    async fn through(&mut self, from: usize, mark: &[u8]) -> anyhow::Result<usize> {
        loop {
            if let Some(at) = find(&self.read[from..self.filled], mark) {
                return Ok(from + at + mark.len());
            }
            self.fill().await?;
        }
    }

    async fn up_to(&mut self, ends: usize) -> anyhow::Result<()> {
        if self.read.len() < ends {
            self.read.resize(ends, 0);
        }
        while self.filled < ends {
            self.fill().await?;
        }
        Ok(())
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

/// The value of a header; `name` ends in a colon.
fn header<'a>(head: &'a [u8], name: &[u8]) -> Option<&'a str> {
    let mut lines = head.split(|&byte| byte == b'\n');
    let line = lines
        .find(|line| line.len() > name.len() && line[..name.len()].eq_ignore_ascii_case(name))?;
    Some(std::str::from_utf8(&line[name.len()..]).ok()?.trim())
}

fn find(within: &[u8], what: &[u8]) -> Option<usize> {
    within.windows(what.len()).position(|window| window == what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_and_headers_are_read_from_a_head() {
        let head =
            b"HTTP/1.1 429 Too Many Requests\r\nContent-Length: 17\r\nretry-after: 3\r\n\r\n";
        assert_eq!(status(head), Some(429));
        assert_eq!(header(head, b"content-length:"), Some("17"));
        assert_eq!(header(head, b"transfer-encoding:"), None);
    }

    #[tokio::test]
    async fn an_answer_in_chunks_is_joined() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let serving = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
            stream.write_all(head).await.unwrap();
            for piece in ["3\r\nabc\r\n", "a\r\n0123456789", "\r\n0\r\n\r\n"] {
                stream.write_all(piece.as_bytes()).await.unwrap();
                stream.flush().await.unwrap();
            }
            stream
        });
        let mut connection = Connection::open(address).await.unwrap();
        let answer = connection.answer().await.unwrap();
        assert_eq!((answer.status, answer.body), (200, &b"abc0123456789"[..]));
        drop(serving.await.unwrap());
    }
}
