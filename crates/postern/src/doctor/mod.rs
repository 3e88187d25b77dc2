//! `postern doctor`: what stands between a mail and its reader, looked at from this machine.
//!
//! Checks run side by side, each within a bound, and send no mail. They say what can be known from
//! here and nothing else: whether a mail lands in the inbox is decided elsewhere.

mod autofill;
mod dkim;
mod dmarc;
mod finding;
mod machine;
mod names;
mod origin;
mod provider;
mod returns;
mod spf;

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, join_all};
use postern_core::flow::Postern;
use postern_core::model::{DkimKey, MailProvider, Snapshot};
use tokio::time::timeout;

use crate::mail::Sender;
pub use finding::{Finding, Report, Status};
use names::Names;

/// How long any one check may take.
const BOUND: Duration = Duration::from_secs(40);

/// What is looked at.
pub struct Patient<'a> {
    /// The flows on the store, with settings, providers and keys.
    pub postern: &'a Arc<Postern>,
    /// The data directory.
    pub data: &'a Path,
    /// The file of the root keys.
    pub root_keys_file: &'a Path,
    /// The origin that browsers use.
    pub url: &'a str,
    /// Whether this process serves, so that the origin should lead here.
    pub serving: bool,
    /// The DNS server to ask; the system's when none is named.
    pub dns: Option<SocketAddr>,
}

/// A check under way, with what is told if it does not end.
type Check<'a> = BoxFuture<'a, Vec<Finding>>;

impl Patient<'_> {
    /// Runs every check and reports in a fixed order.
    pub async fn examine(&self) -> Report {
        let held = self.postern.snapshot();
        let mut checks: Vec<Check<'_>> = self.own(&held);
        let senders = Senders::of(&held.providers);
        match Names::at(self.dns) {
            Ok(names) => {
                checks.extend(senders.checks(&names, &held));
                checks.extend(keys(&names, &held));
            }
            Err(told) => checks.push(one(async move {
                Finding::failed("dns", "resolver", told, "name a DNS server with --dns")
            })),
        }
        checks.extend(self.providers(&held));
        let found = join_all(checks.into_iter().map(bounded)).await;
        Report::of(found.into_iter().flatten().collect())
    }

    fn own<'a>(&'a self, held: &'a Snapshot) -> Vec<Check<'a>> {
        let now = self.postern.now();
        vec![
            one(machine::clock(self.postern)),
            one(machine::store(self.postern)),
            one(async { machine::disk(self.data) }),
            one(async { machine::keys(held, &self.postern.keyring(), self.root_keys_file) }),
            one(async move {
                if !self.serving {
                    let told = "no server runs on this data directory, so nothing should answer";
                    return Finding::skipped("public url", self.url, told);
                }
                origin::check(self.url, held, &self.data.join("ca.pem"), now).await
            }),
        ]
    }

    fn providers<'a>(&'a self, held: &'a Snapshot) -> Vec<Check<'a>> {
        if held.providers.is_empty() {
            let inbox = self.data.join("inbox.db").exists();
            return vec![one(async move {
                if inbox {
                    let told = "there is none: mails stay in the development inbox";
                    return Finding::skipped("reach", "providers", told);
                }
                Finding::failed(
                    "reach",
                    "providers",
                    "there is no mail provider: no mail leaves this machine",
                    "`postern mail provider add NAME …`",
                )
            })];
        }
        let check = |one: &'a MailProvider| {
            async move {
                let mut found = provider::check(self.postern, one).await;
                if let Ok(sender) = one.from.parse::<Sender>() {
                    found.push(autofill::check(&held.settings, &one.name, sender.domain()));
                }
                found
            }
            .boxed()
        };
        held.providers.iter().map(check).collect()
    }
}

/// The domains that mails are from, with the providers, by name and host, that carry them; and those
/// that are answered at.
struct Senders<'a> {
    from: BTreeMap<String, Vec<(&'a str, &'a str)>>,
    answered: BTreeSet<String>,
}

impl<'a> Senders<'a> {
    fn of(providers: &'a [MailProvider]) -> Self {
        let mut senders = Self {
            from: BTreeMap::new(),
            answered: BTreeSet::new(),
        };
        let domain = |text: &str| {
            text.parse::<Sender>()
                .ok()
                .map(|one| one.domain().to_lowercase())
        };
        for provider in providers {
            if let Some(domain) = domain(&provider.from) {
                let carriers = senders.from.entry(domain.clone()).or_default();
                carriers.push((&provider.name, &provider.host));
                senders.answered.insert(domain);
            }
            senders
                .answered
                .extend(provider.reply_to.as_deref().and_then(domain));
        }
        senders
    }

    fn checks(self, names: &Names, held: &Snapshot) -> Vec<Check<'a>> {
        let mut checks: Vec<Check<'a>> = Vec::new();
        for (domain, carriers) in self.from {
            let names = names.clone();
            let signed = held.dkim_keys_of(&domain).next().is_some();
            checks.push(
                async move {
                    let (spf, dmarc) = tokio::join!(
                        spf::check(&names, &domain, &carriers),
                        dmarc::check(&names, &domain, &carriers, signed)
                    );
                    vec![spf, dmarc]
                }
                .boxed(),
            );
        }
        for domain in self.answered {
            let names = names.clone();
            checks.push(one(async move { returns::check(&names, &domain).await }));
        }
        checks
    }
}

/// The keys that sign mails, against what DNS says of them.
fn keys<'a>(names: &Names, held: &'a Snapshot) -> Vec<Check<'a>> {
    let check = |key: &'a DkimKey| {
        let names = names.clone();
        one(async move { dkim::check(&names, key).await })
    };
    held.dkim_keys.iter().map(check).collect()
}

fn one<'a>(check: impl Future<Output = Finding> + Send + 'a) -> Check<'a> {
    check.map(|found| vec![found]).boxed()
}

/// A check that cannot hold up the report.
async fn bounded(check: Check<'_>) -> Vec<Finding> {
    let ended = timeout(BOUND, check).await;
    ended.unwrap_or_else(|_| {
        let told = format!("a check did not end within {} s", BOUND.as_secs());
        vec![Finding::warning("doctor", "checks", told, "run it again")]
    })
}

#[cfg(test)]
mod tests;
