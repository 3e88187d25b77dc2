use aws_lc_rs::signature::{ED25519, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use postern_core::flow::DkimName;
use postern_core::keyring::RootSecret;
use postern_core::model::DkimAlgorithm;

use super::*;
use crate::world::SystemEntropy;

const AT: Timestamp = Timestamp::from_micros(1_795_000_000_000_000);

const MESSAGE: &[u8] = b"Message-ID: <1@example.com>\r\nDate: Sun, 22 Nov 2026 20:31:00 +0000\r\nFrom: Shop <login@example.com>\r\nTo: ada@example.org\r\nSubject: Your\r\n\tcode\r\nAuto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\nContent-Type: text/plain\r\nX-Other: not signed\r\n\r\nHello  you \r\n\r\n";

fn keyring() -> Keyring {
    Keyring::new(&[(1, RootSecret::new([1; 32]))], 1).unwrap()
}

fn key(algorithm: DkimAlgorithm) -> DkimKey {
    let name = DkimName::parse("example.com", algorithm.as_str()).unwrap();
    make_dkim_key(&name, algorithm, &keyring(), &SystemEntropy, AT).unwrap()
}

fn signed(keys: &[DkimKey], rewritten: &[&str]) -> String {
    let signer = Signer::open(keys, &keyring()).unwrap().unwrap();
    String::from_utf8(signer.sign(MESSAGE, rewritten, AT).unwrap()).unwrap()
}

/// The tag of the first signature, without white space.
fn tag(message: &str, name: &str) -> String {
    let end = message.find("\r\nMessage-ID").unwrap();
    let tags = message[..end].trim_start_matches("DKIM-Signature:");
    let found = tags
        .split(';')
        .find_map(|tag| tag.trim().strip_prefix(name)?.strip_prefix('='));
    let found = found.unwrap();
    found.split_whitespace().collect()
}

/// The example of RFC 8463, appendix A: its Ed25519 signature is a function of key and message, so
/// that ours over the same fields has to be the one that the standard prints.
#[test]
fn the_example_of_the_standard_gets_the_signature_that_the_standard_prints() {
    let message = "From: Joe SixPack <joe@football.example.com>\r\nTo: Suzie Q <suzie@shopping.example.net>\r\nSubject: Is dinner ready?\r\nDate: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)\r\nMessage-ID: <20030712040037.46341.5F8J@football.example.com>\r\n\r\nHi.\r\n\r\nWe lost the game.  Are you hungry yet?\r\n\r\nJoe.\r\n\r\n";
    let own = "DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;\r\n d=football.example.com; i=@football.example.com;\r\n q=dns/txt; s=brisbane; t=1528637909; h=from : to :\r\n subject : date : message-id : from : subject : date;\r\n bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r\n b=";
    let content = Content::of(message.as_bytes(), &["reply-to", "content-type"]);
    assert_eq!(
        content.body_hash,
        "2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8="
    );
    let seed = BASE64_STANDARD
        .decode("nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=")
        .unwrap();
    let pair = aws_lc_rs::signature::Ed25519KeyPair::from_seed_unchecked(&seed).unwrap();
    let signature = Pair::Ed25519(pair).sign(&content.with(own)).unwrap();
    assert_eq!(
        BASE64_STANDARD.encode(signature),
        "/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11BusFa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw=="
    );
}

#[test]
fn each_key_signs_and_its_public_half_vouches_for_the_signature() {
    let keys = [key(DkimAlgorithm::Rsa), key(DkimAlgorithm::Ed25519)];
    for key in &keys {
        let message = signed(std::slice::from_ref(key), &[]);
        let signature = BASE64_STANDARD.decode(tag(&message, "b")).unwrap();
        let open = &message[..message.find(" b=").unwrap() + 3];
        let text = Content::of(MESSAGE, &[]).with(open);
        match key.algorithm {
            DkimAlgorithm::Rsa => {
                let public = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, &key.public);
                public.verify(&text, &signature).unwrap();
            }
            DkimAlgorithm::Ed25519 => {
                let public = UnparsedPublicKey::new(&ED25519, &key.public);
                let hash = digest(&SHA256, &text);
                public.verify(hash.as_ref(), &signature).unwrap();
            }
        }
    }
    let both = signed(&keys, &[]);
    assert_eq!(both.matches("DKIM-Signature: ").count(), 2);
    assert!(both.ends_with(std::str::from_utf8(MESSAGE).unwrap()));
    assert!(both.lines().all(|line| line.len() <= 300), "{both}");
}

#[test]
fn a_signature_names_its_key_and_every_field_that_matters() {
    let message = signed(&[key(DkimAlgorithm::Rsa)], &[]);
    assert_eq!(tag(&message, "d"), "example.com");
    assert_eq!(tag(&message, "s"), "rsa");
    assert_eq!(tag(&message, "t"), "1795000000");
    assert_eq!(tag(&message, "c"), "relaxed/relaxed");
    assert_eq!(
        tag(&message, "h"),
        "from:from:to:to:subject:subject:date:message-id:reply-to:mime-version:\
         content-type:content-type:auto-submitted"
    );
}

#[test]
fn what_a_provider_writes_anew_is_not_signed() {
    let message = signed(&[key(DkimAlgorithm::Rsa)], &["date", "message-id"]);
    let names = tag(&message, "h");
    assert!(
        !names.contains("date") && !names.contains("message-id"),
        "{names}"
    );
}

#[test]
fn a_key_of_another_keyring_or_row_does_not_open() {
    let other = Keyring::new(&[(1, RootSecret::new([2; 32]))], 1).unwrap();
    let mut key = key(DkimAlgorithm::Ed25519);
    assert!(Signer::open(std::slice::from_ref(&key), &other).is_err());
    key.selector = "elsewhere".to_owned();
    let problem = Signer::open(&[key], &keyring()).unwrap_err();
    assert!(
        problem.contains("elsewhere._domainkey.example.com"),
        "{problem}"
    );
    assert!(Signer::open(&[], &keyring()).unwrap().is_none());
}
