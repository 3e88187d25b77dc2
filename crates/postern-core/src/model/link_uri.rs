use std::net::{Ipv4Addr, Ipv6Addr};

use url::{Host, Url};

use super::LinkToken;
use crate::settings::Settings;

/// Where a magic link leads: the app's own page, absolute and of a scheme that may be mailed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkUri(Box<str>);

/// Why a `magiclink_auth_uri` is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LinkUriProblem {
    /// Over [`LinkUri::MAX_CHARS`] characters.
    #[error("magiclink_auth_uri is longer than 1000 characters")]
    TooLong,
    /// Not an absolute URI, or one with user information, spaces, controls or backslashes.
    #[error("magiclink_auth_uri is not a valid absolute URI")]
    Malformed,
    /// `http` beyond loopback, or a scheme that is not allowed.
    #[error("magiclink_auth_uri must be https, an allowed custom scheme, or http to loopback")]
    Scheme,
    /// Its origin is not on the allow-list.
    #[error("magiclink_auth_uri has an origin that is not allowed")]
    Origin,
    /// It already has a `link_token` parameter.
    #[error("magiclink_auth_uri must not have a link_token parameter")]
    HasToken,
}

/// Schemes that no allow-list can admit: they run or read something on the person's device.
const NEVER: &[&str] = &[
    "about",
    "blob",
    "content",
    "data",
    "file",
    "filesystem",
    "ftp",
    "intent",
    "jar",
    "javascript",
    "mailto",
    "ms-appinstaller",
    "search-ms",
    "sms",
    "tel",
    "vbscript",
    "view-source",
    "ws",
    "wss",
];

impl LinkUri {
    /// The longest URI accepted, in characters.
    pub const MAX_CHARS: usize = 1000;

    /// Reads a URI and holds it against the allow-lists of `settings`.
    ///
    /// # Errors
    /// The first rule it breaks.
    pub fn parse(text: &str, settings: &Settings) -> Result<Self, LinkUriProblem> {
        let url = parse_strictly(text).ok_or(LinkUriProblem::Malformed)?;
        if url.query_pairs().any(|(key, _)| key == "link_token") {
            return Err(LinkUriProblem::HasToken);
        }
        Self::admit(&url, settings)?;
        Ok(Self(text.into()))
    }

    /// Takes a URI out of the store, where only a parsed one was put.
    pub fn restore(text: String) -> Self {
        Self(text.into())
    }

    /// Whether the allow-lists as they are now still admit it.
    ///
    /// # Errors
    /// The first rule it breaks.
    pub fn check(&self, settings: &Settings) -> Result<(), LinkUriProblem> {
        Self::admit(
            &Url::parse(&self.0).map_err(|_| LinkUriProblem::Malformed)?,
            settings,
        )
    }

    /// The URI as the caller gave it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The host of a page on the web, which mail clients match passcodes with; none for custom schemes.
    pub fn web_host(&self) -> Option<String> {
        let url = Url::parse(&self.0).ok()?;
        let host = url.host_str().filter(|_| url.scheme().starts_with("http"));
        host.map(str::to_owned)
    }

    /// Where the URI leads, as a source of a content security policy names it (CSP 3 §2.3.1): the
    /// origin of a web page, the scheme of an app.
    pub fn source(&self) -> String {
        let Ok(url) = Url::parse(&self.0) else {
            return String::new();
        };
        match url.origin() {
            url::Origin::Tuple(..) => url.origin().ascii_serialization(),
            url::Origin::Opaque(_) => format!("{}:", url.scheme()),
        }
    }

    /// The magic link: the URI with `link_token` added to its query, before its fragment.
    pub fn with_token(&self, token: &LinkToken) -> String {
        let (before, fragment) = self
            .0
            .split_once('#')
            .map_or((&*self.0, None), |(b, f)| (b, Some(f)));
        let joint = match before.split_once('?') {
            None => "?",
            Some((_, query)) if query.is_empty() || query.ends_with('&') => "",
            Some(_) => "&",
        };
        let hash = if fragment.is_some() { "#" } else { "" };
        format!(
            "{before}{joint}link_token={}{hash}{}",
            token.expose(),
            fragment.unwrap_or("")
        )
    }

    fn admit(url: &Url, settings: &Settings) -> Result<(), LinkUriProblem> {
        match url.scheme() {
            "https" => origin_listed(url, settings),
            "http" if is_loopback(url) => origin_listed(url, settings),
            "http" => Err(LinkUriProblem::Scheme),
            custom => custom_allowed(custom, settings),
        }
    }
}

/// Reads an absolute URI of RFC 3986 that browsers and mail clients cannot take for another: what is
/// mailed is the text as given, so it must say what the parser heard.
fn parse_strictly(text: &str) -> Option<Url> {
    let plain = |b: u8| b.is_ascii_graphic() && !b"\\<>\"`{}|^".contains(&b);
    if !text.bytes().all(plain) {
        return None;
    }
    let url = Url::parse(text).ok()?;
    let said = url
        .host_str()
        .is_none_or(|host| is_a_name(host) && says(text, host));
    (said && (url.has_host() || !url.scheme().starts_with("http"))).then_some(url)
}

/// Whether a host is an address or has only what names of hosts have. RFC 3986 takes more, such as `;`
/// and `,`, at which mail clients and security policies think that the host ends.
fn is_a_name(host: &str) -> bool {
    let fine = |b: u8| b.is_ascii_alphanumeric() || b"-._[:]".contains(&b);
    host.bytes().all(fine)
}

/// Whether the authority in the text is this host, with nothing but a port beside it.
fn says(text: &str, host: &str) -> bool {
    let rest = text.split_once("://").map_or("", |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let Some((written, port)) = authority.split_at_checked(host.len()) else {
        return false;
    };
    let digits = port.strip_prefix(':').unwrap_or(port);
    written.eq_ignore_ascii_case(host) && digits.bytes().all(|b| b.is_ascii_digit())
}

/// Whether `scheme` may stand on the allow-list of custom schemes at all.
pub(crate) fn may_be_custom(scheme: &str) -> bool {
    let mut bytes = scheme.bytes();
    bytes.next().is_some_and(|b| b.is_ascii_lowercase())
        && bytes.all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"+-.".contains(&b))
        && scheme.len() <= 64
        && !matches!(scheme, "http" | "https")
        && !NEVER.contains(&scheme)
}

fn custom_allowed(scheme: &str, settings: &Settings) -> Result<(), LinkUriProblem> {
    let open = settings.link_origins.is_empty() && scheme.contains('.');
    let listed = open
        || settings
            .link_schemes
            .iter()
            .any(|allowed| allowed == scheme);
    if listed && may_be_custom(scheme) {
        Ok(())
    } else {
        Err(LinkUriProblem::Scheme)
    }
}

fn origin_listed(url: &Url, settings: &Settings) -> Result<(), LinkUriProblem> {
    let origin = url.origin().ascii_serialization();
    let listed = settings.link_origins.is_empty() || settings.link_origins.contains(&origin);
    if listed {
        Ok(())
    } else {
        Err(LinkUriProblem::Origin)
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(ip)) => Ipv4Addr::is_loopback(&ip),
        Some(Host::Ipv6(ip)) => Ipv6Addr::is_loopback(&ip),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(uri: &str) -> Result<String, LinkUriProblem> {
        Ok(LinkUri::parse(uri, &Settings::default())?.with_token(&LinkToken::new("TOKEN_l")))
    }

    #[test]
    fn the_token_is_added_to_the_query_and_the_fragment_stays_last() {
        assert_eq!(
            link("https://a.example/p").unwrap(),
            "https://a.example/p?link_token=TOKEN_l"
        );
        assert_eq!(
            link("https://a.example/p?x=1").unwrap(),
            "https://a.example/p?x=1&link_token=TOKEN_l"
        );
        assert_eq!(
            link("https://a.example/p?").unwrap(),
            "https://a.example/p?link_token=TOKEN_l"
        );
        assert_eq!(
            link("https://a.example/p?x=1#f?g").unwrap(),
            "https://a.example/p?x=1&link_token=TOKEN_l#f?g"
        );
        assert_eq!(
            link("https://a.example/#/r").unwrap(),
            "https://a.example/?link_token=TOKEN_l#/r"
        );
    }

    #[test]
    fn http_is_for_loopback_only() {
        for fine in [
            "http://localhost:3000/a",
            "http://app.localhost/",
            "http://127.0.0.5/",
            "http://[::1]:8/",
        ] {
            assert!(link(fine).is_ok(), "{fine}");
        }
        assert_eq!(link("http://a.example/"), Err(LinkUriProblem::Scheme));
        assert_eq!(
            link("http://localhost.evil.example/"),
            Err(LinkUriProblem::Scheme)
        );
    }

    #[test]
    fn a_custom_scheme_needs_a_dot_or_a_place_on_the_list() {
        assert!(link("com.example.app:/cb").is_ok());
        assert_eq!(link("myapp://cb"), Err(LinkUriProblem::Scheme));
        let settings = Settings {
            link_schemes: vec!["myapp".into(), "javascript".into()],
            ..Settings::default()
        };
        assert!(LinkUri::parse("myapp://cb", &settings).is_ok());
        for never in [
            "javascript:alert(1)",
            "data:text/html,x",
            "file:///etc/passwd",
            "intent://x",
        ] {
            assert_eq!(
                LinkUri::parse(never, &settings),
                Err(LinkUriProblem::Scheme),
                "{never}"
            );
        }
    }

    #[test]
    fn tricks_with_user_information_backslashes_and_controls_are_refused() {
        for bad in [
            "https://a.example@evil.example/",
            "https:\\\\evil.example",
            "https://a.example/\r\nx",
            "/relative",
            "//host/x",
            "https://",
            "https://a.example/ x",
            "",
        ] {
            assert_eq!(link(bad), Err(LinkUriProblem::Malformed), "{bad:?}");
        }
        assert_eq!(
            link("https://a.example/?link_token=x"),
            Err(LinkUriProblem::HasToken)
        );
    }

    #[test]
    fn a_uri_that_a_browser_may_read_otherwise_is_refused() {
        for bad in [
            "https://@evil.example/",
            "https://:@evil.example/",
            "https:evil.example",
            "https:///evil.example/x",
            "http:localhost",
            "http://ⓛocalhost/",
            "http://0x7f.1/",
            "http://2130706433/",
            "https://%61pp.example/",
            "https://аpple.example/",
            "https://a.example/\u{202e}x",
            "https://a.example/\u{200b}x",
            "https://a.example:x/",
            "https://evil.example,a.example/",
            "https://evil.example;a.example/",
            "https://a.example'x/",
            "https://a.example(x)/",
            "https://*.example/",
            "com.example.app://a;sandbox/x",
        ] {
            assert_eq!(link(bad), Err(LinkUriProblem::Malformed), "{bad:?}");
        }
        assert!(link("https://xn--pple-43d.example:8443/x").is_ok());
    }

    #[test]
    fn a_list_of_origins_closes_the_door_to_unlisted_custom_schemes() {
        let settings = Settings {
            link_origins: vec!["https://app.example".into()],
            ..Settings::default()
        };
        assert_eq!(
            LinkUri::parse("com.evil.app:/x", &settings),
            Err(LinkUriProblem::Scheme)
        );
        let settings = Settings {
            link_schemes: vec!["com.good.app".into()],
            ..settings
        };
        assert!(LinkUri::parse("com.good.app:/x", &settings).is_ok());
    }

    #[test]
    fn listed_origins_are_compared_whole() {
        let settings = Settings {
            link_origins: vec!["https://app.example.com".into()],
            ..Settings::default()
        };
        assert!(LinkUri::parse("https://APP.example.com:443/x", &settings).is_ok());
        for other in [
            "https://app.example.com:444/",
            "https://app.example.com.evil.example/",
            "http://localhost/",
        ] {
            assert_eq!(
                LinkUri::parse(other, &settings),
                Err(LinkUriProblem::Origin),
                "{other}"
            );
        }
    }
}
