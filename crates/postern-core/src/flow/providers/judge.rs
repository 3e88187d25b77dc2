//! What a mail provider may look like.

use std::net::IpAddr;

use super::ProviderInput;
use crate::error::Violation;
use crate::model::{Email, TlsMode, TokenSource, is_mailable};

/// Every field that breaks a rule.
///
/// `kept`: the password that is stored stays in force.
pub(super) fn problems(input: &ProviderInput, kept: bool) -> Vec<Violation> {
    let mut wrong = Vec::new();
    let mut check = |fine: bool, field: &'static str, told: &str| {
        if !fine {
            wrong.push(Violation::new(field, "value", told));
        }
    };
    check(
        plain(&input.name, 64),
        "name",
        "a provider's name has 1 to 64 letters, digits, '-', '_' or '.'",
    );
    let address = input.host.parse::<IpAddr>().is_ok();
    check(
        address || plain(&input.host, 253),
        "host",
        "host must be a host name or an IP address",
    );
    check(input.port > 0, "port", "port must be from 1 to 65535");
    check(
        is_sender(&input.from),
        "from",
        "from must be an address, or 'Name <address>'",
    );
    check(
        input.reply_to.as_deref().is_none_or(is_sender),
        "reply_to",
        "reply_to must be an address, or 'Name <address>'",
    );
    check(
        input.tls != TlsMode::None || is_loopback(&input.host),
        "tls",
        "tls may be none only to loopback: use implicit or starttls",
    );
    check(
        input
            .connections
            .is_none_or(|most| (1..=256).contains(&most)),
        "connections",
        "connections must be from 1 to 256",
    );
    check(
        input
            .per_minute
            .is_none_or(|most| (1..=600_000).contains(&most)),
        "per_minute",
        "the rate must be from 1 to 600000 mails a minute",
    );
    login(input, kept, &mut check);
    wrong
}

fn login(input: &ProviderInput, kept: bool, check: &mut impl FnMut(bool, &'static str, &str)) {
    let username = input.username.as_deref();
    let has_password = input.password.is_some() || kept;
    check(
        username.is_none_or(|name| one_line(name, 320)),
        "username",
        "username has 1 to 320 characters on one line",
    );
    check(
        username.is_none() || has_password,
        "password",
        "a username needs a password: --password-file on the command line",
    );
    let bounded = |secret: &str| one_line(secret, 4096);
    check(
        input
            .password
            .as_ref()
            .is_none_or(|secret| bounded(secret.expose())),
        "password",
        "a password has 1 to 4096 characters on one line",
    );
    let Some(oauth) = &input.oauth else { return };
    check(
        username.is_some() && has_password,
        "username",
        "a login by XOAUTH2 needs a username and a client secret",
    );
    check(
        one_line(&oauth.client_id, 320),
        "client_id",
        "a client id has 1 to 320 characters on one line",
    );
    check(
        oauth
            .scope
            .as_deref()
            .is_none_or(|scope| one_line(scope, 1024)),
        "scope",
        "a scope has 1 to 1024 characters on one line",
    );
    check(
        is_token_url(oauth),
        "token_url",
        "token_url must be an https URL, or an http one to loopback, without user, password or fragment",
    );
}

/// Whether mails can be from it, or answered to it, without SMTPUTF8.
fn is_sender(text: &str) -> bool {
    sender_of(text)
        .is_some_and(|(name, address)| name.chars().count() <= 100 && address.local().is_ascii())
}

/// The name and address of a sender text.
fn sender_of(from: &str) -> Option<(String, Email)> {
    if !is_mailable(from) || from.chars().count() > 400 {
        return None;
    }
    let Some((name, rest)) = from.rsplit_once('<') else {
        return Some((String::new(), Email::parse(from.trim()).ok()?));
    };
    let address = Email::parse(rest.trim_end().strip_suffix('>')?).ok()?;
    Some((name.trim().trim_matches('"').to_owned(), address))
}

fn is_token_url(oauth: &TokenSource) -> bool {
    let Ok(url) = url::Url::parse(&oauth.url) else {
        return false;
    };
    let host = url.host_str().unwrap_or_default();
    let protected = url.scheme() == "https"
        || (url.scheme() == "http" && is_loopback(host.trim_matches(['[', ']'])));
    let bare = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
    protected && bare && !host.is_empty() && oauth.url.len() <= 2048
}

fn one_line(text: &str, most: usize) -> bool {
    (1..=most).contains(&text.chars().count()) && !text.chars().any(char::is_control)
}

fn plain(text: &str, most: usize) -> bool {
    let fits = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
    (1..=most).contains(&text.len()) && text.bytes().all(fits)
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}
