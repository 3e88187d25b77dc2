use super::*;

fn compiled(subject: &'static str, text: &'static str, html: &'static str) -> Templates {
    Templates::compile(&[
        ("signin_otp.subject.txt", subject),
        ("signin_otp.txt", text),
        ("signin_otp.html", html),
    ])
    .unwrap()
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
        ports::Templates::missing(&templates, Method::Otp, Template::Signin, &supplied)
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
fn a_template_that_never_ends_runs_out_of_fuel() {
    let endless = "{% for a in range(9999) %}{% for b in range(9999) %}x{% endfor %}{% endfor %}";
    assert!(
        compiled("s", endless, "")
            .fill(Kind::SigninOtp, &fields(&[]))
            .is_err()
    );
}
