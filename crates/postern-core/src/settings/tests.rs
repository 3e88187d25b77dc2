use super::*;

fn refused(key: &str, value: &str) -> String {
    let violations = Settings::default().with([(key, value)]).unwrap_err();
    violations[0].description.clone()
}

#[test]
fn the_defaults_are_those_of_the_lifecycle() {
    let settings = Settings::default();
    assert_eq!(settings.passwordless_type, Method::Otp);
    assert_eq!(settings.expires_in, Duration::from_mins(5));
    assert_eq!(
        (settings.code_length, settings.code_alphabet),
        (6, CodeAlphabet::Numeric)
    );
    assert!(!settings.enforce_same_browser_origin && settings.regenerate_on_resend);
    assert_eq!(
        (
            settings.sends_per_minute,
            settings.sends_per_hour,
            settings.sends_per_day
        ),
        (2, 20, 50)
    );
    assert_eq!((settings.attempt_limit, settings.guess_budget), (5, 100));
    assert_eq!(
        (
            settings.keep_requests.as_secs(),
            settings.keep_events.as_secs()
        ),
        (7 * 86_400, 90 * 86_400)
    );
}

#[test]
fn what_is_written_out_reads_back_the_same() {
    let changed = Settings::default()
        .with([
            ("link_origins", "https://a.example, https://b.example"),
            ("expires_in", "10m"),
            ("on_budget", "refuse"),
        ])
        .unwrap();
    let entries = changed.entries();
    let again = Settings::default()
        .with(entries.iter().map(|(k, v)| (*k, v.as_str())))
        .unwrap();
    assert_eq!(again, changed);
}

#[test]
fn every_bound_is_refused_just_past_its_edge() {
    for (key, fine, bad) in [
        ("expires_in", "60", "59s"),
        ("expires_in", "1h", "3601"),
        ("code_length", "10", "11"),
        ("code_length", "6", "5"),
        ("attempt_limit", "1", "0"),
        ("attempt_limit", "5", "6"),
        ("guess_budget", "5", "4"),
        ("keep_requests", "2d", "47h"),
        (
            "link_origins",
            "https://a.example",
            "https://a.example/path",
        ),
        ("link_schemes", "myapp", "javascript"),
        (
            "allowed_domains",
            "a.example,*.b.example,Bücher.example,edu",
            "a@b.example",
        ),
        ("blocked_domains", "*.a.example", "a.example/b"),
        ("blocked_domains", "a.example", "a.*.example"),
        ("domain_rules", "log", "off"),
        ("suppress_for", "1h", "59m"),
        ("test_addresses", "a+sktest@b.example", "a@b.example"),
        ("test_addresses", "a+sktest1@b.example", "a@sktest.example"),
        ("test_code", "0000000000", "12345"),
        ("test_code", "000000", "12345a"),
        (
            "app_logo_url",
            "https://a.example/l.png",
            "http://a.example/l.png",
        ),
        ("app_name", "Acme", "Ac\nme"),
    ] {
        assert!(
            Settings::default().with([(key, fine)]).is_ok(),
            "{key}={fine}"
        );
        assert!(refused(key, bad).starts_with(key), "{key}={bad}");
    }
}

#[test]
fn there_are_at_most_five_test_identities_each_once_and_none_by_default() {
    assert!(Settings::default().test_addresses.is_empty());
    let listed = |count: usize| {
        let all: Vec<_> = (0..count)
            .map(|n| format!("a+sktest{n}@b.example"))
            .collect();
        Settings::default().with([("test_addresses", all.join(",").as_str())])
    };
    assert_eq!(listed(5).unwrap().test_addresses.len(), 5);
    assert!(listed(6).is_err());
    let twice =
        Settings::default().with([("test_addresses", "A+sktest@b.example, a+SKTEST@B.example")]);
    assert_eq!(twice.unwrap().test_addresses, ["a+sktest@b.example"]);
}

#[test]
fn the_settings_are_judged_as_a_whole() {
    assert!(refused("sends_per_minute", "21").contains("sends_per_hour"));
    assert!(
        Settings::default()
            .with([("sends_per_minute", "21"), ("sends_per_hour", "30")])
            .is_ok()
    );
    assert!(refused("keep_requests", "100d").contains("keep_events"));
}

#[test]
fn an_unknown_key_is_named() {
    assert_eq!(
        refused("expire_in", "60"),
        "there is no setting \"expire_in\""
    );
}

#[test]
fn a_colour_on_which_white_letters_cannot_be_read_is_refused() {
    for (color, fits) in [
        ("#1a56db", true),
        ("#000000", true),
        ("#767676", true),
        ("#777777", false),
        ("#ffffff", false),
        ("#ffcc00", false),
        ("1a56db", false),
    ] {
        let settings = Settings::default().with([("app_color", color)]);
        assert_eq!(settings.is_ok(), fits, "{color}");
    }
}
