//! Whether a provider would take a mail now: reached, encrypted, logged in. None is sent.

use std::sync::Arc;

use postern_core::flow::Postern;
use postern_core::model::{MailProvider, TlsMode};

use super::finding::Finding;
use crate::mail::smtp::Trust;
use crate::mail::{Matter, Reply, Stage, probe};

const REACHED: &str = "reach";
const TLS: &str = "tls";
const LOGIN: &str = "login";

/// Connects, encrypts and logs in, and says goodbye.
pub(super) async fn check(postern: &Arc<Postern>, provider: &MailProvider) -> Vec<Finding> {
    match probe(postern, provider, Trust::System).await {
        Ok(Ok(())) => vec![reached(provider), encrypted(provider), logged_in(provider)],
        Ok(Err(reply)) => failed(provider, &reply),
        Err(told) => vec![Finding::failed(
            LOGIN,
            &provider.name,
            told,
            format!(
                "add it again: `postern mail provider add {} …`",
                provider.name
            ),
        )],
    }
}

fn failed(provider: &MailProvider, reply: &Reply) -> Vec<Finding> {
    let name = provider.name.as_str();
    let skipped = |check| Finding::skipped(check, name, "it did not come to that");
    match reply.stage {
        Stage::Pool | Stage::Connect => vec![
            Finding::failed(
                REACHED,
                name,
                format!(
                    "{}:{} cannot be reached: {}",
                    provider.host, provider.port, reply.text
                ),
                "see host and port, and that a firewall lets connections to them out (many hosters block 25 and 465)",
            ),
            skipped(TLS),
            skipped(LOGIN),
        ],
        Stage::Tls => vec![
            reached(provider),
            Finding::failed(
                TLS,
                name,
                format!("no TLS with {}: {}", provider.host, reply.text),
                reply
                    .matter
                    .map_or_else(|| tls_fix(provider.tls).to_owned(), Matter::fix),
            ),
            skipped(LOGIN),
        ],
        Stage::Greeting => vec![
            Finding::failed(
                REACHED,
                name,
                format!("{} answers no mail: {reply}", provider.host),
                "see that the port is one for submission, with the provider's own way of TLS, and that it knows this machine",
            ),
            skipped(TLS),
            skipped(LOGIN),
        ],
        Stage::Auth | Stage::Mail | Stage::Rcpt | Stage::Data | Stage::EndOfData => vec![
            reached(provider),
            encrypted(provider),
            shut_out(provider, reply),
        ],
    }
}

/// A login that did not come about: for want of an access token, or refused.
fn shut_out(provider: &MailProvider, reply: &Reply) -> Finding {
    let name = provider.name.as_str();
    if let Some(matter @ Matter::Token(_)) = reply.matter {
        let told = format!("there is no access token to log in with: {}", reply.text);
        return Finding::failed(LOGIN, name, told, matter.fix());
    }
    let flags = match provider.oauth {
        Some(_) => "--username and client, as an account that may log in by XOAUTH2",
        None => "--username and --password-file",
    };
    Finding::failed(
        LOGIN,
        name,
        format!("the login is refused: {reply}"),
        format!("add it again with the right {flags}: `postern mail provider add {name} …`"),
    )
}

fn tls_fix(mode: TlsMode) -> &'static str {
    match mode {
        TlsMode::StartTls => {
            "see that the port takes STARTTLS (587), and that the host is a name in the server's certificate"
        }
        TlsMode::Implicit | TlsMode::None => {
            "see that the port takes TLS from the first byte (465), that the host is a name in the server's certificate, and that ca-certificates is installed"
        }
    }
}

fn reached(provider: &MailProvider) -> Finding {
    let told = format!("{}:{} answers", provider.host, provider.port);
    Finding::ok(REACHED, &provider.name, told)
}

fn encrypted(provider: &MailProvider) -> Finding {
    let name = provider.name.as_str();
    match provider.tls {
        TlsMode::Implicit => {
            Finding::ok(TLS, name, "TLS from the first byte, certificate verified")
        }
        TlsMode::StartTls => Finding::ok(TLS, name, "STARTTLS, certificate verified"),
        TlsMode::None => Finding::skipped(TLS, name, "not used: the server is on this machine"),
    }
}

fn logged_in(provider: &MailProvider) -> Finding {
    let name = provider.name.as_str();
    if provider.password.is_none() {
        return Finding::skipped(
            LOGIN,
            name,
            "none is set, and the server wants none to be greeted",
        );
    }
    Finding::ok(LOGIN, name, "the login is taken")
}
