//! The audit: who did what, with before and after.

use askama::Template;
use axum::response::Response;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use postern_core::model::Timestamp;

use crate::dashboard::Dashboard;
use crate::dashboard::document::{Shell, html};
use crate::dashboard::route::Visit;
use crate::dashboard::shown;
use crate::dashboard::trouble::Trouble;

/// Entries of a page.
const PAGE: u16 = 50;

struct Row {
    at: String,
    actor: String,
    action: String,
    target: String,
    before: String,
    after: String,
}

#[derive(Template)]
#[template(path = "audit.html")]
struct Page {
    shell: Shell,
    rows: Vec<Row>,
    older: String,
}

/// A page of it, newest first.
pub(in crate::dashboard) async fn show(
    dashboard: &Dashboard,
    visit: Visit,
) -> Result<Response, Trouble> {
    let before = URL_SAFE_NO_PAD.decode(visit.query.get("before")).ok();
    let before = before.and_then(|bytes| bytes.try_into().ok());
    let found = dashboard.postern.store().audit(before, PAGE).await?;
    let older = match found.last() {
        Some((id, _)) if found.len() == usize::from(PAGE) => URL_SAFE_NO_PAD.encode(id),
        _ => String::new(),
    };
    let rows = found.into_iter().map(|(_, entry)| Row {
        at: shown::at(entry.at),
        actor: entry.actor,
        action: named(&entry.action, entry.before.is_empty()),
        target: entry.target,
        before: dated(&entry.before),
        after: dated(&entry.after),
    });
    Ok(html(&Page {
        shell: Shell::of(dashboard, &visit),
        rows: rows.collect(),
        older,
    }))
}

/// Moments that stand as seconds since the epoch, as dates.
fn dated(text: &str) -> String {
    let Some((before, rest)) = text.split_once("made at ") else {
        return text.to_owned();
    };
    let end = rest
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(rest.len());
    match rest[..end].parse() {
        Ok(seconds) => {
            let at = shown::at(Timestamp::from_unix_seconds(seconds));
            format!("{before}made at {at}{}", &rest[end..])
        }
        Err(_) => text.to_owned(),
    }
}

/// An action in words; `new` when there was nothing before.
fn named(action: &str, new: bool) -> String {
    let words = match (action, new) {
        ("setting.put", _) => "Changed a setting",
        ("client.put", true) => "Made an application",
        ("client.put", false) => "Changed an application",
        ("client.drop", _) => "Revoked an application",
        ("provider.put", true) => "Connected a provider",
        ("provider.put", false) => "Changed a provider",
        ("provider.drop", _) => "Removed a provider",
        ("mail_hook.put", _) => "Takes callbacks",
        ("mail_hook.drop", _) => "Takes callbacks no more",
        ("dkim_key.put", true) => "Made a DKIM key",
        ("dkim_key.put", false) => "Changed a DKIM key",
        ("dkim_key.drop", _) => "Removed a DKIM key",
        ("signing_key.put", true) => "Made a signing key",
        ("signing_key.put", false) => "Moved a signing key on",
        ("signing_key.drop", _) => "Dropped a signing key",
        ("admin.invite", _) => "Invited an admin",
        ("admin.put", true) => "Let an admin in",
        ("admin.put", false) => "Changed a role",
        ("admin.drop", _) => "Removed an admin",
        ("session.open", _) => "Signed in",
        ("session.end", _) => "Ended a session",
        ("suppression.put", _) => "Suppressed an address",
        ("suppression.drop", _) => "Took an address off the suppression list",
        ("address.forget", _) => "Forgot an address",
        ("template.save", _) => "Saved a mail template",
        ("template.use", _) => "Put a mail template in force",
        ("provider.test", _) => "Sent a test mail",
        ("quickstart.send", _) => "Sent a trial sign-in mail",
        ("log.export", _) => "Exported the authentication log",
        ("root_key.reseal", _) => "Sealed secrets anew",
        ("root_key.retire", _) => "Retired a root key",
        (other, _) => return super::steps::name(&other.replace('.', " ")),
    };
    words.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_dates_and_the_rest_is_left() {
        let told = "Shop; secrets: 1; newest made at 1800000000";
        assert_eq!(
            dated(told),
            "Shop; secrets: 1; newest made at 2027-01-15 08:00:00"
        );
        assert_eq!(dated("made at home"), "made at home");
        assert_eq!(dated("owner"), "owner");
    }

    #[test]
    fn an_action_that_has_no_words_yet_is_told_by_its_name() {
        assert_eq!(named("template.put", true), "Template put");
        assert_eq!(named("client.put", true), "Made an application");
    }
}
