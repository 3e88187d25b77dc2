//! Who may look into the development inbox: programs and people on this very machine.

use std::net::{IpAddr, SocketAddr};

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http::HeaderMap;
use http::header::HOST;

use crate::listen::RequestContext;
use crate::present::Problem;

/// Lets a request through if it comes from loopback, asks for a loopback host and passed no proxy.
/// The second keeps out web pages of elsewhere whose name was made to point here (DNS rebinding),
/// the third what a proxy or tunnel on this machine brings from elsewhere. To everybody else the
/// inbox does not exist.
pub(super) async fn loopback_only(request: Request, next: Next) -> Response {
    let peer = RequestContext::of(request.extensions()).peer;
    let here = is_loopback(peer.ip()) && asks_for_loopback(&request);
    if here && !passed_a_proxy(request.headers()) && !is_of_another_site(request.headers()) {
        return next.run(request).await;
    }
    Problem::no_such_path().into_response()
}

/// Every name of the server in the request, and there is one, is a loopback one.
fn asks_for_loopback(request: &Request) -> bool {
    let hosts = request.headers().get_all(HOST).iter();
    let hosts: Vec<_> = hosts
        .map(|host| host.to_str().unwrap_or_default())
        .collect();
    let authority = request.uri().authority().map(http::uri::Authority::as_str);
    let mut named = hosts.iter().copied().chain(authority).peekable();
    hosts.len() <= 1 && named.peek().is_some() && named.all(is_loopback_host)
}

fn passed_a_proxy(headers: &HeaderMap) -> bool {
    let tells = |name: &str| {
        matches!(name, "forwarded" | "via" | "x-real-ip")
            || name.starts_with("x-forwarded-")
            || name.starts_with("cf-")
    };
    headers.keys().any(|name| tells(name.as_str()))
}

/// Browsers say where a request comes from (Fetch Metadata); programs say nothing.
fn is_of_another_site(headers: &HeaderMap) -> bool {
    headers
        .get("sec-fetch-site")
        .is_some_and(|site| site == "cross-site")
}

fn is_loopback(address: IpAddr) -> bool {
    address.to_canonical().is_loopback()
}

/// Whether this name of a server is one of this machine.
pub(crate) fn is_loopback_host(host: &str) -> bool {
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
    let (name, port) = host.rsplit_once(':').unwrap_or((host, "0"));
    if port.parse::<u16>().is_err() {
        return false;
    }
    let name = name.to_ascii_lowercase();
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
            "localhost:x",
            "",
        ] {
            assert!(!is_loopback_host(elsewhere), "{elsewhere}");
        }
    }

    #[test]
    fn what_a_proxy_or_another_site_brings_is_turned_away() {
        let request = |headers: &[(&'static str, &'static str)]| {
            let mut request = Request::new(axum::body::Body::empty());
            for (name, value) in headers {
                let value = http::HeaderValue::from_static(value);
                request.headers_mut().append(*name, value);
            }
            request
        };
        let host = ("host", "localhost:8080");
        assert!(asks_for_loopback(&request(&[host])));
        assert!(!asks_for_loopback(&request(&[])));
        assert!(!asks_for_loopback(&request(&[host, host])));
        let mut absolute = request(&[("host", "evil.example")]);
        *absolute.uri_mut() = http::Uri::from_static("http://localhost/dev/inbox");
        assert!(!asks_for_loopback(&absolute));
        for header in ["x-forwarded-for", "forwarded", "via", "x-real-ip", "cf-ray"] {
            assert!(
                passed_a_proxy(request(&[host, (header, "1")]).headers()),
                "{header}"
            );
        }
        assert!(!passed_a_proxy(request(&[host]).headers()));
        assert!(is_of_another_site(
            request(&[("sec-fetch-site", "cross-site")]).headers()
        ));
        assert!(!is_of_another_site(
            request(&[("sec-fetch-site", "none")]).headers()
        ));
    }
}
