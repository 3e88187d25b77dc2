//! What the HTML fetches, and what mail programs refuse to run.

use super::super::parts::Part;
use super::{Finding, line_at};

/// What begins an address that the mail fetches to be shown.
const FETCHED: [&str; 6] = [
    "src=",
    "background=",
    "background-url=",
    "poster=",
    "srcset=",
    "url(",
];

/// Elements that mail programs take out.
const STRIPPED: [&str; 5] = ["<script", "<iframe", "<form", "<object", "<embed"];

/// Addresses without TLS, and what does not work in a mail.
pub(super) fn findings(html: &str) -> Vec<Finding> {
    let lower = html.to_ascii_lowercase();
    let mut found = Vec::new();
    for (at, _) in lower.match_indices("http:") {
        let before = lower[..at].trim_end_matches(['"', '\'', ' ', '\n', '\t']);
        let line = Some(line_at(html, at));
        if FETCHED.iter().any(|begin| before.ends_with(begin)) {
            let told = "an http: asset tells the network who reads the mail: use https:";
            found.push(Finding::error(Part::Html, "http-asset", told).at(line));
        } else if before.ends_with("href=") {
            let told = "a link without TLS: use https:";
            found.push(Finding::warning(Part::Html, "http-link", told).at(line));
        }
    }
    for (at, _) in lower.match_indices("javascript:") {
        let told = "javascript: runs in no mail program, and makes filters suspicious";
        let finding = Finding::error(Part::Html, "active-content", told);
        found.push(finding.at(Some(line_at(html, at))));
    }
    for element in STRIPPED {
        if let Some(at) = lower.find(element) {
            let told = format!("mail programs take {element}> out");
            let finding = Finding::warning(Part::Html, "active-content", told);
            found.push(finding.at(Some(line_at(html, at))));
        }
    }
    found
}
