//! Stylesheet and scripts, compiled in.

use std::sync::LazyLock;

use aws_lc_rs::digest::{SHA256, digest};
use axum::response::{IntoResponse as _, Response};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use http::header::{CACHE_CONTROL, CONTENT_TYPE};

use super::Dashboard;
use super::route::Visit;
use super::trouble::Trouble;

const STYLE: &str = include_str!("../../assets/dashboard/style.css");
const SCRIPT: &str = include_str!("../../assets/dashboard/script.js");
const HTMX: &str = include_str!("../../assets/dashboard/htmx.min.js");
const ICON: &str = include_str!("../../assets/dashboard/icon.svg");

/// Changes with the assets, so that browsers may keep them for ever.
pub(super) fn version() -> &'static str {
    static VERSION: LazyLock<String> = LazyLock::new(|| {
        let all = [STYLE, SCRIPT, HTMX, ICON].concat();
        let digest = digest(&SHA256, all.as_bytes());
        URL_SAFE_NO_PAD.encode(&digest.as_ref()[..9])
    });
    &VERSION
}

/// `GET /dashboard/assets/{name}`
pub(super) async fn asset(_: &Dashboard, visit: Visit) -> Result<Response, Trouble> {
    let (kind, text) = match visit.path.get("name") {
        "style.css" => ("text/css; charset=utf-8", STYLE),
        "script.js" => ("text/javascript; charset=utf-8", SCRIPT),
        "htmx.min.js" => ("text/javascript; charset=utf-8", HTMX),
        "icon.svg" => ("image/svg+xml", ICON),
        _ => return Err(Trouble::NotFound),
    };
    let keep = if visit.query.get("v") == version() {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    Ok(([(CONTENT_TYPE, kind), (CACHE_CONTROL, keep)], text).into_response())
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    #[test]
    fn what_is_vendored_is_what_its_note_says() {
        let note = include_str!("../../assets/dashboard/VENDORED.md");
        let sum = digest(&SHA256, HTMX.as_bytes());
        let mut hex = String::new();
        for byte in sum.as_ref() {
            let _ = write!(hex, "{byte:02x}");
        }
        assert!(note.contains(&hex), "{hex}");
        assert!(HTMX.contains("version:\"2.0.11\"") && note.contains("2.0.11"));
    }
}
