//! What the HTML fetches, and what mail programs refuse to run.

use super::super::context;
use super::super::mjml;
use super::super::parts::Part;
use super::{Finding, line_at, line_of};

/// How many findings of one kind are told: each is looked up in the source.
pub(super) const MOST: usize = 50;

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

/// How far before an address is looked for what it is the address of.
const NEAR: usize = 64;

/// The last place up to `at` where a character begins.
fn floor(text: &str, at: usize) -> usize {
    (0..=at)
        .rev()
        .find(|at| text.is_char_boundary(*at))
        .unwrap_or_default()
}

/// Conditions by which the mail could tell its code or link, in what it fetches or does not. The HTML may show its
/// subject.
pub(super) fn conditions(part: Part, written: &str) -> Vec<Finding> {
    let told = |(at, tag): (usize, &str)| {
        let told = format!(
            "{tag} chooses by what the code or link is, and what is fetched then would tell it; only whether it is \
             there may be asked, and it is shown as it is"
        );
        Finding::error(part, "secret-condition", told).at(Some(line_at(written, at)))
    };
    let found = context::conditions(written).into_iter();
    found.take(MOST).map(told).collect()
}

/// Codes and links that would be told to whoever serves what the mail fetches.
pub(super) fn secrets(written: &str) -> Vec<Finding> {
    let told = |tag: &str, line| {
        let told = format!(
            "{tag} would be part of an address that mail programs fetch by themselves: whoever serves it, and all \
             on the way, could sign in with it"
        );
        Finding::error(Part::Html, "fetched-secret", told).at(line)
    };
    if !mjml::is_mjml(written) {
        let found = context::secrets(written).into_iter();
        return found
            .take(MOST)
            .map(|(at, tag)| told(tag, Some(line_at(written, at))))
            .collect();
    }
    // What is wrong with it is told elsewhere. Attributes of MJML become others of HTML.
    let html = mjml::to_html(written).unwrap_or_default();
    let found = context::secrets(&html).into_iter();
    found
        .take(MOST)
        .map(|(_, tag)| told(tag, line_of(written, tag)))
        .collect()
}

/// Styles by which the mail would tell its code or link to whoever serves what it fetches.
pub(super) fn styles(written: &str) -> Vec<Finding> {
    let made = mjml::is_mjml(written).then(|| mjml::to_html(written).unwrap_or_default());
    let html = made.as_deref().unwrap_or(written);
    let told = |(at, begins): (usize, &str)| {
        let told = format!(
            "{begins:?} could tell the code or link to whoever serves what is fetched: no sheet or font from \
             elsewhere, no url() in a sheet (pictures go into <img>), no style that goes by the value of an \
             attribute or by a size, and no letters as escapes or entities"
        );
        let line = match made {
            Some(_) => line_of(written, begins),
            None => Some(line_at(written, at)),
        };
        Finding::error(Part::Html, "telling-style", told).at(line)
    };
    let found = context::telling(html).into_iter();
    found.take(MOST).map(told).collect()
}

/// Addresses without TLS, and what does not work in a mail.
pub(super) fn findings(html: &str) -> Vec<Finding> {
    let lower = html.to_ascii_lowercase();
    let mut found = Vec::new();
    for (at, _) in lower.match_indices("http:") {
        if found.len() >= MOST {
            break;
        }
        // Looked up for what is told only: a long text may have very many.
        let line = || Some(line_at(html, at));
        let near = floor(&lower, at.saturating_sub(NEAR));
        let before = lower[near..at].trim_end_matches(['"', '\'', ' ', '\n', '\t']);
        if FETCHED.iter().any(|begin| before.ends_with(begin)) {
            let told = "an http: asset tells the network who reads the mail: use https:";
            found.push(Finding::error(Part::Html, "http-asset", told).at(line()));
        } else if before.ends_with("href=") {
            let told = "a link without TLS: use https:";
            found.push(Finding::warning(Part::Html, "http-link", told).at(line()));
        }
    }
    for (at, _) in lower.match_indices("javascript:").take(MOST) {
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
