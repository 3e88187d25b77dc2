use postern_core::model::Language;

use super::*;
use crate::mail::built_in_source;

fn key(kind: MailKind, tag: &str) -> TemplateKey {
    TemplateKey {
        kind,
        language: Language::parse(tag),
    }
}

fn good() -> Source {
    Source {
        subject: "{{ otp }} is your code".to_owned(),
        html: "<p>{{ otp }}</p>\n<p>{{ link }}</p><a href=\"{{ link }}\">Sign in</a>".to_owned(),
        text: "{{ otp }}\n{{ link }}\n\n@{{ code_domain }} #{{ otp }}\n".to_owned(),
    }
}

/// `rule part line severity` of all that is wrong.
fn wrong(source: &Source) -> Vec<String> {
    let found = lint(&key(MailKind::SigninLinkOtp, ""), source);
    let told = |one: &Finding| {
        let line = one.line.map(|line| format!(":{line}")).unwrap_or_default();
        format!(
            "{} {}{line} {}",
            one.severity.as_str(),
            one.part.as_str(),
            one.rule
        )
    };
    found.iter().map(told).collect()
}

#[test]
fn the_built_in_templates_pass_without_a_finding() {
    for kind in MailKind::ALL {
        let found = lint(&key(kind, ""), &built_in_source(kind));
        assert_eq!(found, [], "{kind:?}");
    }
}

#[test]
fn a_template_that_carries_code_and_link_passes() {
    assert_eq!(wrong(&good()), [""; 0]);
}

#[test]
fn parts_that_are_not_there_are_named() {
    let none = Source::default();
    for rule in ["missing-subject", "missing-text", "missing-html"] {
        assert!(
            wrong(&none).iter().any(|told| told.ends_with(rule)),
            "{rule}"
        );
    }
}

#[test]
fn code_and_link_have_to_be_in_every_mail() {
    let mut one = good();
    one.text = "{% if user_name %}{{ otp }}{% endif %} {{ link }}".to_owned();
    assert!(wrong(&one).contains(&"error text missing-otp".to_owned()));
    let mut one = good();
    one.html = "<p title=\"{{ otp }}\">{{ otp }}</p>".to_owned();
    assert_eq!(wrong(&one), ["error html missing-link"]);
    let mut one = good();
    one.html = "<p title=\"{{ otp }}\"></p><a href=\"{{ link }}\">x</a>".to_owned();
    assert_eq!(
        wrong(&one),
        ["error html missing-otp", "warning html plain-link"]
    );
    for hidden in [
        "<div style=\"display:none\">",
        "<span STYLE='color:red; display : NONE'>",
    ] {
        let mut one = good();
        one.html = one.html.replace("{{ otp }}", "");
        one.html += &[hidden, "{{ otp }}</div>"].concat();
        assert!(
            wrong(&one).contains(&"error html missing-otp".to_owned()),
            "{hidden}"
        );
    }
}

#[test]
fn an_unknown_variable_is_refused_unless_it_is_declared_or_asked_for() {
    let with = |text: &str| {
        let mut one = good();
        one.html.push_str(text);
        wrong(&one)
    };
    assert_eq!(with("{{ plan }}"), ["error html:2 unknown-variable"]);
    assert_eq!(
        with("{# needs seats, plan #}{{ plan }}"),
        ["warning html:2 unknown-variable"]
    );
    assert_eq!(
        with("{% if plan is defined %}{{ plan }}{% endif %}"),
        [""; 0]
    );
    assert_eq!(with("{{ plan | default('free') }}"), [""; 0]);
    assert_eq!(
        with("{% if plan is defined %}x{% endif %}{{ plan }}"),
        ["error html:2 fill"]
    );
    assert_eq!(with("{{ x }}"), ["error html:2 unknown-variable"]);
}

#[test]
fn what_keeps_a_template_from_being_filled_is_told_by_its_name() {
    let mut one = good();
    one.html
        .push_str("{% if plan is defined %}x{% endif %}{{ plan }}");
    let found = lint(&key(MailKind::SigninLinkOtp, ""), &one);
    let told = "it cannot be filled when plan is left out";
    assert!(found[0].message.starts_with(told), "{found:?}");
}

#[test]
fn a_template_written_for_scalekit_is_pointed_to_its_import() {
    let pointed = |html: &str| {
        let mut one = good();
        one.html.push_str(html);
        let found = lint(&key(MailKind::SigninLinkOtp, ""), &one);
        let pointed = |one: &Finding| one.message.contains("`postern template import`");
        found.iter().any(pointed)
    };
    for html in [
        "{{ .otp }}",
        "{{ if user_name }}a{{ end }}",
        "{{- if .user_name -}}a{{- end -}}",
        "<a href=\"{{ .link }}\">b</a>",
        "{% if isset(user_name) && otp %}a{% endif %}",
    ] {
        assert!(pointed(html), "{html}");
    }
    for html in [
        "{% if %}",
        "{% for a in b %}{% endfor %}",
        "{{ 'if'..otp }}",
    ] {
        assert!(!pointed(html), "{html}");
    }
}

#[test]
fn a_logo_that_is_shown_without_being_asked_for_is_warned_of() {
    let with = |logo: &str| {
        let mut one = good();
        one.html.push_str(logo);
        wrong(&one)
    };
    let bare = "\n<img src=\"{{ app_logo_url }}\" alt=\"\">";
    assert_eq!(with(bare), ["warning html:3 empty-picture"]);
    assert_eq!(
        with("<img src='{{ app_logo_url }}' alt=''>"),
        ["warning html:2 empty-picture"]
    );
    let asked = format!("{{% if app_logo_url %}}{bare}{{% endif %}}");
    let avatar = "{% if avatar is defined %}<img src=\"{{ avatar }}\" alt=\"\">{% endif %}";
    let named = "<a href=\"{{ app_logo_url }}\">a</a>";
    for fine in [asked.as_str(), avatar, named] {
        assert_eq!(with(fine), [""; 0], "{fine}");
    }
    let mut one = good();
    one.html = "<mjml><mj-body><mj-section><mj-column><mj-text>{{ otp }} {{ link }}</mj-text>\n\
                <mj-image src=\"{{ app_logo_url }}\" alt=\"\" /><mj-button href=\"{{ link }}\">a</mj-button>\
                </mj-column></mj-section></mj-body></mjml>"
        .to_owned();
    assert_eq!(wrong(&one), ["warning html:2 empty-picture"]);
}

#[test]
fn a_variable_of_another_kind_is_not_there() {
    let found = lint(&key(MailKind::SigninOtp, ""), &good());
    assert!(
        found
            .iter()
            .any(|one| one.rule == "unknown-variable" && one.message.contains("no link")),
        "{found:?}"
    );
}

#[test]
fn a_subject_of_two_lines_is_refused() {
    for subject in ["a\nBcc: eve@example.com", "{{ otp }}\r\n{{ otp }}", "a\tb"] {
        let mut one = good();
        one.subject = subject.to_owned();
        assert!(
            wrong(&one).contains(&"error subject subject-break".to_owned()),
            "{subject:?}"
        );
    }
}

#[test]
fn what_is_fetched_without_tls_is_refused_and_where_it_stands_is_told() {
    let mut one = good();
    one.html
        .push_str("\n<img src='HTTP://a.example/x.png' alt=\"\">");
    one.html
        .push_str("\n<p style=\"background:url(http://a.example/y)\">http: is a word</p>");
    one.html.push_str("\n<a href=\"http://a.example\">a</a>");
    assert_eq!(
        wrong(&one),
        [
            "error html:3 http-asset",
            "error html:4 http-asset",
            "warning html:5 http-link"
        ]
    );
}

#[test]
fn mjml_that_does_not_balance_and_tags_that_do_not_parse_are_told_with_their_line() {
    let mut one = good();
    one.html = "<mjml><mj-body>\n<mj-section></mj-body></mjml>".to_owned();
    assert_eq!(wrong(&one), ["error html mjml"]);
    let mut one = good();
    one.html.push_str("\n{% if %}");
    assert_eq!(wrong(&one), ["error html:3 engine"]);
    let mut one = good();
    one.html
        .push_str("\n<p style=\"color:{{ user_name }}\">x</p>");
    assert_eq!(wrong(&one), ["error html:3 engine"]);
    let mut one = good();
    one.text.push_str("{% for a in b %}{% endfor %}");
    assert!(wrong(&one)[0].ends_with("engine"), "{:?}", wrong(&one));
}

#[test]
fn what_is_nested_too_deep_for_the_engine_is_refused_wherever_it_stands() {
    let in_mjml = |inner: &str| {
        format!(
            "<mjml><mj-body><mj-section><mj-column><mj-text>{{{{ otp }}}} {{{{ link }}}}{inner}</mj-text></mj-column>\
             </mj-section></mj-body></mjml>"
        )
    };
    let long = format!("{{{{ otp{} }}}}", ".a".repeat(20_000));
    let sum = format!("{{{{ otp{} }}}}", "+otp".repeat(10_000));
    let again = format!(
        "{{% if otp %}}{}{{% endif %}}",
        "{% elif otp %}".repeat(5_000)
    );
    let nested = "{% if otp %}".repeat(6_000);
    let other = "{% if otp %}{% else %}".repeat(4_000);
    for deep in [&long, &sum, &again, &nested, &other] {
        let made = deep.replacen("{{", "{<!-- x -->{", 1);
        let made = made.replace("{%", "{<!-- x -->%");
        let comment = format!("<!-- {deep} -->");
        for html in [
            deep.clone(),
            in_mjml(deep),
            in_mjml(&comment),
            in_mjml(&made),
        ] {
            let mut one = good();
            one.html = html;
            assert!(
                wrong(&one).iter().any(|told| told.starts_with("error")),
                "{}",
                &one.html[..200]
            );
        }
    }
}

#[test]
fn of_one_kind_no_more_than_fifty_are_told() {
    for many in [
        "<a href=\"javascript:\n\">a</a>",
        "<img src=\"http://a.example/a.png\" alt=\"\">",
        "<img src=\"https://a.example/{{ otp }}\" alt=\"\">",
        "{{ 'a' if otp > '5' else '' }}",
        "<link rel=\"stylesheet\">",
    ] {
        let mut one = good();
        one.html.push_str(&many.repeat(200));
        let found = lint(&key(MailKind::SigninLinkOtp, ""), &one);
        let mut kinds: Vec<&str> = found.iter().map(|finding| finding.rule).collect();
        kinds.sort_unstable();
        let most = kinds.chunk_by(|a, b| a == b).map(<[_]>::len).max();
        assert!(
            most.is_some_and(|most| (1..=50).contains(&most)),
            "{many}: {most:?}"
        );
    }
}

#[test]
fn a_tag_that_only_the_library_makes_is_refused() {
    let mut one = good();
    one.html = "<mjml><mj-body><mj-section><mj-column><mj-text>{{ otp }} {{ link }}\
         {<!-- -->% if otp == \"1\" %}a{<!-- -->% endif %}</mj-text></mj-column></mj-section></mj-body></mjml>"
        .to_owned();
    assert_eq!(wrong(&one), ["error html engine"]);
}

#[test]
fn a_mail_that_would_be_clipped_is_warned_of() {
    let mut one = good();
    one.html.push_str(&"<p>hello</p>".repeat(10_000));
    assert_eq!(wrong(&one), ["warning html clipping"]);
    one.html = "x".repeat(Source::MAX_BODY + 1);
    assert_eq!(wrong(&one), ["error html too-large"]);
}

#[test]
fn a_language_without_wording_and_one_from_the_right_are_warned_of() {
    let rules = |tag: &str| {
        let found = lint(&key(MailKind::SigninLinkOtp, tag), &good());
        found.iter().map(|one| one.rule).collect::<Vec<_>>()
    };
    assert_eq!(rules("sv"), ["wording"]);
    assert_eq!(rules("ar"), ["direction"]);
    assert_eq!(rules("de-AT"), [""; 0]);
}

#[test]
fn more_variables_than_fit_are_told_and_nothing_else_is_looked_at() {
    let with = |count: usize| {
        let ask = |n| format!("{{% if a{n} is defined %}}{{{{ a{n} }}}}{{% endif %}}");
        let mut one = good();
        one.html.extend((0..count).map(ask));
        one
    };
    assert_eq!(wrong(&with(100)), [""; 0]);
    let mut over = with(3000);
    over.subject.clear();
    let found = lint(&key(MailKind::SigninLinkOtp, ""), &over);
    assert_eq!(found.len(), 1, "{found:?}");
    let told = found[0].to_string();
    let expected = "html: error: it names 3000 variables beyond those of Postern, and 100 is the most: a send \
                    carries at most 30 [too-many-variables]";
    assert_eq!(told, expected);
}

#[test]
fn a_subject_that_goes_by_the_code_is_refused_too() {
    let mut one = good();
    one.subject =
        "{% if otp[0] == '1' %}a{% endif %} {{ {'5': ''}[otp[0]]|default('a') }}".to_owned();
    let both = ["error subject:1 secret-condition"; 2];
    assert_eq!(wrong(&one), both);
}

#[test]
fn many_addresses_take_no_longer_each_than_a_few() {
    let mut one = good();
    one.html.push_str(&"http:\n".repeat(150_000));
    assert_eq!(wrong(&one), ["warning html clipping"]);
}

#[test]
fn a_code_or_link_in_what_is_fetched_is_refused_in_html_and_in_mjml() {
    let mut one = good();
    one.html
        .push_str("\n<img src=\"https://a.example/{{ otp }}.png\" alt=\"\">");
    assert_eq!(wrong(&one), ["error html:3 fetched-secret"]);
    let mut one = good();
    one.html.push_str(
        "\n{% if otp|length > 3 %}<img src=\"https://a.example/x.png\" alt=\"\">{% endif %}",
    );
    assert_eq!(wrong(&one), ["error html:3 secret-condition"]);
    for element in [
        "<mj-image src=\"https://a.example/{{ link }}\" alt=\"\" />",
        "<mj-text>a</mj-text></mj-column></mj-section>\
         <mj-section background-url=\"https://a.example/{{ link }}\"><mj-column><mj-text>b</mj-text>",
    ] {
        let mut one = good();
        one.html = format!(
            "<mjml><mj-body><mj-section><mj-column><mj-text>{{{{ otp }}}} {{{{ link }}}}</mj-text>{element}\
             </mj-column></mj-section></mj-body></mjml>"
        );
        let found = wrong(&one);
        let refused = |told: &String| told.ends_with("fetched-secret");
        assert!(found.iter().any(refused), "{element}: {found:?}");
    }
}
