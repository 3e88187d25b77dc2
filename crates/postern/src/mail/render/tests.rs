mod languages;

use std::sync::LazyLock;
use std::time::Duration;

use mail_parser::{MessageParser, MimeHeaders as _};
use postern_core::keyring::RootSecret;
use postern_core::model::{
    AuthRequest, AuthRequestId, ClientId, Delivery, DeliveryId, DeliveryState, Email, Languages,
    State, Template, Variables, WrongCodes,
};

use super::*;

static TEMPLATES: LazyLock<Templates> = LazyLock::new(Templates::built_in);

const SENT_AT: Timestamp = Timestamp::from_unix_seconds(1_795_379_460);

fn outgoing(kind: Kind, to: &str) -> Outgoing {
    let request = request(kind, to);
    Outgoing {
        delivery: Delivery {
            id: DeliveryId {
                request: request.id,
                ordinal: 0,
            },
            generation: 0,
            state: DeliveryState::Queued,
            attempts: 0,
            queued_at: SENT_AT,
            due_at: SENT_AT,
            last_try: None,
        },
        request,
        input: None,
    }
}

fn request(kind: Kind, to: &str) -> AuthRequest {
    let signup = matches!(
        kind,
        Kind::SignupOtp | Kind::SignupLink | Kind::SignupLinkOtp
    );
    AuthRequest {
        id: AuthRequestId::new(SENT_AT, [7; 10]),
        kid: 1,
        client: ClientId::parse("skc_1").unwrap(),
        address: Email::parse(to).unwrap(),
        method: kind.method(),
        template: Some(if signup {
            Template::Signup
        } else {
            Template::Signin
        }),
        shape: Settings::default().code_shape(),
        hardened: false,
        test: false,
        lifetime: Duration::from_mins(5),
        generation: 0,
        generation_at: SENT_AT,
        sent_at: SENT_AT,
        expires_at: SENT_AT.plus(Duration::from_mins(5)),
        resends: 0,
        state: State::Open,
        wrong: WrongCodes::default(),
        caller_state: None,
    }
}

fn keyring() -> Keyring {
    Keyring::new(&[(1, RootSecret::new([9; 32]))], 1).unwrap()
}

fn input(pairs: &[(&str, &str)]) -> MailInput {
    let pairs = pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    MailInput {
        uri: Some(LinkUri::parse("https://app.example/in?x=1#top", &Settings::default()).unwrap()),
        variables: Variables::parse(pairs).unwrap(),
        languages: Languages::default(),
    }
}

fn render_as(from: &str, outgoing: &Outgoing, input: &MailInput) -> Mail {
    let renderer = Renderer {
        templates: &TEMPLATES,
        keyring: &keyring(),
        settings: &Settings {
            app_name: "Acme".to_owned(),
            ..Settings::default()
        },
        from: &from.parse().unwrap(),
        public_url: "https://auth.example.com",
    };
    renderer
        .render(outgoing, input, SENT_AT.plus(Duration::from_millis(40)))
        .unwrap()
}

fn render(kind: Kind, pairs: &[(&str, &str)]) -> Mail {
    render_as(
        "Acme <login@mail.acme.example>",
        &outgoing(kind, "ada@example.com"),
        &input(pairs),
    )
}

fn wire(mail: &Mail) -> String {
    String::from_utf8(mail.encode().unwrap().1).unwrap()
}

/// What an independent parser reads from the raw message.
struct Read {
    subject: String,
    text: String,
    html: String,
}

fn read(mail: &Mail) -> Read {
    let raw = wire(mail);
    let parsed = MessageParser::default().parse(&raw).unwrap();
    let content = parsed.content_type().unwrap();
    assert_eq!(
        (content.ctype(), content.subtype()),
        ("multipart", Some("alternative"))
    );
    Read {
        subject: parsed.subject().unwrap().to_owned(),
        text: parsed.body_text(0).unwrap().into_owned(),
        html: parsed.body_html(0).unwrap().into_owned(),
    }
}

#[test]
fn a_code_stands_in_subject_text_and_html_and_ends_the_text_for_autofill() {
    for kind in Kind::ALL
        .into_iter()
        .filter(|kind| kind.method().has_code())
    {
        let mail = render(kind, &[]);
        let code = mail.credentials.passcode.as_ref().unwrap().expose();
        let read = read(&mail);
        assert_eq!(read.subject, mail.parts.subject);
        for place in [&read.subject, &read.text, &read.html] {
            assert!(place.contains(code), "{kind:?}");
        }
        assert!(
            read.text
                .trim_end()
                .ends_with(&format!("\n@app.example #{code}")),
            "{kind:?}"
        );
    }
}

#[test]
fn a_link_is_a_button_and_a_visible_address_that_keeps_query_and_fragment() {
    for kind in Kind::ALL
        .into_iter()
        .filter(|kind| kind.method().has_link())
    {
        let mail = render(kind, &[]);
        let token = mail.credentials.link_token.as_ref().unwrap().expose();
        let link = format!("https://app.example/in?x=1&link_token={token}#top");
        assert_eq!(mail.credentials.link.as_ref().unwrap().expose(), link);
        let read = read(&mail);
        assert!(read.text.contains(&link), "{kind:?}");
        let times = read.html.matches(&link.replace('&', "&amp;")).count();
        assert_eq!(times, 3, "button, address and its text: {kind:?}");
    }
}

#[test]
fn the_auth_request_id_is_never_mailed_and_no_mail_is_clipped() {
    for kind in Kind::ALL {
        let mail = render(kind, &[]);
        assert!(!wire(&mail).contains(mail.credentials.handle.expose()));
        assert!(mail.parts.html.len() < 60_000);
    }
}

#[test]
fn a_mail_carries_only_what_its_type_promises() {
    let otp = render(Kind::SigninOtp, &[]);
    assert!(!wire(&otp).contains("link_token"));
    let link = render(Kind::SigninLink, &[]);
    let keyring = keyring();
    let code = keyring
        .passcode(&Binding::new(
            &outgoing(Kind::SigninLink, "ada@example.com").request,
            0,
        ))
        .unwrap();
    assert!(!wire(&link).contains(code.expose()));
}

#[test]
fn the_headers_mark_an_automatic_mail_and_name_it_after_its_delivery() {
    let mail = render(Kind::SigninOtp, &[]);
    let raw = wire(&mail);
    let parsed = MessageParser::default().parse(&raw).unwrap();
    assert_eq!(
        parsed.header_raw("Auto-Submitted").unwrap().trim(),
        "auto-generated"
    );
    assert_eq!(
        parsed
            .header_raw("X-Auto-Response-Suppress")
            .unwrap()
            .trim(),
        "All"
    );
    assert_eq!(
        parsed.message_id().unwrap(),
        format!("{}@mail.acme.example", mail.delivery)
    );
    assert_eq!(
        parsed.date().unwrap().to_timestamp(),
        SENT_AT.unix_seconds()
    );
    for (name, value) in mail.headers() {
        assert!(
            raw.contains(&format!("{name}: {value}")),
            "{name}: {value}\n{raw}"
        );
    }
}

#[test]
fn a_repeat_is_the_same_message_and_another_delivery_is_not() {
    let first = render(Kind::SigninLinkOtp, &[]);
    assert_eq!(wire(&first), wire(&render(Kind::SigninLinkOtp, &[])));
    let mut second = outgoing(Kind::SigninLinkOtp, "ada@example.com");
    second.delivery.id.ordinal = 1;
    let second = render_as("Acme <login@mail.acme.example>", &second, &input(&[]));
    assert_ne!(first.message_id(), second.message_id());
}

#[test]
fn branding_given_with_the_call_wins_over_the_settings() {
    let mail = render(
        Kind::SigninOtp,
        &[
            ("app_name", "Beta"),
            ("app_logo_url", "https://cdn.example/l.png"),
        ],
    );
    assert!(mail.parts.subject.contains("Beta"));
    assert!(
        mail.parts
            .html
            .contains("src=\"https://cdn.example/l.png\"")
    );
    assert!(!mail.parts.text.contains("Acme"));
    assert!(
        render(Kind::SigninOtp, &[("app_name", "")])
            .parts
            .subject
            .contains("Acme")
    );
}

#[test]
fn a_callers_variable_cannot_forge_what_postern_says() {
    let mail = render(
        Kind::SigninOtp,
        &[("user_email", "eve@example.com"), ("requested_at", "never")],
    );
    assert!(mail.parts.text.contains("for ada@example.com"));
    assert!(!mail.parts.text.contains("never"));
}

#[test]
fn a_callers_variable_cannot_break_out_of_its_context() {
    let evil = "</title><script>alert(1)</script>\"'><img src=x>";
    let mail = render(
        Kind::SigninLinkOtp,
        &[
            ("app_name", evil),
            ("user_name", evil),
            ("organization_name", evil),
        ],
    );
    assert!(!mail.parts.html.contains("<script"));
    assert!(!mail.parts.html.contains("<img"));
}

#[test]
fn names_and_addresses_of_every_script_survive_the_wire() {
    let kind = Kind::SigninOtp;
    for to in [
        "дарья@почта.example",
        "ada@bücher.example",
        "用户@例子.example",
    ] {
        let mail = render_as(
            "Пример ООО <login@пример.example>",
            &outgoing(kind, to),
            &input(&[("app_name", "Ακμή 🗝")]),
        );
        let (envelope, raw) = mail.encode().unwrap();
        let parsed = MessageParser::default().parse(&raw).unwrap();
        assert_eq!(parsed.subject().unwrap(), mail.parts.subject);
        assert_eq!(
            parsed.from().unwrap().first().unwrap().name().unwrap(),
            "Пример ООО"
        );
        assert!(parsed.body_text(0).unwrap().contains("Ακμή 🗝"));
        let to_ascii = envelope.to()[0].to_string().is_ascii();
        assert_eq!(
            to_ascii,
            to.starts_with("ada"),
            "an ASCII local part needs no SMTPUTF8"
        );
    }
}

#[test]
fn no_line_of_a_mail_is_longer_than_smtp_allows() {
    let long = "x".repeat(256);
    let mail = render(
        Kind::SigninLinkOtp,
        &[("app_name", &long), ("user_name", &"é".repeat(256))],
    );
    assert!(wire(&mail).split("\r\n").all(|line| line.len() <= 998));
    assert!(!wire(&mail).replace("\r\n", "").contains(['\r', '\n']));
}

#[test]
fn a_link_mail_without_a_link_uri_is_not_made() {
    let renderer = Renderer {
        templates: &TEMPLATES,
        keyring: &keyring(),
        settings: &Settings::default(),
        from: &"login@acme.example".parse().unwrap(),
        public_url: "https://auth.example.com",
    };
    let made = renderer.render(
        &outgoing(Kind::SigninLink, "ada@example.com"),
        &MailInput::default(),
        SENT_AT,
    );
    assert_eq!(made.unwrap_err(), RenderError::NoLink);
}

#[test]
fn a_link_leads_to_our_own_page_where_that_is_set() {
    let settings = Settings {
        confirm_page: true,
        ..Settings::default()
    };
    let renderer = Renderer {
        templates: &TEMPLATES,
        keyring: &keyring(),
        settings: &settings,
        from: &"login@acme.example".parse().unwrap(),
        public_url: "https://auth.example.com",
    };
    let outgoing = outgoing(Kind::SigninLink, "ada@example.com");
    let mail = renderer.render(&outgoing, &input(&[]), SENT_AT).unwrap();
    let page = mail.credentials.page_token.as_ref().unwrap();
    let address = format!("https://auth.example.com/confirm/{}", page.expose());
    assert!(mail.parts.text.contains(&address) && mail.parts.html.contains(&address));
    assert!(!wire(&mail).contains("link_token"));
    assert!(mail.secrets().contains(&page.expose()));
}
