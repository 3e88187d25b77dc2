//! Whether the public URL leads to this server.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::HOST;
use http::uri::Scheme;
use http::{Request, Uri};
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use postern_core::model::{Snapshot, Timestamp};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::time_provider::TimeProvider;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::finding::Finding;
use crate::trust::{Distrust, Unanswered};

const CHECK: &str = "public url";
const FIX: &str = "see DNS, firewall and proxy, and server.public_url";

/// How long one connection may take, with all that is said over it.
const BOUND: Duration = Duration::from_secs(8);
/// Bytes of a key set.
const MOST: usize = 256 * 1024;
/// From how long before its end a certificate is warned of.
const SOON: Duration = Duration::from_hours(14 * 24);

/// Asks the public URL for its key set, as clients do, and compares it with ours. `ca` is the
/// certificate of the private authority that `postern dev --tls` makes.
pub(super) async fn check(url: &str, held: &Snapshot, ca: &Path, now: Timestamp) -> Finding {
    let known = |kid: &str| held.signing_keys.iter().any(|key| key.kid == kid);
    match key_ids(url, ca, now).await {
        Ok(kids) if kids.iter().any(|kid| known(kid)) => lasting(url, ca, now).await,
        Ok(_) => Finding::failed(
            CHECK,
            url,
            "it leads to a server with other signing keys than this one's",
            FIX,
        ),
        Err(Unanswered {
            told,
            distrust: Some(why),
        }) => Finding::failed(
            CHECK,
            url,
            format!("its certificate is not believed: {told}"),
            why.fix(),
        ),
        Err(other) => Finding::failed(CHECK, url, format!("it does not lead here: {other}"), FIX),
    }
}

/// Whether the certificate will still be good in a while.
async fn lasting(url: &str, ca: &Path, now: Timestamp) -> Finding {
    let good = Finding::ok(CHECK, url, "it leads to this server");
    if !url.starts_with("https:") {
        return good;
    }
    match key_ids(url, ca, now.plus(SOON)).await {
        Err(why) if why.distrust == Some(Distrust::Ended) => Finding::warning(
            CHECK,
            url,
            format!(
                "it leads to this server, whose certificate ends within {} days",
                SOON.as_secs() / 86_400
            ),
            "renew the certificate; the files are read again by themselves",
        ),
        _ => good,
    }
}

async fn key_ids(url: &str, ca: &Path, at: Timestamp) -> Result<Vec<String>, Unanswered> {
    let asked = timeout(BOUND, fetch(url, ca, at)).await;
    let body = asked.unwrap_or_else(|_| Err("no answer in time".into()))?;
    let set: serde_json::Value =
        serde_json::from_slice(&body).map_err(|_| "what answers is no key set")?;
    let keys = set["keys"].as_array().ok_or("what answers is no key set")?;
    let kids = keys.iter().filter_map(|key| key["kid"].as_str());
    Ok(kids.map(str::to_owned).collect())
}

async fn fetch(url: &str, ca: &Path, at: Timestamp) -> Result<Bytes, Unanswered> {
    let uri: Uri = format!("{url}/keys").parse().map_err(|_| "it is no URL")?;
    let host = uri
        .host()
        .ok_or("it names no host")?
        .trim_matches(['[', ']']);
    let secure = uri.scheme() == Some(&Scheme::HTTPS);
    let port = uri.port_u16().unwrap_or(if secure { 443 } else { 80 });
    let stream = TcpStream::connect((host, port))
        .await
        .map_err(|error| error.to_string())?;
    if !secure {
        return Ok(get(stream, &uri).await?);
    }
    let name = ServerName::try_from(host.to_owned()).map_err(|error| error.to_string())?;
    let connector = TlsConnector::from(trusting(ca, at)?);
    let stream = connector
        .connect(name, stream)
        .await
        .map_err(|error| Unanswered::handshake(&error))?;
    Ok(get(stream, &uri).await?)
}

async fn get(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    uri: &Uri,
) -> Result<Bytes, String> {
    let told = |error: hyper::Error| error.to_string();
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(told)?;
    let driving = tokio::spawn(connection);
    let authority = uri.authority().map_or("", |authority| authority.as_str());
    let request = Request::get(uri.path())
        .header(HOST, authority)
        .body(Empty::<Bytes>::new())
        .map_err(|error| error.to_string())?;
    let answer = sender.send_request(request).await.map_err(told)?;
    let status = answer.status();
    let body = Limited::new(answer.into_body(), MOST).collect().await;
    driving.abort();
    if !status.is_success() {
        return Err(format!("it answers {status}"));
    }
    Ok(body.map_err(|error| error.to_string())?.to_bytes())
}

/// A clock that stands.
#[derive(Debug)]
struct Standing(UnixTime);

impl TimeProvider for Standing {
    fn current_time(&self) -> Option<UnixTime> {
        Some(self.0)
    }
}

/// Trusts the system's authorities and our own, and judges certificates as if it were `at`.
fn trusting(ca: &Path, at: Timestamp) -> Result<Arc<ClientConfig>, String> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    roots.add_parsable_certificates(CertificateDer::from_pem_file(ca));
    let since = Duration::from_secs(u64::try_from(at.unix_seconds()).unwrap_or_default());
    let clock = Arc::new(Standing(UnixTime::since_unix_epoch(since)));
    let crypto = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_details(crypto, clock)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}
