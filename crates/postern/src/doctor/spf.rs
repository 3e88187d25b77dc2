//! Who may send for a domain (RFC 7208): the record, what it costs, and whom it names.

mod record;

use std::collections::BTreeSet;

use super::finding::Finding;
use super::names::{Missing, Names};
use crate::mail::Preset;
use record::{Record, is_spf};

const CHECK: &str = "spf";

/// The most lookups that whoever evaluates a record makes (§4.6.4).
const MOST: usize = 10;

/// What the record of a domain comes to, with all that it includes.
#[derive(Debug, PartialEq, Eq)]
struct Policy {
    lookups: usize,
    /// Every domain whose record counts.
    reached: BTreeSet<String>,
    all: Option<String>,
}

/// Why there is no policy.
#[derive(Debug, PartialEq, Eq)]
enum Lacking {
    /// No record.
    Absent,
    /// Evaluates to an error: receivers treat every mail as if it failed (§2.6.7).
    Broken { told: String, fix: String },
    /// DNS did not say.
    Unknown(String),
}

/// Looks at the record of the domain that mails are sent from through `providers`, by name and
/// host.
pub(super) async fn check(names: &Names, domain: &str, providers: &[(&str, &str)]) -> Finding {
    match policy(names, domain).await {
        Ok(policy) => judge(domain, &policy, providers),
        Err(Lacking::Absent) => Finding::warning(
            CHECK,
            domain,
            "there is no SPF record: receivers trust no server that sends for this domain",
            format!(
                "publish TXT at {domain}: \"v=spf1 {} ~all\"",
                suggested(providers)
            ),
        ),
        Err(Lacking::Broken { told, fix }) => Finding::failed(CHECK, domain, told, fix),
        Err(Lacking::Unknown(why)) => Finding::warning(
            CHECK,
            domain,
            format!("the SPF record could not be looked up: {why}"),
            "see that this machine can ask DNS, or name a server with --dns",
        ),
    }
}

fn judge(domain: &str, policy: &Policy, providers: &[(&str, &str)]) -> Finding {
    let Policy { lookups, all, .. } = policy;
    if all
        .as_deref()
        .is_some_and(|all| all == "+all" || all == "all")
    {
        return Finding::failed(
            CHECK,
            domain,
            "the SPF record ends in +all: it lets anybody send for this domain",
            format!("change it to ~all or -all at {domain}"),
        );
    }
    let lacking: Vec<_> = providers
        .iter()
        .filter_map(|one| lacks(policy, *one))
        .collect();
    if let Some((told, fix)) = lacking.first() {
        return Finding::warning(CHECK, domain, told, fix);
    }
    let about: Vec<_> = providers.iter().map(|one| said(policy, *one)).collect();
    let told = format!(
        "the SPF record is right, {lookups} of {MOST} lookups, {}; {}",
        all.as_deref().unwrap_or("without all"),
        about.join("; ")
    );
    Finding::ok(CHECK, domain, told)
}

/// Whether mails through this provider need its include and the record lacks it.
fn lacks(policy: &Policy, (name, host): (&str, &str)) -> Option<(String, String)> {
    let spf = Preset::at(host)?.spf();
    if spf.own_envelope || policy.reached.contains(spf.include) {
        return None;
    }
    let include = spf.include;
    Some((
        format!("the SPF record does not name {include}, by which {name} sends"),
        format!("add include:{include} to the record, before its all"),
    ))
}

fn said(policy: &Policy, (name, host): (&str, &str)) -> String {
    let Some(spf) = Preset::at(host).map(Preset::spf) else {
        return format!("whether it covers {name} ({host}) is for that server's operator to say");
    };
    if policy.reached.contains(spf.include) {
        return format!("names {} for {name}", spf.include);
    }
    format!(
        "need not name {name}, which puts a sender of its own into the envelope unless you set a custom one there"
    )
}

fn suggested(providers: &[(&str, &str)]) -> String {
    let terms: BTreeSet<String> = providers
        .iter()
        .map(|(_, host)| match Preset::at(host) {
            Some(preset) => format!("include:{}", preset.spf().include),
            None => "include:<your provider's>".to_owned(),
        })
        .collect();
    terms.into_iter().collect::<Vec<_>>().join(" ")
}

/// Reads the record and all that it includes. What DNS is asked is bounded by what counts: once
/// there are too many lookups the record is broken, however it goes on.
async fn policy(names: &Names, domain: &str) -> Result<Policy, Lacking> {
    let first = fetch(names, domain).await?.ok_or(Lacking::Absent)?;
    let mut policy = Policy {
        lookups: first.lookups,
        reached: BTreeSet::new(),
        all: first.all.clone(),
    };
    let mut waiting = targets(&first);
    while policy.lookups <= MOST
        && let Some(next) = waiting.pop()
    {
        // Macros depend on the mail; their domain cannot be followed from here.
        if next.contains('%') {
            continue;
        }
        let Some(record) = fetch(names, &next).await? else {
            return Err(broken(
                format!(
                    "the SPF record includes {next}, which has none, so that it counts for nothing"
                ),
                format!("take {next} out of the record, or correct its name"),
            ));
        };
        policy.lookups += record.lookups;
        if policy.all.is_none() && first.redirect.as_deref() == Some(&next) {
            policy.all.clone_from(&record.all);
        }
        waiting.extend(targets(&record));
        policy.reached.insert(next);
    }
    if policy.lookups > MOST {
        return Err(broken(
            format!("the SPF record costs more than {MOST} lookups, so that it counts for nothing"),
            format!("take out includes that are not needed at {domain}"),
        ));
    }
    Ok(policy)
}

fn targets(record: &Record) -> Vec<String> {
    let includes = record.includes.iter().chain(&record.redirect);
    includes.cloned().collect()
}

/// The one record of a name; `None` when it has none.
async fn fetch(names: &Names, name: &str) -> Result<Option<Record>, Lacking> {
    let texts = match names.texts(name).await {
        Ok(texts) => texts,
        Err(Missing::Absent) => return Ok(None),
        Err(Missing::Unknown(why)) => return Err(Lacking::Unknown(why)),
    };
    let records: Vec<_> = texts.iter().filter(|text| is_spf(text)).collect();
    match records.as_slice() {
        [] => Ok(None),
        [one] => Record::read(one).map(Some).map_err(|problem| {
            broken(
                format!("the SPF record of {name} does not read: {problem}"),
                format!("correct the record at {name}"),
            )
        }),
        several => Err(broken(
            format!(
                "{name} has {} SPF records, so that none counts",
                several.len()
            ),
            format!("join them into one at {name}"),
        )),
    }
}

fn broken(told: String, fix: String) -> Lacking {
    Lacking::Broken { told, fix }
}
