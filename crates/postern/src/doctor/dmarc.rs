//! What a domain asks of receivers (RFC 9989), and whether our mails meet it.

use super::finding::Finding;
use super::names::{Missing, Names};
use crate::mail::Preset;

const CHECK: &str = "dmarc";

/// How many names are asked on the way up (RFC 9989 §4.10).
const STEPS: usize = 8;

/// A policy and where it was found.
#[derive(Debug, PartialEq, Eq)]
struct Policy {
    domain: String,
    word: &'static str,
}

/// Why there is none.
#[derive(Debug, PartialEq, Eq)]
enum Lacking {
    Absent,
    Broken { at: String, told: String },
    Unknown(String),
}

/// Looks for the policy of the domain that mails are from, through `providers`, by name and host.
///
/// `signed` says whether a key of ours signs them, which aligns whoever carries them.
pub(super) async fn check(
    names: &Names,
    domain: &str,
    providers: &[(&str, &str)],
    signed: bool,
) -> Finding {
    match find(names, domain).await {
        Ok(policy) => {
            let told = format!(
                "the policy is {} (at {}); {}",
                policy.word,
                policy.domain,
                alignment(providers, signed)
            );
            Finding::ok(CHECK, domain, told)
        }
        Err(Lacking::Absent) => Finding::warning(
            CHECK,
            domain,
            "there is no DMARC policy: large mailbox providers expect one",
            format!(
                "publish TXT at _dmarc.{domain}: \"v=DMARC1; p=none; rua=mailto:postmaster@{domain}\""
            ),
        ),
        Err(Lacking::Broken { at, told }) => Finding::failed(
            CHECK,
            domain,
            told,
            format!("correct the record at _dmarc.{at}"),
        ),
        Err(Lacking::Unknown(why)) => Finding::warning(
            CHECK,
            domain,
            format!("the DMARC policy could not be looked up: {why}"),
            "see that this machine can ask DNS, or name a server with --dns",
        ),
    }
}

/// `From` and envelope are of one domain, so they align, strictly too, wherever the envelope stays
/// as it is.
fn alignment(providers: &[(&str, &str)], signed: bool) -> String {
    if signed {
        return "our own DKIM signature aligns, whichever provider carries the mail".to_owned();
    }
    let changed: Vec<&str> = providers
        .iter()
        .filter(|(_, host)| Preset::at(host).is_some_and(|preset| preset.spf().own_envelope))
        .map(|(name, _)| *name)
        .collect();
    if changed.is_empty() {
        return "sender and envelope are of one domain, so SPF aligns".to_owned();
    }
    format!(
        "SPF does not align through {} without a custom envelope domain there: its DKIM signature has to be this domain's",
        changed.join(" and ")
    )
}

async fn find(names: &Names, domain: &str) -> Result<Policy, Lacking> {
    let labels: Vec<&str> = domain.split('.').collect();
    let ways_up = (0..labels.len().saturating_sub(1)).map(|first| labels[first..].join("."));
    // Of a long name the middle is passed over, as receivers do.
    let passed = labels.len().saturating_sub(STEPS);
    let asked = ways_up
        .enumerate()
        .filter(|(step, _)| *step == 0 || *step > passed)
        .map(|(_, name)| name);
    for name in asked {
        let texts = match names.texts(&format!("_dmarc.{name}")).await {
            Ok(texts) => texts,
            Err(Missing::Absent) => continue,
            Err(Missing::Unknown(why)) => return Err(Lacking::Unknown(why)),
        };
        let records: Vec<_> = texts.iter().filter(|text| is_dmarc(text)).collect();
        match records.as_slice() {
            [] => {}
            [one] => return read(one, &name, name == domain),
            _ => {
                let told = format!("_dmarc.{name} has several DMARC records, so that none counts");
                return Err(Lacking::Broken { at: name, told });
            }
        }
    }
    Err(Lacking::Absent)
}

fn tags(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let pairs = text.split(';').map(str::trim).filter(|tag| !tag.is_empty());
    pairs.map(|tag| {
        let (key, value) = tag.split_once('=').unwrap_or((tag, ""));
        (key.trim(), value.trim())
    })
}

fn is_dmarc(text: &str) -> bool {
    tags(text).next() == Some(("v", "DMARC1"))
}

/// The policy that a record at `name` sets, for its own domain or for one below.
fn read(text: &str, name: &str, own: bool) -> Result<Policy, Lacking> {
    let told = |told: String| Lacking::Broken {
        at: name.to_owned(),
        told,
    };
    let value = |wanted: &str| {
        tags(text)
            .find(|(key, _)| *key == wanted)
            .map(|(_, value)| value)
    };
    for (key, allowed) in [
        ("p", &["none", "quarantine", "reject"][..]),
        ("sp", &["none", "quarantine", "reject"]),
        ("adkim", &["r", "s"]),
        ("aspf", &["r", "s"]),
    ] {
        if let Some(wrong) =
            value(key).filter(|value| !allowed.contains(&value.to_ascii_lowercase().as_str()))
        {
            let wrong: String = wrong.chars().take(40).collect();
            let allowed = allowed.join(", ");
            return Err(told(format!(
                "the DMARC record has {key}={wrong:?}, which is none of {allowed}"
            )));
        }
    }
    let policy = if own {
        value("p")
    } else {
        value("sp").or(value("p"))
    };
    let policy = policy.ok_or_else(|| told("the DMARC record has no policy (p=)".to_owned()))?;
    let word = match policy.to_ascii_lowercase().as_str() {
        "reject" => "reject",
        "quarantine" => "quarantine",
        _ => "none",
    };
    Ok(Policy {
        domain: name.to_owned(),
        word,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_is_read_whatever_stands_around_it() {
        let own = read(
            "v=DMARC1 ; p = Reject; sp=none; rua=mailto:a@b.example;",
            "b.example",
            true,
        );
        assert_eq!(own.unwrap().word, "reject");
        let below = read("v=DMARC1; p=reject; sp=none", "b.example", false);
        assert_eq!(below.unwrap().word, "none");
    }

    #[test]
    fn a_record_without_a_policy_or_with_an_unknown_one_is_broken() {
        for wrong in [
            "v=DMARC1",
            "v=DMARC1; p=block",
            "v=DMARC1; p=none; adkim=strict",
        ] {
            let read = read(wrong, "b.example", true);
            assert!(matches!(read, Err(Lacking::Broken { .. })), "{wrong}");
        }
        assert!(!is_dmarc("p=none; v=DMARC1") && !is_dmarc("v=spf1 -all"));
    }
}
