//! Whether receivers find the public half of a key that signs our mails (RFC 6376 §3.6).

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use postern_core::model::DkimKey;

use super::finding::Finding;
use super::names::{Missing, Names};

const CHECK: &str = "dkim";

/// Compares the published key with ours.
pub(super) async fn check(names: &Names, key: &DkimKey) -> Finding {
    let name = key.record_name();
    let records = match names.texts(&name).await {
        Ok(records) => records,
        Err(Missing::Absent) => {
            let told =
                "DNS does not publish this key: mails are signed, and nobody can tell by whom";
            return Finding::failed(CHECK, name, told, publish(key));
        }
        Err(Missing::Unknown(why)) => {
            return Finding::warning(
                CHECK,
                name,
                format!("the published key could not be looked up: {why}"),
                "see that this machine can ask DNS, or name a server with --dns",
            );
        }
    };
    let [record] = records.as_slice() else {
        let told = format!("DNS has {} records where one belongs", records.len());
        return Finding::failed(CHECK, name, told, publish(key));
    };
    compare(key, record)
}

fn compare(key: &DkimKey, record: &str) -> Finding {
    let name = key.record_name();
    let tag = |wanted: &str| {
        let tags = record.split(';').filter_map(|tag| tag.split_once('='));
        let mut found = tags.filter(|(name, _)| name.trim() == wanted);
        found.next().map(|(_, value)| value.trim())
    };
    let bare: String = tag("p").unwrap_or_default().split_whitespace().collect();
    if bare.is_empty() {
        let told = "the record in DNS says that the key is withdrawn (p=)";
        return Finding::failed(CHECK, name, told, publish(key));
    }
    let kind = tag("k").unwrap_or("rsa");
    let same = BASE64_STANDARD
        .decode(&bare)
        .is_ok_and(|public| public == key.public);
    if !same || kind != key.algorithm.as_str() || tag("v").is_some_and(|version| version != "DKIM1")
    {
        let told = "DNS publishes another key: receivers see a broken signature";
        return Finding::failed(CHECK, name, told, publish(key));
    }
    let flags = tag("t").unwrap_or_default();
    if flags.split(':').any(|flag| flag.trim() == "y") {
        let told = "the record says that this domain tests DKIM (t=y): receivers may pass over the signature";
        return Finding::warning(CHECK, name, told, "take t=y out of the record");
    }
    Finding::ok(CHECK, name, "DNS publishes this key")
}

fn publish(key: &DkimKey) -> String {
    let (domain, selector) = (&key.domain, &key.selector);
    format!("publish what `postern mail dkim show {domain} --selector {selector}` prints")
}
