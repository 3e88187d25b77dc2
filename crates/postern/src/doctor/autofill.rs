//! Whether mail programs can offer the code to the app that it is for.
//!
//! They match the last line of the mail (`@domain #code`) with the page that asks for the code, and
//! some want the mail's sender to be of that domain too.

use http::Uri;
use postern_core::settings::Settings;

use super::finding::Finding;

const CHECK: &str = "autofill";

/// Compares the sender's domain of a provider with the domains that mails name.
pub(super) fn check(settings: &Settings, provider: &str, sender: &str) -> Finding {
    let domains = domains(settings);
    if domains.is_empty() {
        return Finding::skipped(
            CHECK,
            provider,
            "neither app_domain nor link_origins is set, so that each link says which domain its code is for",
        );
    }
    let other = domains
        .iter()
        .find(|domain| !domain.eq_ignore_ascii_case(sender));
    match other {
        None => Finding::ok(
            CHECK,
            provider,
            format!("sender and app are both of {sender}"),
        ),
        Some(domain) => Finding::warning(
            CHECK,
            provider,
            format!(
                "the sender's domain {sender} is not the app's, {domain}: mail programs may not offer the code"
            ),
            format!(
                "send from an address at {domain}, or set app_domain to {sender} if the app is there"
            ),
        ),
    }
}

/// What mails name: the app's domain, else those that links may lead to.
fn domains(settings: &Settings) -> Vec<String> {
    if !settings.app_domain.is_empty() {
        return vec![settings.app_domain.clone()];
    }
    let hosts = settings.link_origins.iter().filter_map(|origin| {
        let uri: Uri = origin.parse().ok()?;
        let host = uri.host().filter(|host| host.contains('.'))?;
        host.parse::<std::net::IpAddr>()
            .is_err()
            .then(|| host.to_owned())
    });
    hosts.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Status;

    fn status(changes: &[(&str, &str)], sender: &str) -> Status {
        let settings = Settings::default().with(changes.iter().copied()).unwrap();
        check(&settings, "main", sender).status
    }

    #[test]
    fn a_sender_of_another_domain_than_the_apps_is_warned_of() {
        assert_eq!(status(&[], "mail.example"), Status::Skipped);
        let app = [("app_domain", "acme.example")];
        assert_eq!(status(&app, "acme.example"), Status::Ok);
        assert_eq!(status(&app, "mail.acme.example"), Status::Warning);
    }

    #[test]
    fn without_an_app_domain_the_origins_of_links_count() {
        let links = [("link_origins", "https://acme.example,http://127.0.0.1:3000")];
        assert_eq!(status(&links, "acme.example"), Status::Ok);
        assert_eq!(status(&links, "other.example"), Status::Warning);
    }
}
