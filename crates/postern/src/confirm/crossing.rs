//! Whether another site pressed the button (login CSRF).

use http::HeaderMap;
use http::header::ORIGIN;

/// Whether a browser sent the request on behalf of another site.
///
/// Browsers say it in `Sec-Fetch-Site`, those before 2023 at least in `Origin`, which every one of
/// them sends with a POST. A client that says neither is no browser that somebody else could
/// steer, and holds the token itself; so it may (the rule of Go's `http.CrossOriginProtection`).
pub(super) fn is_from_elsewhere(headers: &HeaderMap, public_url: &str) -> bool {
    if let Some(site) = headers.get("sec-fetch-site") {
        return site != "same-origin" && site != "none";
    }
    headers
        .get(ORIGIN)
        .is_some_and(|origin| origin != public_url)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[test]
    fn only_the_page_itself_may_press_its_button() {
        let ours = "https://auth.example.com";
        for (name, value, elsewhere) in [
            ("sec-fetch-site", "same-origin", false),
            ("sec-fetch-site", "none", false),
            ("sec-fetch-site", "same-site", true),
            ("sec-fetch-site", "cross-site", true),
            ("origin", ours, false),
            ("origin", "https://evil.example", true),
            ("origin", "https://auth.example.com.evil.example", true),
            ("origin", "null", true),
            ("x-other", "1", false),
        ] {
            let headers = HeaderMap::from_iter([(
                http::HeaderName::from_static(name),
                HeaderValue::from_static(value),
            )]);
            assert_eq!(
                is_from_elsewhere(&headers, ours),
                elsewhere,
                "{name}: {value}"
            );
        }
    }
}
