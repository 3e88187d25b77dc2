//! A mail provider as the form has it: presets, what is known of them, and what was typed.

use postern_core::model::{MailProvider, TokenSource};

use crate::admin::{NewProvider, NewTokenSource, Revealed};
use crate::dashboard::mistakes::Mistakes;
use crate::dashboard::route::Visit;
use crate::mail::{LoginName, Preset, Sender, Shape, microsoft_token_url};

/// A preset: its key, its name, what it is, and the regions that it has.
pub(super) type Offer = (
    &'static str,
    &'static str,
    Option<Preset>,
    &'static [&'static str],
);

pub(super) const OFFERS: [Offer; 7] = [
    (
        "sendgrid",
        "SendGrid",
        Some(Preset::Sendgrid),
        &["us", "eu"],
    ),
    ("ses", "Amazon SES", Some(Preset::Ses), &SES),
    ("postmark", "Postmark", Some(Preset::Postmark), &[]),
    ("mailgun", "Mailgun", Some(Preset::Mailgun), &["us", "eu"]),
    ("resend", "Resend", Some(Preset::Resend), &[]),
    (
        "microsoft365",
        "Microsoft 365",
        Some(Preset::Microsoft365),
        &[],
    ),
    ("other", "Other SMTP", None, &[]),
];

const SES: [&str; 12] = [
    "us-east-1",
    "us-east-2",
    "us-west-2",
    "ca-central-1",
    "eu-central-1",
    "eu-west-1",
    "eu-west-2",
    "eu-north-1",
    "ap-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-northeast-1",
];

/// What was typed about a provider; its password is never shown again.
#[derive(Default)]
pub(super) struct Typed {
    pub(super) name: String,
    pub(super) host: String,
    pub(super) port: String,
    pub(super) tls: String,
    pub(super) username: String,
    pub(super) from: String,
    pub(super) reply_to: String,
    pub(super) region: String,
    pub(super) connections: String,
    pub(super) per_minute: String,
    pub(super) tenant: String,
    pub(super) client_id: String,
}

pub(super) fn offer(preset: &str) -> Option<&'static Offer> {
    OFFERS.iter().find(|offer| offer.0 == preset)
}

pub(super) fn as_it_is(held: &MailProvider) -> Typed {
    let number = |number: Option<u32>| number.map(|number| number.to_string()).unwrap_or_default();
    Typed {
        name: held.name.clone(),
        host: held.host.clone(),
        port: held.port.to_string(),
        tls: held.tls.as_str().to_owned(),
        username: held.username.clone().unwrap_or_default(),
        from: held.from.clone(),
        reply_to: held.reply_to.clone().unwrap_or_default(),
        connections: number(held.connections.map(u32::from)),
        per_minute: number(held.per_minute),
        ..Typed::default()
    }
}

/// What is known of a preset's servers; nothing of `other`.
pub(super) fn shape(preset: &str, region: &str) -> Option<Shape> {
    let offer = offer(preset)?;
    let known = offer.3.contains(&region).then_some(region);
    offer.2?.shape(known.or(offer.3.first().copied())).ok()
}

pub(super) fn suggest(preset: &str, region: &str) -> Typed {
    let Some(shape) = shape(preset, region) else {
        return Typed {
            tls: "starttls".to_owned(),
            port: "587".to_owned(),
            ..Typed::default()
        };
    };
    let number = |number: Option<u32>| number.map(|number| number.to_string()).unwrap_or_default();
    Typed {
        name: preset.to_owned(),
        host: shape.host,
        port: shape.port.to_string(),
        tls: shape.tls.as_str().to_owned(),
        username: match shape.login {
            LoginName::Always(name) => name.to_owned(),
            LoginName::Own | LoginName::Password | LoginName::Sender => String::new(),
        },
        region: region.to_owned(),
        connections: number(shape.connections.map(u32::from)),
        per_minute: number(shape.per_minute),
        ..Typed::default()
    }
}

/// Where a provider's access tokens come from stays as it is: the form does not ask for it.
pub(super) fn token_source(held: &TokenSource) -> NewTokenSource {
    NewTokenSource {
        url: held.url.clone(),
        client_id: held.client_id.clone(),
        scope: held.scope.clone(),
    }
}

pub(super) fn typed(visit: &Visit) -> Typed {
    let text = |name: &str| visit.form.get(name).to_owned();
    Typed {
        name: text("name"),
        host: text("host"),
        port: text("port"),
        tls: text("tls"),
        username: text("username"),
        from: text("from"),
        reply_to: text("reply_to"),
        region: text("region"),
        connections: text("connections"),
        per_minute: text("per_minute"),
        tenant: text("tenant"),
        client_id: text("client_id"),
    }
}

/// The provider that was typed, with what does not even read as a number or an address.
pub(super) fn described(visit: &Visit, preset: &str, typed: &Typed) -> (NewProvider, Mistakes) {
    let mut wrong = Mistakes::default();
    let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let port = typed.port.parse().unwrap_or_else(|_| {
        wrong.add("port", "The port is a number from 1 to 65535.");
        1
    });
    let connections = number(&typed.connections, "connections", &mut wrong);
    let per_minute = number(&typed.per_minute, "per_minute", &mut wrong);
    let login = shape(preset, &typed.region).map(|shape| shape.login);
    let username = given(&typed.username).or_else(|| match login? {
        LoginName::Sender => {
            let sender: Sender = typed.from.parse().ok()?;
            Some(sender.address().to_string())
        }
        LoginName::Always(name) => Some(name.to_owned()),
        // Without a name the password serves as the name too.
        LoginName::Own | LoginName::Password => None,
    });
    let password = given(visit.form.get("password"));
    if login.is_some() && password.is_none() {
        wrong.add("password", "This provider takes no mail without it.");
    }
    if login == Some(LoginName::Own) && username.is_none() {
        wrong.add("username", "This provider takes no mail without it.");
    }
    let new = NewProvider {
        name: typed.name.clone(),
        host: typed.host.clone(),
        port,
        tls: typed.tls.clone(),
        username,
        password: password.map(Revealed::new),
        oauth: tokens_of(preset, typed, &mut wrong),
        from: typed.from.clone(),
        reply_to: given(&typed.reply_to),
        connections,
        per_minute,
    };
    (new, wrong)
}

/// Where the access tokens of a preset that takes no password come from.
fn tokens_of(preset: &str, typed: &Typed, wrong: &mut Mistakes) -> Option<NewTokenSource> {
    let scope = shape(preset, "")?.scope?;
    if typed.client_id.is_empty() {
        wrong.add("client_id", "The id of the app that you registered there.");
    }
    let Ok(url) = microsoft_token_url(&typed.tenant) else {
        wrong.add(
            "tenant",
            "The id or the domain of your Microsoft 365 tenant.",
        );
        return None;
    };
    Some(NewTokenSource {
        url,
        client_id: typed.client_id.clone(),
        scope: Some(scope.to_owned()),
    })
}

fn number<T: std::str::FromStr>(
    text: &str,
    field: &'static str,
    wrong: &mut Mistakes,
) -> Option<T> {
    if text.is_empty() {
        return None;
    }
    let number = text.parse().ok();
    if number.is_none() {
        wrong.add(field, "A whole number, or empty.");
    }
    number
}
