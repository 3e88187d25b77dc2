//! Who may look into the development inbox: programs and people on this very machine.

use std::net::{IpAddr, SocketAddr};

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http::header::HOST;

use crate::listen::RequestContext;
use crate::present::Problem;

/// Lets a request through if it comes from loopback and asks for a loopback host. The second
/// keeps out web pages of elsewhere whose name was made to point here (DNS rebinding), and tunnels.
/// To everybody else the inbox does not exist.
pub(super) async fn loopback_only(request: Request, next: Next) -> Response {
    let peer = RequestContext::of(request.extensions()).peer;
    if is_loopback(peer.ip()) && host(&request).is_some_and(is_loopback_host) {
        return next.run(request).await;
    }
    Problem::no_such_path().into_response()
}

fn host(request: &Request) -> Option<&str> {
    let authority = request.uri().authority().map(http::uri::Authority::as_str);
    authority.or_else(|| request.headers().get(HOST)?.to_str().ok())
}

fn is_loopback(address: IpAddr) -> bool {
    address.to_canonical().is_loopback()
}

fn is_loopback_host(host: &str) -> bool {
    if let Ok(address) = host.parse::<SocketAddr>() {
        return is_loopback(address.ip());
    }
    let bare = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .unwrap_or(host);
    if let Ok(address) = bare.parse::<IpAddr>() {
        return is_loopback(address);
    }
    let name = host
        .rsplit_once(':')
        .map_or(host, |(name, _)| name)
        .to_ascii_lowercase();
    name == "localhost" || name.ends_with(".localhost")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_this_machine_are_loopback_hosts() {
        for here in [
            "localhost",
            "LocalHost:8080",
            "127.0.0.1",
            "127.0.0.1:8080",
            "[::1]",
            "[::1]:8080",
            "app.localhost:1",
        ] {
            assert!(is_loopback_host(here), "{here}");
        }
        for elsewhere in [
            "example.com",
            "localhost.example.com:80",
            "10.0.0.1:8080",
            "127.0.0.1.nip.io",
            "notlocalhost",
            "",
        ] {
            assert!(!is_loopback_host(elsewhere), "{elsewhere}");
        }
    }
}
