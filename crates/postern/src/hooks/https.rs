//! The one request that callbacks lead to: a small file from Amazon.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, StatusCode, header::HOST};
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper_util::rt::TokioIo;
use rustls::{ClientConfig, RootCertStore, pki_types::ServerName};
use tokio::net::TcpStream;
use tokio::sync::OnceCell;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::Fetch;

/// For the whole of a request.
const BOUND: Duration = Duration::from_secs(10);
/// Bytes of an answer.
const MOST: usize = 64 * 1024;

/// HTTPS on port 443, trusting the system's authorities; they are read at the first use.
#[derive(Debug, Default)]
pub struct Https {
    config: OnceCell<Arc<ClientConfig>>,
}

#[async_trait]
impl Fetch for Https {
    async fn get(&self, host: &str, path: &str) -> Result<Vec<u8>, String> {
        let answer = timeout(BOUND, self.request(host, path)).await;
        answer.unwrap_or_else(|_| Err(format!("{host} did not answer in time")))
    }
}

impl Https {
    async fn request(&self, host: &str, path: &str) -> Result<Vec<u8>, String> {
        let failed = |error: &dyn std::fmt::Display| format!("{host}: {error}");
        let config = self.config.get_or_try_init(|| async {
            let made = tokio::task::spawn_blocking(trusting_the_system).await;
            made.map_err(|error| error.to_string())?
        });
        let name = ServerName::try_from(host.to_owned()).map_err(|error| failed(&error))?;
        let stream = TcpStream::connect((host, 443))
            .await
            .map_err(|error| failed(&error))?;
        let connector = TlsConnector::from(Arc::clone(config.await?));
        let stream = connector
            .connect(name, stream)
            .await
            .map_err(|error| failed(&error))?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|error| failed(&error))?;
        let driving = tokio::spawn(connection);
        let request = Request::get(path)
            .header(HOST, host)
            .body(Empty::<Bytes>::new())
            .map_err(|error| failed(&error))?;
        let answer = sender
            .send_request(request)
            .await
            .map_err(|error| failed(&error))?;
        if answer.status() != StatusCode::OK {
            return Err(format!("{host} answered {}", answer.status()));
        }
        let body = Limited::new(answer.into_body(), MOST).collect().await;
        driving.abort();
        let body = body.map_err(|error| failed(&error))?;
        Ok(body.to_bytes().to_vec())
    }
}

fn trusting_the_system() -> Result<Arc<ClientConfig>, String> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}
