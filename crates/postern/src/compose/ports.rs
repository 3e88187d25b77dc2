//! The open ports, and the origin that they are known by.

use std::net::SocketAddr;

use super::error::StartError;
use crate::config::Config;
use crate::listen::{Limits, Listener, Tls, descriptors};

/// Listening, not yet answering: peers that connect wait.
pub(super) struct Ports {
    pub(super) listener: Listener,
    pub(super) metrics: Option<Listener>,
    pub(super) tls: Option<Tls>,
    pub(super) address: SocketAddr,
    pub(super) url: String,
}

impl Ports {
    /// Opens them.
    ///
    /// # Errors
    /// A port is taken, or the certificate cannot be served.
    pub(super) fn open(config: &Config) -> Result<Self, StartError> {
        let tls = config
            .tls
            .as_ref()
            .map(|files| Tls::load(&files.certificate_file, &files.key_file));
        let tls = tls
            .transpose()
            .map_err(|error| StartError::Certificate(format!("{error:#}")))?;
        let listener = bind(config.server.listen, tls.clone(), config)?;
        let metrics = config.metrics;
        let metrics = metrics.map(|address| bind(address, None, config));
        let metrics = metrics.transpose()?;
        let address = listener
            .local_addr()
            .map_err(|error| StartError::listen(config.server.listen, &error))?;
        let url = match &config.server.public_url {
            Some(url) => url.to_string(),
            None => own_url(address, tls.is_some()),
        };
        Ok(Self {
            listener,
            metrics,
            tls,
            address,
            url,
        })
    }
}

/// In development the origin is the listener's own; over TLS it has the name of the certificate.
fn own_url(address: SocketAddr, tls: bool) -> String {
    let (port, ip) = (address.port(), address.ip());
    match (tls, ip.is_unspecified()) {
        (true, _) => format!("https://localhost:{port}"),
        (false, true) => format!("http://127.0.0.1:{port}"),
        (false, false) => format!("http://{address}"),
    }
}

fn bind(address: SocketAddr, tls: Option<Tls>, config: &Config) -> Result<Listener, StartError> {
    let limits = Limits {
        max_connections: descriptors::room_for(config.limits.connections),
        ..Limits::default()
    };
    Listener::bind(address, tls, limits).map_err(|error| StartError::listen(address, &error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_origin_of_development_is_one_that_this_machine_can_reach() {
        let own = |address: &str, tls| own_url(address.parse().expect("an address"), tls);
        assert_eq!(own("127.0.0.1:8080", false), "http://127.0.0.1:8080");
        assert_eq!(own("[::1]:8080", false), "http://[::1]:8080");
        assert_eq!(own("0.0.0.0:8080", false), "http://127.0.0.1:8080");
        assert_eq!(own("127.0.0.1:8443", true), "https://localhost:8443");
    }
}
