//! Emails → one provider: connecting it, changing it, removing it.

use askama::Template;
use axum::response::Response;
use postern_core::error::Error;
use postern_core::flow::Postern;
use postern_core::model::{MailProvider, TokenSource};

use crate::admin::{AdminCommand, NewProvider, NewTokenSource, Revealed, provider_input};
use crate::dashboard::Dashboard;
use crate::dashboard::document::{Shell, go, html};
use crate::dashboard::mistakes::Mistakes;
use crate::dashboard::route::Visit;
use crate::dashboard::trouble::Trouble;
use crate::mail::{LoginName, Preset, Sender, Shape};

/// A preset: its key, its name, what it is, and the regions that it has.
type Offer = (
    &'static str,
    &'static str,
    Option<Preset>,
    &'static [&'static str],
);

const OFFERS: [Offer; 6] = [
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

#[derive(Template)]
#[template(path = "email_add.html")]
struct Page {
    shell: Shell,
    offers: [Offer; 6],
    preset: String,
    /// The provider that is changed; empty for a new one.
    changed: String,
    login: Login,
    typed: Typed,
    wrong: Mistakes,
}

#[derive(Template)]
#[template(path = "email_remove.html")]
struct Removing {
    shell: Shell,
    name: String,
}

/// What the form asks for the login.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Login {
    /// A name and a password.
    Both,
    /// Only a password or key.
    Password,
}

/// What was typed about a provider; its password is never shown again.
#[derive(Default)]
struct Typed {
    name: String,
    host: String,
    port: String,
    tls: String,
    username: String,
    from: String,
    reply_to: String,
    region: String,
    connections: String,
    per_minute: String,
}

impl Page {
    fn regions(&self) -> &'static [&'static str] {
        offer(&self.preset).map_or(&[], |offer| offer.3)
    }

    fn password_hint(&self) -> &'static str {
        if self.changed.is_empty() {
            "Rests sealed; never shown again."
        } else {
            "Empty: the one it has stays."
        }
    }

    fn asks_for_name(&self) -> bool {
        self.login == Login::Both
    }
}

fn offer(preset: &str) -> Option<&'static Offer> {
    OFFERS.iter().find(|offer| offer.0 == preset)
}

/// The form for a provider, filled in as far as its preset knows, or as it is.
pub(in crate::dashboard) async fn adding(
    dashboard: &Dashboard,
    visit: Visit,
) -> Result<Response, Trouble> {
    let name = visit.query.get("name");
    if !name.is_empty() {
        let snapshot = dashboard.postern.snapshot();
        let held = snapshot.providers.iter().find(|held| held.name == name);
        let typed = as_it_is(held.ok_or(Trouble::NotFound)?);
        let (changed, other) = (name.to_owned(), "other".to_owned());
        return Ok(page(
            dashboard,
            &visit,
            (other, changed),
            typed,
            Mistakes::default(),
        ));
    }
    let preset = visit.query.get("preset").to_owned();
    let typed = suggest(&preset, visit.query.get("region"));
    Ok(page(
        dashboard,
        &visit,
        (preset, String::new()),
        typed,
        Mistakes::default(),
    ))
}

fn as_it_is(held: &MailProvider) -> Typed {
    let number = |number: Option<u32>| number.map(|number| number.to_string()).unwrap_or_default();
    Typed {
        name: held.name.clone(),
        host: held.host.clone(),
        port: held.port.to_string(),
        tls: held.tls.as_str().to_owned(),
        username: held.username.clone().unwrap_or_default(),
        from: held.from.clone(),
        reply_to: held.reply_to.clone().unwrap_or_default(),
        region: String::new(),
        connections: number(held.connections.map(u32::from)),
        per_minute: number(held.per_minute),
    }
}

/// What is known of a preset's servers; nothing of `other`.
fn shape(preset: &str, region: &str) -> Option<Shape> {
    let offer = offer(preset)?;
    let known = offer.3.contains(&region).then_some(region);
    offer.2?.shape(known.or(offer.3.first().copied())).ok()
}

fn suggest(preset: &str, region: &str) -> Typed {
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

fn page(
    dashboard: &Dashboard,
    visit: &Visit,
    (preset, changed): (String, String),
    typed: Typed,
    wrong: Mistakes,
) -> Response {
    let login = match shape(&preset, "").map(|shape| shape.login) {
        Some(LoginName::Always(_) | LoginName::Password) => Login::Password,
        Some(LoginName::Own | LoginName::Sender) | None => Login::Both,
    };
    html(&Page {
        shell: Shell::of(dashboard, visit),
        offers: OFFERS,
        preset,
        changed,
        login,
        typed,
        wrong,
    })
}

/// Connects a provider, or changes one.
pub(in crate::dashboard) async fn add(
    dashboard: &Dashboard,
    visit: Visit,
) -> Result<Response, Trouble> {
    let (preset, typed) = (visit.form.get("preset").to_owned(), typed(&visit));
    let changed = visit.form.get("changed").to_owned();
    let (mut new, mut wrong) = described(&visit, &preset, &typed);
    let snapshot = dashboard.postern.snapshot();
    let held = snapshot.providers.iter().find(|held| held.name == changed);
    new.oauth = held.and_then(|held| held.oauth.as_ref()).map(token_source);
    let known = |name: &str| snapshot.providers.iter().any(|held| held.name == name);
    if changed != typed.name && known(&typed.name) {
        wrong.add(
            "name",
            "There is a provider of this name: change that one, or choose another name.",
        );
    }
    if !changed.is_empty() && changed != typed.name {
        wrong.add(
            "name",
            "A provider keeps its name: mails in the log carry it.",
        );
    }
    let input = provider_input(new)?;
    let change = !changed.is_empty();
    if !change {
        wrong.extend(Postern::judge_provider(&input));
    }
    if !wrong.is_empty() {
        return Ok(page(dashboard, &visit, (preset, changed), typed, wrong));
    }
    let acting = dashboard.postern.acting(visit.me());
    let (done, put) = if change {
        ("saved", acting.change_provider(input).await)
    } else {
        ("connected", acting.put_provider(input).await)
    };
    match put {
        Ok(()) => Ok(go(&format!("/dashboard/emails?done={done}"))),
        Err(Error::Invalid(told)) => {
            let wrong = Mistakes::new(told);
            Ok(page(dashboard, &visit, (preset, changed), typed, wrong))
        }
        Err(error) => Err(error.into()),
    }
}

/// Where a provider's access tokens come from stays as it is: the form does not ask for it.
fn token_source(held: &TokenSource) -> NewTokenSource {
    NewTokenSource {
        url: held.url.clone(),
        client_id: held.client_id.clone(),
        scope: held.scope.clone(),
    }
}

fn typed(visit: &Visit) -> Typed {
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
    }
}

/// The provider that was typed, with what does not even read as a number or an address.
fn described(visit: &Visit, preset: &str, typed: &Typed) -> (NewProvider, Mistakes) {
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
        oauth: None,
        from: typed.from.clone(),
        reply_to: given(&typed.reply_to),
        connections,
        per_minute,
    };
    (new, wrong)
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

/// Asks before a provider is removed.
pub(in crate::dashboard) async fn removing(
    dashboard: &Dashboard,
    visit: Visit,
) -> Result<Response, Trouble> {
    Ok(html(&Removing {
        shell: Shell::of(dashboard, &visit),
        name: visit.query.get("name").to_owned(),
    }))
}

/// Removes a provider.
pub(in crate::dashboard) async fn remove(
    dashboard: &Dashboard,
    visit: Visit,
) -> Result<Response, Trouble> {
    let name = visit.form.get("name").to_owned();
    let command = AdminCommand::ProviderRemove { name };
    dashboard.admin.acting(visit.me()).execute(command).await?;
    Ok(go("/dashboard/emails?done=removed"))
}
