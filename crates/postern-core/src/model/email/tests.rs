use proptest::prelude::*;

use super::*;

fn normal(text: &str) -> String {
    Email::parse(text)
        .unwrap_or_else(|problem| panic!("{text}: {problem}"))
        .normal()
        .to_owned()
}

fn same_quota(a: &str, b: &str) -> bool {
    Email::parse(a).unwrap().key() == Email::parse(b).unwrap().key()
}

#[test]
fn an_address_is_kept_as_given_and_compared_without_case() {
    let email = Email::parse("Ada.Lovelace+x@Example.COM").unwrap();
    assert_eq!(email.as_given(), "Ada.Lovelace+x@Example.COM");
    assert_eq!(email.normal(), "ada.lovelace+x@example.com");
    assert_eq!(
        (email.local(), email.domain()),
        ("Ada.Lovelace+x", "example.com")
    );
}

#[test]
fn international_domains_and_local_parts_are_accepted() {
    assert_eq!(normal("jörg@bücher.example"), "jörg@xn--bcher-kva.example");
    assert_eq!(normal("JÖRG@BÜCHER.example"), "jörg@xn--bcher-kva.example");
    assert_eq!(
        normal("ユーザー@例え.テスト"),
        "ユーザー@xn--r8jz45g.xn--zckzah"
    );
}

#[test]
fn anything_but_one_plain_mailbox_is_refused() {
    let over_long_local = format!("{}@example.com", "a".repeat(65));
    for bad in [
        "ada",
        "@example.com",
        "ada@",
        "ada@localhost",
        "a@b@example.com",
        "a,b@example.com",
        "<ada@example.com>",
        "Ada <ada@example.com>",
        "\"ada\"@example.com",
        "ada(x)@example.com",
        "ada @example.com",
        " ada@example.com",
        "ada@example.com ",
        "ada\r\nBcc: x@example.com",
        "ada\0@example.com",
        "ada@[127.0.0.1]",
        "ada@127.0.0.1",
        ".ada@example.com",
        "ada.@example.com",
        "a..b@example.com",
        "ada@-example.com",
        "ada@example..com",
        "ada@example.com.",
        "ada@exam_ple.com",
        "ada＠example.com",
        "ada@evil.com＠example.com",
        "a﹫b@example.com",
        "ada@example.com\u{202e}",
        "ada;b@example.com",
        "ada\u{200b}@example.com",
        "a\u{2024}\u{2024}b@example.com",
        "ada@ex\u{200b}ample.com",
        "ada@exam\u{ad}ple.com",
        "ada\u{3164}@example.com",
        "ada\u{34f}@example.com",
        "ada\u{fe0f}@example.com",
        over_long_local.as_str(),
    ] {
        assert!(Email::parse(bad).is_err(), "{bad:?} was accepted");
    }
}

#[test]
fn an_address_over_320_characters_is_too_long() {
    let long = format!("a@{}.com", "b".repeat(400));
    assert_eq!(Email::parse(&long), Err(EmailProblem::TooLong));
    assert_eq!(Email::parse(""), Err(EmailProblem::Missing));
}

#[test]
fn dots_and_tags_are_folded_only_where_the_provider_ignores_them() {
    assert!(same_quota("a.d.a+x@gmail.com", "ada@googlemail.com"));
    assert!(same_quota("ada+x@outlook.com", "ada@outlook.com"));
    assert!(same_quota("ada@me.com", "ada+x@icloud.com"));
    assert!(same_quota("ada@pm.me", "ada@protonmail.com"));
    assert!(!same_quota("a.da@outlook.com", "ada@outlook.com"));
    assert!(!same_quota("ada+x@example.com", "ada@example.com"));
}

#[test]
fn an_address_does_not_print() {
    assert_eq!(
        format!("{:?}", Email::parse("ada@example.com").unwrap()),
        "Email(…)"
    );
}

proptest! {
    #[test]
    fn parsing_never_panics_and_the_normal_form_is_stable(text in "\\PC{0,40}@\\PC{0,40}|\\PC*") {
        if let Ok(email) = Email::parse(&text) {
            let again = Email::parse(email.normal()).expect("a normal form is an address");
            prop_assert_eq!(again.normal(), email.normal());
            prop_assert_eq!(again.key(), email.key());
        }
    }

    #[test]
    fn plain_addresses_are_accepted_in_any_case(local in "[a-zA-Z0-9]{1,10}(\\.[a-zA-Z0-9]{1,5}){0,2}", domain in "[a-z]{2,8}\\.(com|org|example)") {
        let lower = format!("{local}@{domain}").to_lowercase();
        prop_assert_eq!(normal(&format!("{local}@{domain}")), lower.clone());
        let upper = lower.to_uppercase();
        prop_assert_eq!(normal(&upper), lower);
    }
}
