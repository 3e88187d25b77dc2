use std::fmt::Write as _;

use postern_testkit::dns::DnsServer;

use super::*;

/// Microsoft 365 keeps the sender's domain in the envelope, SES does not.
const M365: (&str, &str) = ("m365", "smtp.office365.com");
const SES: (&str, &str) = ("ses", "email-smtp.eu-central-1.amazonaws.com");
const OWN: (&str, &str) = ("main", "smtp.acme.example");

struct Zone {
    _server: DnsServer,
    names: Names,
}

async fn zone(records: &str) -> Zone {
    let server = DnsServer::start(records).await.unwrap();
    let names = Names::at(Some(server.addr())).unwrap();
    Zone {
        _server: server,
        names,
    }
}

async fn spf(records: &str, carriers: &[(&str, &str)]) -> Finding {
    let zone = zone(records).await;
    spf::check(&zone.names, "acme.example", carriers).await
}

async fn dmarc(records: &str, domain: &str) -> Finding {
    let zone = zone(records).await;
    dmarc::check(&zone.names, domain, &[OWN], false).await
}

async fn mx(records: &str) -> Finding {
    let zone = zone(records).await;
    returns::check(&zone.names, "acme.example").await
}

fn told(finding: &Finding, status: Status, words: &str) {
    assert_eq!(finding.status, status, "{finding}");
    assert!(finding.to_string().contains(words), "{finding}");
    let to_do = [Status::Warning, Status::Failed].contains(&status);
    assert_eq!(finding.fix.is_some(), to_do, "{finding}");
}

#[tokio::test]
async fn a_record_that_names_the_provider_far_down_is_right_and_costs_what_it_costs() {
    let found = spf(
        "acme.example. TXT \"v=spf1 mx include:_spf.acme.example ~all\"\n\
         acme.example. TXT \"some-site-verification=1\"\n\
         _spf.acme.example. TXT \"v=spf1 include:spf.protection.outlook.com -all\"\n\
         spf.protection.outlook.com. TXT \"v=spf1 ip4:192.0.2.0/24 -all\"",
        &[M365, OWN],
    )
    .await;
    told(&found, Status::Ok, "3 of 10 lookups, ~all");
    told(
        &found,
        Status::Ok,
        "names spf.protection.outlook.com for m365",
    );
    told(
        &found,
        Status::Ok,
        "whether it covers main (smtp.acme.example)",
    );
}

#[tokio::test]
async fn a_record_without_the_provider_is_warned_of_only_where_that_provider_needs_it() {
    let record = "acme.example. TXT \"v=spf1 ip4:192.0.2.1 -all\"";
    let needs = spf(record, &[SES, M365]).await;
    told(
        &needs,
        Status::Warning,
        "add include:spf.protection.outlook.com",
    );
    let needs_not = spf(record, &[SES]).await;
    told(&needs_not, Status::Ok, "need not name ses");
}

#[tokio::test]
async fn a_domain_without_a_record_is_told_what_to_publish() {
    let found = spf("acme.example. TXT \"nothing of the kind\"", &[M365]).await;
    let words = "\"v=spf1 include:spf.protection.outlook.com ~all\"";
    told(&found, Status::Warning, words);
}

#[tokio::test]
async fn records_that_count_for_nothing_fail() {
    let mut eleven = "acme.example. TXT \"v=spf1".to_owned();
    for number in 0..11 {
        write!(eleven, " a:a{number}.example").unwrap();
    }
    for (records, words) in [
        (
            "acme.example. TXT \"v=spf1 -all\"\nacme.example. TXT \"v=spf1 mx -all\"",
            "2 SPF records",
        ),
        (
            "acme.example. TXT \"v=spf1 ip4:1.2.3.400 -all\"",
            "\"ip4:1.2.3.400\" is no SPF term",
        ),
        (
            "acme.example. TXT \"v=spf1 include:gone.example -all\"",
            "gone.example, which has none",
        ),
        (
            "acme.example. TXT \"v=spf1 include:acme.example -all\"",
            "more than 10 lookups",
        ),
        (
            "acme.example. TXT \"v=spf1 include:b.example -all\"\nb.example. TXT \"v=spf1 foo -all\"",
            "b.example does not read",
        ),
        (&format!("{eleven} -all\""), "more than 10 lookups"),
        ("acme.example. TXT \"v=spf1 +all\"", "anybody"),
    ] {
        told(&spf(records, &[OWN]).await, Status::Failed, words);
    }
}

#[tokio::test]
async fn a_record_in_pieces_too_long_for_one_packet_is_read_over_tcp() {
    let mut long = "acme.example. TXT \"v=spf1 \"".to_owned();
    for number in 0..120 {
        write!(long, " \"ip4:192.0.2.{number} \"").unwrap();
    }
    let found = spf(&format!("{long} \"mx ~all\""), &[OWN]).await;
    told(&found, Status::Ok, "1 of 10 lookups");
}

#[tokio::test]
async fn a_dns_server_that_is_not_there_is_no_verdict_on_the_domain() {
    let gone = DnsServer::start("").await.unwrap().addr();
    let names = Names::at(Some(gone)).unwrap();
    let found = spf::check(&names, "acme.example", &[OWN]).await;
    told(&found, Status::Warning, "could not be looked up");
}

#[tokio::test]
async fn a_policy_is_found_at_the_domain_or_above_it() {
    let records = "_dmarc.acme.example. TXT \"v=DMARC1; p=reject; sp=quarantine\"";
    told(
        &dmarc(records, "acme.example").await,
        Status::Ok,
        "policy is reject",
    );
    let below = dmarc(records, "mail.shop.acme.example").await;
    told(&below, Status::Ok, "policy is quarantine (at acme.example)");
    let none = dmarc("", "acme.example").await;
    told(&none, Status::Warning, "TXT at _dmarc.acme.example");
}

#[tokio::test]
async fn a_policy_that_receivers_cannot_read_fails() {
    for (records, words) in [
        (
            "_dmarc.acme.example. TXT \"v=DMARC1; p=block\"",
            "p=\"block\"",
        ),
        ("_dmarc.acme.example. TXT \"v=DMARC1\"", "no policy"),
        (
            "_dmarc.acme.example. TXT \"v=DMARC1; p=none\"\n_dmarc.acme.example. TXT \"v=DMARC1; p=reject\"",
            "several",
        ),
    ] {
        told(&dmarc(records, "acme.example").await, Status::Failed, words);
    }
}

#[tokio::test]
async fn alignment_says_what_each_provider_does_to_the_envelope() {
    let zone = zone("_dmarc.acme.example. TXT \"v=DMARC1; p=none\"").await;
    let kept = dmarc::check(&zone.names, "acme.example", &[M365], false).await;
    told(&kept, Status::Ok, "so SPF aligns");
    let changed = dmarc::check(&zone.names, "acme.example", &[M365, SES], false).await;
    told(&changed, Status::Ok, "does not align through ses");
    let signed = dmarc::check(&zone.names, "acme.example", &[SES], true).await;
    told(&signed, Status::Ok, "our own DKIM signature aligns");
}

#[tokio::test]
async fn who_takes_mail_for_the_sender_is_told() {
    let both = "acme.example. MX 20 b.acme.example.\nacme.example. MX 10 a.acme.example.";
    told(
        &mx(both).await,
        Status::Ok,
        "a.acme.example, b.acme.example",
    );
    told(
        &mx("acme.example. MX 0 .").await,
        Status::Warning,
        "takes no mail",
    );
    told(
        &mx("acme.example. A 192.0.2.1").await,
        Status::Warning,
        "no MX",
    );
    told(
        &mx("acme.example. AAAA 2001:db8::1").await,
        Status::Warning,
        "no MX",
    );
    told(
        &mx("other.example. A 192.0.2.1").await,
        Status::Failed,
        "neither MX",
    );
}

fn key() -> DkimKey {
    DkimKey {
        domain: "acme.example".to_owned(),
        selector: "postern".to_owned(),
        algorithm: postern_core::model::DkimAlgorithm::Rsa,
        private: postern_core::model::Sealed {
            kid: 1,
            bytes: Vec::new(),
        },
        public: vec![7; 294],
        created_at: postern_core::model::Timestamp::from_micros(0),
    }
}

/// What is found where DNS publishes this text, in character-strings of at most 255 bytes.
async fn dkim(text: &str) -> Finding {
    let pieces = text.as_bytes().chunks(255);
    let quoted = pieces.map(|piece| format!("\"{}\"", String::from_utf8_lossy(piece)));
    let record = quoted.collect::<Vec<_>>().join(" ");
    let zone = zone(&format!("postern._domainkey.acme.example. TXT {record}")).await;
    dkim::check(&zone.names, &key()).await
}

#[tokio::test]
async fn a_published_key_is_compared_with_the_one_that_signs() {
    let ours = key().record();
    told(&dkim(&ours).await, Status::Ok, "publishes this key");
    let spaced = ours.replace("v=DKIM1; k=rsa; p=", "v = DKIM1 ; h=sha256; p = ");
    told(&dkim(&spaced).await, Status::Ok, "publishes this key");
    let other = DkimKey {
        public: vec![8; 294],
        ..key()
    };
    for (record, words) in [
        (other.record().as_str(), "another key"),
        ("v=DKIM1; p=", "says that the key is withdrawn"),
        ("v=DKIM1; k=ed25519; p=BwcHBw==", "another key"),
    ] {
        told(&dkim(record).await, Status::Failed, words);
    }
    let testing = ours.replace("k=rsa;", "k=rsa; t=y;");
    told(&dkim(&testing).await, Status::Warning, "t=y");
}

#[tokio::test]
async fn a_key_that_nobody_can_find_is_told_with_what_to_publish() {
    let zone = zone("").await;
    let found = dkim::check(&zone.names, &key()).await;
    let words = "postern mail dkim show acme.example";
    told(&found, Status::Failed, words);
}

#[test]
fn every_domain_is_looked_at_once_with_all_who_carry_its_mails() {
    let provider = |name: &str, from: &str, reply_to: Option<&str>| MailProvider {
        name: name.to_owned(),
        position: 0,
        host: format!("smtp.{name}.example"),
        port: 465,
        tls: postern_core::model::TlsMode::Implicit,
        username: None,
        password: None,
        oauth: None,
        from: from.to_owned(),
        reply_to: reply_to.map(str::to_owned),
        connections: None,
        per_minute: None,
    };
    let providers = [
        provider(
            "one",
            "Acme <login@Acme.example>",
            Some("help@help.example"),
        ),
        provider("two", "login@acme.example", None),
        provider("three", "login@other.example", None),
    ];
    let senders = Senders::of(&providers);
    let carriers: Vec<_> = senders.from["acme.example"]
        .iter()
        .map(|(name, _)| *name)
        .collect();
    assert_eq!((senders.from.len(), carriers), (2, vec!["one", "two"]));
    let answered: Vec<_> = senders.answered.iter().map(String::as_str).collect();
    assert_eq!(answered, ["acme.example", "help.example", "other.example"]);
}
