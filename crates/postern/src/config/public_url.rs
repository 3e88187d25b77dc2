use std::fmt;
use std::net::IpAddr;

use http::Uri;

/// The origin that applications and browsers use: issuer of tokens, base of links.
///
/// An `https` origin, or an `http` one whose host is loopback; no path, query, or user; no
/// trailing slash (contract: `iss` has none, and one SDK drops a path).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicUrl(String);

impl PublicUrl {
    /// Parses an origin; one trailing slash is dropped.
    ///
    /// # Errors
    /// A sentence that says what is wrong with `text`.
    pub fn parse(text: &str) -> Result<Self, String> {
        let bare = text.strip_suffix('/').unwrap_or(text);
        let uri: Uri = bare.parse().map_err(|_| format!("{text:?} is not a URL"))?;
        let (Some(scheme), Some(host)) = (uri.scheme_str(), uri.host()) else {
            return Err(format!("{text:?} is not an absolute URL"));
        };
        if uri.path() != "/"
            || uri.query().is_some()
            || bare.ends_with('/')
            || bare.contains(['@', '#', '?'])
        {
            return Err(format!(
                "{text:?} is more than an origin: write scheme and host only"
            ));
        }
        match scheme {
            "https" => Ok(Self(bare.to_ascii_lowercase())),
            "http" if is_loopback(host) => Ok(Self(bare.to_ascii_lowercase())),
            "http" => Err(format!(
                "{text:?} is plain HTTP: links and tokens need https"
            )),
            _ => Err(format!("{text:?} is not an https URL")),
        }
    }

    /// The origin without a trailing slash.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether browsers reach it over TLS.
    pub fn is_https(&self) -> bool {
        self.0.starts_with("https:")
    }
}

impl fmt::Display for PublicUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_kept_in_lower_case_without_its_slash() {
        let url = PublicUrl::parse("https://Auth.Example.com/").expect("an origin");
        assert_eq!(url.as_str(), "https://auth.example.com");
        assert!(PublicUrl::parse("https://auth.example.com:8443").is_ok());
        assert!(PublicUrl::parse("http://127.0.0.1:8080").is_ok());
        assert!(PublicUrl::parse("http://[::1]:8080").is_ok());
    }

    #[test]
    fn more_than_an_origin_and_plain_http_are_refused() {
        for text in [
            "https://a.example/path",
            "https://a.example/?",
            "https://u:p@a.example",
            "https://a.example//",
            "http://a.example",
            "ftp://a.example",
            "a.example",
            "",
            "https://a.example#x",
        ] {
            assert!(PublicUrl::parse(text).is_err(), "{text}");
        }
    }
}
