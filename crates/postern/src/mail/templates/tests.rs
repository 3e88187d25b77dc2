use super::*;
use crate::mail::Kind;

fn compiled(subject: &str, text: &str, html: &str) -> Templates {
    let source = Source {
        subject: subject.to_owned(),
        html: html.to_owned(),
        text: text.to_owned(),
    };
    Templates::compile(&[(Kind::SigninOtp, source)]).unwrap()
}

fn fields(pairs: &[(&str, &str)]) -> Fields {
    let mut fields = Fields::default();
    for (name, value) in pairs {
        fields.set(name, *value);
    }
    fields
}

#[test]
fn the_built_in_templates_need_nothing_from_the_caller() {
    for (kind, compiled) in &Templates::built_in().built_in {
        let named: Vec<_> = compiled.required().chain(compiled.optional()).collect();
        assert_eq!(named, [""; 0], "{kind:?}");
    }
}

#[test]
fn a_template_names_what_nobody_supplied() {
    let templates = compiled(
        "{{ otp }} {{ plan }}",
        "{{ user_email }}",
        "{% if seats %}{{ seats }}{% endif %}{{ link }}",
    );
    let missing = |pairs: &[(&str, &str)]| {
        let pairs = pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let supplied = Variables::parse(pairs).unwrap();
        ports::Templates::missing(
            &templates,
            Kind::SigninOtp,
            &Languages::default(),
            &supplied,
            &Settings::default(),
        )
    };
    assert_eq!(missing(&[]), ["link", "plan", "seats"]);
    assert_eq!(missing(&[("plan", "pro"), ("seats", "")]), ["link"]);
}

#[test]
fn a_missing_variable_is_an_error_and_never_an_empty_place() {
    let error = compiled("hello", "{{ plan }}", "")
        .fill(Kind::SigninOtp, &fields(&[]))
        .unwrap_err();
    assert_eq!(error.part, "signin_otp.txt");
}

#[test]
fn values_are_escaped_in_html_and_nowhere_else() {
    let parts = compiled("{{ x }}", "{{ x }}", "<a title=\"{{ x }}\">{{ x }}</a>")
        .fill(
            Kind::SigninOtp,
            &fields(&[("x", "<b onclick='a(\"1/2\")'>&")]),
        )
        .unwrap();
    assert_eq!(parts.text, "<b onclick='a(\"1/2\")'>&");
    let escaped = "&lt;b onclick=&#39;a(&quot;1/2&quot;)&#39;&gt;&amp;";
    assert_eq!(parts.html, format!("<a title=\"{escaped}\">{escaped}</a>"));
}

#[test]
fn a_value_is_never_read_as_a_template() {
    let parts = compiled("s", "{{ x }}", "")
        .fill(Kind::SigninOtp, &fields(&[("x", "{{ otp }}")]))
        .unwrap();
    assert_eq!(parts.text, "{{ otp }}");
}

#[test]
fn a_subject_with_a_line_break_is_refused() {
    for evil in ["a\r\nBcc: eve@example.com", "a\nb", "a\0b"] {
        let filled = compiled("{{ x }}", "", "").fill(Kind::SigninOtp, &fields(&[("x", evil)]));
        assert!(filled.is_err(), "{evil:?}");
    }
}

#[test]
fn a_subject_is_cut_at_its_bound() {
    let parts = compiled("{{ x }}", "", "")
        .fill(Kind::SigninOtp, &fields(&[("x", &"é".repeat(300))]))
        .unwrap();
    assert_eq!(parts.subject.chars().count(), compiled::MAX_SUBJECT);
}

#[test]
fn a_template_that_works_too_long_runs_out_of_fuel() {
    let long = "{{ x }}".repeat(30_000);
    let filled = compiled("s", &long, "").fill(Kind::SigninOtp, &fields(&[("x", "")]));
    assert!(filled.unwrap_err().to_string().contains("fuel"));
}

#[test]
fn a_template_that_nests_without_end_is_refused_and_breaks_nothing() {
    let deep = 20_000;
    for text in [
        "{% if otp %}".repeat(deep) + &"{% endif %}".repeat(deep),
        format!("{{{{ {}otp{} }}}}", "(".repeat(500), ")".repeat(500)),
        format!("{{% if {}otp %}}a{{% endif %}}", "not ".repeat(500)),
    ] {
        let source = Source {
            subject: "s".to_owned(),
            html: String::new(),
            text,
        };
        let refused = Compiled::compile(Kind::SigninOtp, &source).unwrap_err();
        assert!(refused.problem.len() < 200, "{refused}");
    }
}

#[test]
fn a_template_chooses_and_names_and_does_nothing_else() {
    for foreign in [
        "{% for a in x %}{% endfor %}",
        "{% set a = x %}",
        "{% include 'signin_otp.txt' %}",
        "{% raw %}{{ x }}{% endraw %}",
        "{{ x|safe }}",
        "{{ debug() }}",
        "{{ range(9) }}",
    ] {
        let source = Source {
            subject: "s".to_owned(),
            html: String::new(),
            text: foreign.to_owned(),
        };
        let compiled = Templates::compile(&[(Kind::SigninOtp, source)]);
        let filled = compiled.and_then(|made| made.fill(Kind::SigninOtp, &fields(&[("x", "y")])));
        assert!(filled.is_err(), "{foreign}");
    }
}

#[test]
fn a_template_that_writes_too_much_is_cut_off() {
    let wide = "{{ x * 200 }}".repeat(100);
    let filled = compiled("s", &wide, "").fill(Kind::SigninOtp, &fields(&[("x", &"y".repeat(99))]));
    assert!(filled.unwrap_err().to_string().contains("1 MiB"));
}

#[test]
fn a_url_that_runs_something_leads_nowhere() {
    let html = "<a href=\"{{ x }}\">a</a><a href=\"https://a.example/?q={{ x }}\">b</a>";
    let filled = compiled("s", "", html)
        .fill(Kind::SigninOtp, &fields(&[("x", "javascript:a(1)&b=2")]))
        .unwrap();
    assert_eq!(
        filled.html,
        "<a href=\"#\">a</a><a href=\"https://a.example/?q=javascript%3Aa%281%29%26b%3D2\">b</a>"
    );
}

#[test]
fn the_built_in_set_is_mjml_that_says_all_of_it_in_every_language() {
    for kind in Kind::ALL {
        let source = built_in::source(kind);
        assert!(mjml::is_mjml(&source.html));
        for part in [&source.subject, &source.html, &source.text] {
            assert!(!part.contains("mj-include"), "{part}");
            for left in ["PURPOSE", "PREVIEW", "WARNING"] {
                assert!(!part.contains(left), "{left}: {part}");
            }
        }
    }
}

fn of(tag: &str) -> TemplateKey {
    TemplateKey {
        kind: Kind::SigninOtp,
        language: Language::parse(tag),
    }
}

/// Versions in force, one of each tag, whose text is the tag and the language of the mail.
async fn in_force(templates: &Templates, numbered: &[(&str, u32)]) {
    let (heads, found): (Vec<_>, Vec<_>) = numbered
        .iter()
        .map(|(tag, number)| (head(tag, Some(*number)), version(tag, *number, "")))
        .unzip();
    ports::Templates::take_up(templates, &heads, found).await;
}

fn head(tag: &str, active: Option<u32>) -> TemplateHead {
    TemplateHead {
        key: of(tag),
        active,
        previous: None,
        newest: 9,
        changed_at: postern_core::model::Timestamp::from_unix_seconds(1),
        changed_by: "ada@example.com".to_owned(),
    }
}

fn version(tag: &str, number: u32, more: &str) -> TemplateVersion {
    TemplateVersion {
        key: of(tag),
        number,
        source: Source {
            subject: "s".to_owned(),
            html: "<p></p>".to_owned(),
            text: format!("{tag} {number} {{{{ language }}}} {{{{ direction }}}}{more}"),
        },
        at: postern_core::model::Timestamp::from_unix_seconds(1),
        by: "ada@example.com".to_owned(),
        note: "edited".to_owned(),
    }
}

/// The text of a mail to a reader of `wanted`; `built-in` and its language where that serves.
fn read(templates: &Templates, wanted: &str) -> String {
    let settings = Settings::default();
    let chosen = templates.choose(Kind::SigninOtp, &Languages::parse(wanted), &settings);
    if chosen.custom.is_none() {
        return format!("built-in {}", chosen.language);
    }
    let mut fields = fields(&[]);
    crate::mail::render::set_language(&mut fields, &chosen.language);
    chosen.fill(&fields).unwrap().0.text
}

#[tokio::test]
async fn the_closest_template_serves_a_reader_then_the_general_one_then_the_built_in() {
    let templates = Templates::built_in();
    assert_eq!(read(&templates, "de-AT"), "built-in de");
    in_force(&templates, &[("de", 1), ("de-CH", 2), ("sv", 3), ("he", 4)]).await;
    for (wanted, expected) in [
        ("de-CH", "de-CH 2 de-CH ltr"),
        ("de-AT", "de 1 de ltr"),
        ("sv, de", "sv 3 sv ltr"),
        ("nn, he", "he 4 he rtl"),
        ("fr", "built-in fr"),
        ("nn", "built-in en"),
        ("", "built-in en"),
    ] {
        assert_eq!(read(&templates, wanted), expected, "{wanted}");
    }
    in_force(&templates, &[("", 5), ("de", 1)]).await;
    for (wanted, expected) in [
        ("de-AT", "de 1 de ltr"),
        ("fr", " 5 fr ltr"),
        ("sv", " 5 en ltr"),
        ("ar", " 5 ar rtl"),
    ] {
        assert_eq!(read(&templates, wanted), expected, "{wanted}");
    }
}

#[tokio::test]
async fn a_version_is_compiled_once_and_what_is_not_in_force_any_more_goes() {
    let templates = Templates::built_in();
    let heads = [head("de", Some(1)), head("fr", None)];
    assert_eq!(
        ports::Templates::wanting(&templates, &heads),
        [(of("de"), 1)]
    );
    ports::Templates::take_up(&templates, &heads, vec![version("de", 1, "")]).await;
    assert_eq!(ports::Templates::wanting(&templates, &heads), []);
    let before = templates.choose(
        Kind::SigninOtp,
        &Languages::parse("de"),
        &Settings::default(),
    );
    let heads = [head("de", Some(1)), head("fr", Some(2))];
    ports::Templates::take_up(&templates, &heads, vec![version("fr", 2, "")]).await;
    let after = templates.choose(
        Kind::SigninOtp,
        &Languages::parse("de"),
        &Settings::default(),
    );
    let compiled = |chosen: Chosen| chosen.custom.unwrap().0;
    assert!(Arc::ptr_eq(&compiled(before), &compiled(after)));
    ports::Templates::take_up(&templates, &[head("de", None)], Vec::new()).await;
    assert_eq!(read(&templates, "de"), "built-in de");
}

#[tokio::test]
async fn what_a_version_needs_is_asked_of_the_one_that_would_serve() {
    let templates = Templates::built_in();
    let found = vec![version("de", 1, "{{ plan }}")];
    ports::Templates::take_up(&templates, &[head("de", Some(1))], found).await;
    let missing = |wanted: &str| {
        ports::Templates::missing(
            &templates,
            Kind::SigninOtp,
            &Languages::parse(wanted),
            &Variables::default(),
            &Settings::default(),
        )
    };
    assert_eq!(missing("de-AT"), ["plan"]);
    assert_eq!(missing("fr"), [""; 0]);
}

#[tokio::test]
async fn a_template_that_cannot_be_filled_gives_way_to_the_built_in_one() {
    let templates = Templates::built_in();
    let found = vec![version("", 1, "{{ plan }}")];
    ports::Templates::take_up(&templates, &[head("", Some(1))], found).await;
    let settings = Settings::default();
    let chosen = templates.choose(Kind::SigninOtp, &Languages::parse("de"), &settings);
    let now = postern_core::model::Timestamp::from_unix_seconds(1_795_379_460);
    let fields = samples::fields(Kind::SigninOtp, &chosen.language, &settings, now, &[]);
    let (parts, fell_back) = chosen.fill(&fields).unwrap();
    assert!(parts.text.contains(SAMPLE_CODE), "{}", parts.text);
    assert_eq!(fell_back.unwrap().template, "signin_otp, version 1");
}

#[test]
fn a_template_that_cannot_be_filled_names_the_variable_that_is_not_there() {
    let fields = Fields::default();
    for (text, named) in [
        ("{{ plan }}", "plan"),
        ("\n{{ 'a' ~ plan|upper }}", "plan"),
        ("{% if tier is defined %}{% endif %}{{ plan }}", "plan"),
        ("{% if plan == 'a' %}{% endif %}", "plan"),
        ("{% if plan %}{% endif %}", "plan"),
        ("{{ plan if tier is defined else\n mood }}", "mood"),
        ("{{ tier|default(plan) }}", "plan"),
    ] {
        let source = Source {
            subject: "s".to_owned(),
            html: "<p></p>".to_owned(),
            text: text.to_owned(),
        };
        let compiled = Compiled::compile(Kind::SigninOtp, &source).unwrap();
        let told = compiled.fill(&fields).unwrap_err().to_string();
        assert!(
            told.contains(&format!("`{named}` is undefined")),
            "{text}: {told}"
        );
    }
    assert!(
        engine::environment().debug(),
        "a release build names it too"
    );
}

#[test]
fn what_is_told_of_a_template_that_cannot_be_filled_has_no_value_in_it() {
    let source = version("", 1, "{{ otp ~ plan }}{{ otp.parts }}").source;
    let compiled = Compiled::compile(Kind::SigninOtp, &source).unwrap();
    let mut fields = Fields::default();
    for name in ["otp", "language", "direction"] {
        fields.set(name, "731904");
    }
    let problem = compiled.fill(&fields).unwrap_err();
    assert!(!format!("{problem} {problem:?}").contains("731904"));
}

#[test]
fn a_preview_needs_nothing_and_shows_what_callers_supply() {
    let source = version("de", 1, " {{ otp }} {{ plan }} {{ user_name }}").source;
    let language = Language::parse("de").unwrap();
    let supplied = [("user_name".to_owned(), "Eva".to_owned())];
    let now = postern_core::model::Timestamp::from_unix_seconds(1_795_379_460);
    let kind = (Kind::SigninOtp, &language);
    let parts = preview(kind, &source, &Settings::default(), now, &supplied).unwrap();
    assert_eq!(parts.text, format!("de 1 de ltr {SAMPLE_CODE} [plan] Eva"));
}

/// Asks for this many variables, each with a name of its own.
fn many(count: usize) -> String {
    let one = |n| format!("{{% if a{n} is defined %}}{{{{ a{n} }}}}{{% endif %}}");
    (0..count).map(one).collect::<Vec<_>>().concat()
}

#[tokio::test]
async fn a_stored_template_with_more_variables_than_fit_gives_way_to_the_built_in_one() {
    let templates = Templates::built_in();
    let heads = [head("de", Some(1)), head("fr", Some(1))];
    let found = vec![
        version("de", 1, &many(compiled::MAX_NAMED)),
        version("fr", 1, &many(3000)),
    ];
    ports::Templates::take_up(&templates, &heads, found).await;
    assert_eq!(read(&templates, "de"), "de 1 de ltr");
    assert_eq!(read(&templates, "fr"), "built-in fr");
    assert_eq!(ports::Templates::wanting(&templates, &heads), []);
}

#[test]
fn what_asks_for_a_variable_spares_it_in_every_part() {
    let html = "<p>{{ a | default('x') }}{{ b.c is defined }}{{ dd}}{% if not ee is  defined %}{% endif %}</p>";
    let source = Source {
        subject: "{% if dd is not defined %}{% endif %}".to_owned(),
        text: "{{ f }} default is defined".to_owned(),
        html: html.to_owned(),
    };
    let compiled = Compiled::compile(MailKind::SigninOtp, &source).unwrap();
    let spared: Vec<_> = compiled.optional().collect();
    assert_eq!(spared, ["a", "dd", "ee"]);
    let required: Vec<_> = compiled.required().collect();
    assert_eq!(required, ["b", "f"]);
}
