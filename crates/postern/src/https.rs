//! Requests that this server makes itself: small ones, one connection each, bounded in time and size.

use std::fmt::Display;
use std::time::Duration;

use bytes::Bytes;
use http::header::HOST;
use http::{HeaderValue, Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use crate::trust::{Client, Trust, Unanswered};

/// For the whole of a request.
const BOUND: Duration = Duration::from_secs(10);
/// Bytes of an answer.
const MOST: usize = 64 * 1024;

/// Makes requests over HTTPS; over HTTP to loopback alone. Follows no redirect.
#[derive(Debug, Default)]
pub struct Https {
    tls: Client,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The whole body, at most 64 KiB.
    pub body: Vec<u8>,
}

impl Https {
    /// Believes servers that these vouch for.
    pub fn new(trust: Trust) -> Self {
        Self {
            tls: Client::new(trust),
        }
    }

    /// Makes a request, whose URI is a whole URL.
    ///
    /// # Errors
    /// Nothing came back within 10 s, or not within the bound, in words for a log. Nothing of the
    /// request is in them but the host.
    pub async fn request(&self, request: Request<Full<Bytes>>) -> Result<Answer, Unanswered> {
        let host = request.uri().host().unwrap_or_default().to_owned();
        match timeout(BOUND, self.unbounded(request)).await {
            Ok(answer) => answer.map_err(|problem| Unanswered {
                told: format!("{host}: {problem}"),
                ..problem
            }),
            Err(_) => Err(format!("{host} did not answer in time").into()),
        }
    }

    async fn unbounded(&self, request: Request<Full<Bytes>>) -> Result<Answer, Unanswered> {
        let target = Target::of(request.uri())?;
        let stream = target.connect().await?;
        if !target.tls {
            return Ok(exchange(stream, request).await?);
        }
        let name = ServerName::try_from(target.host).map_err(told)?;
        let connector = TlsConnector::from(self.tls.config().await?);
        let stream = connector.connect(name, stream).await;
        let stream = stream.map_err(|error| Unanswered::handshake(&error))?;
        Ok(exchange(stream, request).await?)
    }
}

/// Where a request goes.
struct Target {
    host: String,
    port: u16,
    tls: bool,
}

impl Target {
    fn of(uri: &Uri) -> Result<Self, String> {
        let host = uri.host().ok_or("the URL has no host")?;
        let tls = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err("the URL is not one of https".to_owned()),
        };
        Ok(Self {
            host: host.trim_matches(['[', ']']).to_owned(),
            port: uri.port_u16().unwrap_or(if tls { 443 } else { 80 }),
            tls,
        })
    }

    async fn connect(&self) -> Result<TcpStream, String> {
        let addresses = lookup_host((self.host.as_str(), self.port)).await;
        let mut last = "the host name has no address".to_owned();
        for address in addresses.map_err(told)? {
            if !self.tls && !address.ip().is_loopback() {
                return Err("without TLS a request goes to loopback only".to_owned());
            }
            match TcpStream::connect(address).await {
                Ok(stream) => return Ok(stream),
                Err(error) => last = error.to_string(),
            }
        }
        Err(last)
    }
}

async fn exchange(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    mut request: Request<Full<Bytes>>,
) -> Result<Answer, String> {
    let authority = request
        .uri()
        .authority()
        .map_or("", |authority| authority.as_str());
    let host = HeaderValue::try_from(authority).map_err(told)?;
    let path = request
        .uri()
        .path_and_query()
        .map_or("/", |path| path.as_str());
    let path: Uri = path.parse().map_err(told)?;
    request.headers_mut().insert(HOST, host);
    *request.uri_mut() = path;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(told)?;
    // Ends with the exchange: dropping a set aborts what is in it.
    let mut driving = tokio::task::JoinSet::new();
    driving.spawn(connection);
    let answer = sender.send_request(request).await.map_err(told)?;
    whole(answer).await
}

async fn whole(answer: Response<Incoming>) -> Result<Answer, String> {
    let status = answer.status();
    let body = Limited::new(answer.into_body(), MOST).collect().await;
    let body = body.map_err(told)?.to_bytes().to_vec();
    Ok(Answer { status, body })
}

fn told(problem: impl Display) -> String {
    problem.to_string()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use postern_testkit::smtp::ServerIdentity;
    use rustls::pki_types::pem::PemObject as _;
    use rustls::pki_types::{CertificateDer, PrivateKeyDer};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;
    use tokio_rustls::TlsAcceptor;

    use super::*;

    /// Answers every request with `answer`, over TLS with a certificate for `localhost`.
    async fn server(identity: &ServerIdentity, answer: Vec<u8>) -> String {
        let chain: Result<Vec<_>, _> =
            CertificateDer::pem_slice_iter(identity.chain_pem.as_bytes()).collect();
        let key = PrivateKeyDer::from_pem_slice(identity.key_pem.as_bytes()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain.unwrap(), key)
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                if let Ok(mut stream) = acceptor.accept(stream).await {
                    let mut heard = [0; 4096];
                    let _ = stream.read(&mut heard).await;
                    let _ = stream.write_all(&answer).await;
                    let _ = stream.shutdown().await;
                }
            }
        });
        format!("https://localhost:{port}/token?a=b")
    }

    async fn get(https: &Https, url: &str) -> Result<Answer, Unanswered> {
        let request = Request::get(url).body(Full::default()).unwrap();
        https.request(request).await
    }

    fn trusting(identity: &ServerIdentity) -> Https {
        let ca = CertificateDer::from_pem_slice(identity.ca_pem.as_bytes()).unwrap();
        Https::new(Trust::Only(vec![ca]))
    }

    #[tokio::test]
    async fn a_server_is_believed_for_its_certificate_alone() {
        let identity = ServerIdentity::make().unwrap();
        let answer = b"HTTP/1.1 401 no\r\ncontent-length: 2\r\n\r\n{}".to_vec();
        let url = server(&identity, answer).await;
        let told = get(&trusting(&identity), &url).await.unwrap();
        assert_eq!((told.status.as_u16(), told.body), (401, b"{}".to_vec()));
        let other = ServerIdentity::make().unwrap();
        let refused = get(&trusting(&other), &url).await.unwrap_err();
        assert!(refused.distrust.is_some(), "{refused}");
    }

    #[tokio::test]
    async fn an_answer_without_end_is_given_up() {
        let identity = ServerIdentity::make().unwrap();
        let mut answer = b"HTTP/1.1 200 ok\r\ncontent-length: 70000\r\n\r\n".to_vec();
        answer.resize(answer.len() + 70_000, b' ');
        let url = server(&identity, answer).await;
        let refused = get(&trusting(&identity), &url).await.unwrap_err();
        assert!(refused.told.contains("length limit"), "{refused}");
    }

    #[tokio::test]
    async fn nothing_is_said_in_the_clear_but_to_this_machine() {
        for (url, said) in [
            ("http://192.0.2.1/token", "loopback"),
            ("ftp://localhost/token", "https"),
            ("/token", "host"),
        ] {
            let refused = get(&Https::default(), url).await.unwrap_err();
            assert!(refused.told.contains(said), "{url}: {refused}");
        }
    }
}
