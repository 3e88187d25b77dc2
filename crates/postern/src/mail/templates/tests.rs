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
    let templates = Templates::built_in();
    assert!(
        templates.needs.values().all(BTreeSet::is_empty),
        "{:?}",
        templates.needs
    );
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
    assert_eq!(parts.subject.chars().count(), MAX_SUBJECT);
}

#[test]
fn a_template_that_works_too_long_runs_out_of_fuel() {
    let long = "{{ x }}".repeat(30_000);
    let filled = compiled("s", &long, "").fill(Kind::SigninOtp, &fields(&[("x", "")]));
    assert!(filled.unwrap_err().to_string().contains("fuel"));
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
