use proptest::prelude::*;

use super::*;
use crate::mail::templates::{Fields, engine};

fn text(jet: &str) -> Imported {
    let source = Source {
        subject: "s".to_owned(),
        html: "<p></p>".to_owned(),
        text: jet.to_owned(),
    };
    import(MailKind::SigninLinkOtp, &source)
}

#[test]
fn what_scalekit_shows_in_its_guides_is_carried_whole() {
    for (jet, ours) in [
        ("{{ otp }}", "{{ otp }}"),
        ("{{.otp}}", "{{ otp }}"),
        ("{{- otp -}}", "{{- otp -}}"),
        (
            "{{ if app_logo_url }}a{{ else if app_name }}b{{ else }}c{{ end }}",
            "{% if app_logo_url %}a{% elif app_name %}b{% else %}c{% endif %}",
        ),
        ("{* a note *}", "{# a note #}"),
        (
            "{{ if !link && (otp == \"1\" || user_name != `x`) }}a{{end}}",
            "{% if (not link) and ((otp == \"1\") or (user_name != \"x\")) %}a{% endif %}",
        ),
        (
            "{{ isset(user_name) ? user_name : \"you\" }}",
            "{{ user_name if user_name else \"you\" }}",
        ),
        ("{{ user_name | upper }}", "{{ user_name|upper }}"),
        ("{{ app_name + \"!\" }}", "{{ app_name ~ \"!\" }}"),
        (
            "{{ if not user_name }}a{{ end }}",
            "{% if not user_name %}a{% endif %}",
        ),
        (
            "{{ if user_name != nil }}a{{ end }}",
            "{% if user_name %}a{% endif %}",
        ),
        ("a {b} \"c\" }}", "a {b} \"c\" }}"),
    ] {
        let made = text(jet);
        assert_eq!(made.source.text, ours, "{jet}");
        assert_eq!((made.uncarried, made.changed), (vec![], vec![]), "{jet}");
    }
}

/// Postern always has them, and they are empty when there is nothing to say.
#[test]
fn whether_a_variable_that_postern_fills_is_set_is_whether_it_says_something() {
    for (jet, ours) in [
        (
            "{{ if isset(user_name) }}a{{ else }}b{{ end }}",
            "{% if user_name %}a{% else %}b{% endif %}",
        ),
        (
            "{{ if !isset(.organization_name) }}a{{ end }}",
            "{% if not organization_name %}a{% endif %}",
        ),
        (
            "{{ if user_name == nil }}a{{ end }}",
            "{% if not user_name %}a{% endif %}",
        ),
        (
            "{{ if isset(user_name) && isset(plan) }}a{{ end }}",
            "{% if user_name and (plan is defined) %}a{% endif %}",
        ),
        (
            "{{ if !isset(plan) }}a{{ end }}",
            "{% if not (plan is defined) %}a{% endif %}",
        ),
        ("{{ isset(user_name) }}", "{{ not not user_name }}"),
    ] {
        let made = text(jet);
        assert_eq!(made.source.text, ours, "{jet}");
        assert_eq!((made.uncarried, made.changed), (vec![], vec![]), "{jet}");
    }
    let greeting = text("{{ if isset(user_name) }}Hi {{ user_name }}{{ else }}Hi you{{ end }}");
    let compiled = Compiled::compile(MailKind::SigninLinkOtp, &greeting.source).unwrap();
    for (name, said) in [("", "Hi you"), ("Ada", "Hi Ada")] {
        let mut fields = Fields::default();
        fields.set("user_name", name);
        assert_eq!(compiled.fill(&fields).unwrap().text, said);
    }
}

#[test]
fn what_has_no_counterpart_is_reported_with_its_line_and_a_reason() {
    for (jet, what, why) in [
        (
            "\n{{ range i, v := list }}x{{ end }}",
            "{{ range i, v := list }}",
            "lists",
        ),
        ("\n{{ user.name }}", "{{ user.name }}", "parts"),
        (
            "\n{{ include \"a.jet\" }}",
            "{{ include \"a.jet\" }}",
            "alone",
        ),
        ("\n{{ x := 1 }}", "{{ x := 1 }}", "sets no variables"),
        ("\n{{ link | raw }}", "{{ link | raw }}", "markup"),
        (
            "\n{{ if len(otp) > 3 }}a{{ end }}",
            "{{ if len(otp) > 3 }}",
            "equality",
        ),
        ("\n{{ end }}", "{{ end }}", "no {{ if"),
        ("\n{{ if otp }}", "{{ if … }}", "no {{ end }}"),
        ("\n{{ otp ", "{{ otp", "not closed"),
        ("\n{{ . }}", "{{ . }}", "dot alone"),
        (
            "\n{{ \"a\" | printf: otp }}",
            "{{ \"a\" | printf: otp }}",
            "arguments",
        ),
    ] {
        let made = text(jet);
        let found = &made.uncarried[0];
        assert_eq!(
            (made.uncarried.len(), found.line, &*found.what),
            (1, 2, what),
            "{jet}"
        );
        assert!(found.why.contains(why), "{jet}: {}", found.why);
        assert!(made.source.text.contains("{# not carried"), "{jet}");
    }
}

#[test]
fn what_reads_otherwise_is_told_of() {
    let made = text("a{%b\n{{ if otp == 5 }}x{{ end }}");
    assert_eq!(made.source.text, "a{ %b\n{% if otp == \"5\" %}x{% endif %}");
    let lines: Vec<usize> = made.changed.iter().map(|one| one.line).collect();
    assert_eq!((lines, made.uncarried.len()), (vec![1, 2], 0));
}

#[test]
fn a_variable_that_is_only_asked_for_may_be_left_out() {
    for (jet, ours) in [
        (
            "{{ if .plan }}{{ .plan }}{{ end }}",
            "{% if plan is defined and plan %}{{ plan }}{% endif %}",
        ),
        (
            "{{ if !plan }}a{{ else }}{{ plan }}{{ end }}",
            "{% if not (plan is defined and plan) %}a{% else %}{{ plan }}{% endif %}",
        ),
        (
            "{{ if otp && plan }}{{ if true }}{{ plan }}{{ end }}{{ end }}",
            "{% if otp and (plan is defined and plan) %}{% if true %}{{ plan }}{% endif %}{% endif %}",
        ),
        (
            "{{ if a1 }}{{ a1 }}{{ else if b1 == \"x\" }}{{ b1 }}{{ end }}",
            "{% if a1 is defined and a1 %}{{ a1 }}{% elif b1 is defined and b1 == \"x\" %}{{ b1 }}{% endif %}",
        ),
        (
            "{{ if plan != \"free\" }}a{{ end }}",
            "{% if plan is not defined or plan != \"free\" %}a{% endif %}",
        ),
        (
            "{{ plan ? plan : \"free\" }}",
            "{{ plan if (plan is defined and plan) else \"free\" }}",
        ),
        (
            "{{ if plan && len(plan) == 3 }}a{{ end }}",
            "{% if (plan is defined and plan) and ((plan|length) == 3) %}a{% endif %}",
        ),
    ] {
        let made = text(jet);
        assert_eq!(made.source.text, ours, "{jet}");
        assert_eq!(made.uncarried, vec![], "{jet}");
        let compiled = Compiled::compile(MailKind::SigninLinkOtp, &made.source).unwrap();
        assert_eq!(compiled.required().count(), 0, "{jet}");
    }
}

#[test]
fn a_variable_that_is_shown_without_being_asked_for_is_needed_although_an_if_asks_elsewhere() {
    for jet in [
        "{{ plan }}{{ if plan }}a{{ end }}",
        "{{ if plan }}a{{ else }}{{ plan }}{{ end }}",
        "{{ if otp }}{{ plan }}{{ end }}{{ if plan }}a{{ end }}",
        "{{ if plan || otp }}{{ plan }}{{ end }}",
    ] {
        let made = text(jet).source.text;
        assert!(made.starts_with("{# needs plan -#}"), "{made}");
        assert!(!made.contains("is defined"), "{made}");
    }
}

#[test]
fn one_template_for_mails_with_a_code_and_for_mails_with_a_link_is_carried_for_either() {
    let jet = "{{ if otp }}{{ otp }}{{ end }}{{ if link }}{{ link }}{{ end }}";
    let source = Source {
        subject: "s".to_owned(),
        html: format!("<p>{jet}</p>"),
        text: jet.to_owned(),
    };
    for kind in [MailKind::SigninOtp, MailKind::SigninLink] {
        let made = import(kind, &source);
        let compiled = Compiled::compile(kind, &made.source).unwrap();
        let named: Vec<_> = compiled.required().chain(compiled.optional()).collect();
        assert_eq!(named, [""; 0], "{kind:?}");
    }
}

#[test]
fn what_every_send_had_to_supply_is_declared() {
    let made = text("{{ plan_name }} {{ otp }}");
    assert_eq!(
        made.source.text,
        "{# needs plan_name -#}\n{{ plan_name }} {{ otp }}"
    );
}

/// Pieces of the language in any order, besides plain text.
fn soup() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        prop::sample::select(vec![
            "{{", "}}", "{*", "*}", "{%", "{#", "if ", "else", "else if ", "end", "range ", "otp",
            ".", "(", ")", "!", "&&", "||", "==", "\"", "`", "'", "\\", "|", "upper", "isset(",
            "nil", "?", ":", "-", " ", "\n", "+", "5", "é", "not ", "and ", "#}", "%}",
        ])
        .prop_map(str::to_owned),
        "[ -~\\n]{0,6}",
        "\\PC{0,3}",
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn nothing_panics_and_what_is_carried_whole_is_a_template(jet in soup()) {
        let made = text(&jet);
        if made.uncarried.is_empty() {
            let text = &made.source.text;
            prop_assert!(engine::admit(text).is_ok(), "{:?} became {:?}", jet, text);
            let compiled = engine::environment().add_template_owned("txt", text.clone());
            prop_assert!(compiled.is_ok(), "{:?} became {:?}: {:?}", jet, text, compiled.err());
        }
    }

    #[test]
    fn a_text_without_tags_is_carried_as_it_is(jet in "[^{]{0,200}") {
        let made = text(&jet);
        prop_assert_eq!(made.source.text, jet);
    }
}
