//! Emails: providers in their order, a test mail, the sender and the branding.

use askama::Template;
use axum::response::Response;
use postern_core::error::Error;

use crate::admin::{
    AdminCommand, AdminReply, DkimCommand, DkimRow, NewDkim, NewProvider, ProviderRow, Revealed,
};
use crate::dashboard::Dashboard;
use crate::dashboard::document::{Shell, go, html};
use crate::dashboard::route::Visit;
use crate::dashboard::trouble::Trouble;
use crate::mail::{LoginName, Preset, Sender};

const PRESETS: [(&str, &str, Option<Preset>); 6] = [
    ("sendgrid", "SendGrid", Some(Preset::Sendgrid)),
    ("ses", "Amazon SES", Some(Preset::Ses)),
    ("postmark", "Postmark", Some(Preset::Postmark)),
    ("mailgun", "Mailgun", Some(Preset::Mailgun)),
    ("resend", "Resend", Some(Preset::Resend)),
    ("other", "Another SMTP server", None),
];

const BRANDING: [&str; 3] = ["app_name", "app_logo_url", "app_support_email"];

#[derive(Template)]
#[template(path = "emails.html")]
struct Page {
    shell: Shell,
    providers: Vec<ProviderRow>,
    dkim: Vec<DkimRow>,
    dkim_domain: String,
    dkim_wrong: String,
    inbox: bool,
    to: String,
    tested: String,
    failed: String,
    app_name: String,
    app_logo_url: String,
    app_support_email: String,
    wrong: String,
}

#[derive(Template)]
#[template(path = "email_add.html")]
struct Adding {
    shell: Shell,
    presets: Vec<(&'static str, &'static str)>,
    preset: String,
    typed: Typed,
    wrong: String,
}

#[derive(Template)]
#[template(path = "email_remove.html")]
struct Removing {
    shell: Shell,
    name: String,
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
}

/// What a test mail or another form came to.
#[derive(Default)]
struct Tested {
    told: String,
    failed: String,
    wrong: String,
    dkim_wrong: String,
}

/// Providers, DKIM records and branding.
pub(in crate::dashboard) async fn show(
    dashboard: &Dashboard,
    visit: Visit,
) -> Result<Response, Trouble> {
    page(dashboard, &visit, Tested::default()).await
}

async fn page(dashboard: &Dashboard, visit: &Visit, tested: Tested) -> Result<Response, Trouble> {
    let AdminReply::Providers(providers) =
        dashboard.admin.execute(AdminCommand::ProviderList).await?
    else {
        return Err(Trouble::NotFound);
    };
    let AdminReply::DkimKeys(dkim) = dashboard
        .admin
        .execute(AdminCommand::Dkim(DkimCommand::List))
        .await?
    else {
        return Err(Trouble::NotFound);
    };
    let settings = dashboard.postern.snapshot().settings.clone();
    let domain = visit.form.get("domain");
    let branded = |name: &str, held: &str| {
        let typed = visit.form.pairs().iter().find(|(key, _)| key == name);
        typed.map_or_else(|| held.to_owned(), |(_, text)| text.clone())
    };
    let to = visit.form.get("to");
    Ok(html(&Page {
        shell: Shell::of(dashboard, visit),
        dkim_domain: if domain.is_empty() {
            unsigned_domain(&providers, &dkim)
        } else {
            domain.to_owned()
        },
        dkim,
        dkim_wrong: tested.dkim_wrong,
        providers,
        inbox: dashboard.inbox.is_some(),
        to: if to.is_empty() {
            visit.me().to_owned()
        } else {
            to.to_owned()
        },
        tested: tested.told,
        failed: tested.failed,
        wrong: tested.wrong,
        app_name: branded("app_name", &settings.app_name),
        app_logo_url: branded("app_logo_url", &settings.app_logo_url),
        app_support_email: branded("app_support_email", &settings.app_support_email),
    }))
}

/// The first sender domain that has no DKIM key yet.
fn unsigned_domain(providers: &[ProviderRow], dkim: &[DkimRow]) -> String {
    let senders = providers
        .iter()
        .filter_map(|one| one.from.parse::<Sender>().ok());
    let mut domains = senders.map(|sender| sender.domain().to_ascii_lowercase());
    let unsigned = domains.find(|domain| dkim.iter().all(|row| row.domain != *domain));
    unsigned.unwrap_or_default()
}

/// Makes the DKIM keys of a domain; the page then shows their records.
pub(in crate::dashboard) async fn sign(
    dashboard: &Dashboard,
    visit: Visit,
) -> Result<Response, Trouble> {
    let command = DkimCommand::Create(NewDkim {
        domain: visit.form.get("domain").to_owned(),
        selector: None,
        algorithm: None,
    });
    let command = AdminCommand::Dkim(command);
    match dashboard.admin.acting(visit.me()).execute(command).await {
        Ok(_) => Ok(go("/dashboard/emails?done=signed")),
        Err(refusal) => {
            let tested = Tested {
                dkim_wrong: refusal.0,
                ..Tested::default()
            };
            page(dashboard, &visit, tested).await
        }
    }
}

/// The form for a provider, filled in as far as its preset knows.
pub(in crate::dashboard) async fn adding(
    dashboard: &Dashboard,
    visit: Visit,
) -> Result<Response, Trouble> {
    let preset = visit.query.get("preset").to_owned();
    let typed = preset_of(&preset).map(suggest).unwrap_or_default();
    Ok(add_page(dashboard, &visit, preset, typed, String::new()))
}

fn preset_of(name: &str) -> Option<Preset> {
    PRESETS
        .iter()
        .find(|(key, ..)| *key == name)
        .and_then(|(.., preset)| *preset)
}

fn suggest(preset: Preset) -> Typed {
    let region = if preset == Preset::Ses {
        Some("eu-central-1")
    } else {
        None
    };
    let Ok(shape) = preset.shape(region) else {
        return Typed::default();
    };
    Typed {
        name: preset.as_str().to_owned(),
        host: shape.host,
        port: shape.port.to_string(),
        tls: shape.tls.as_str().to_owned(),
        username: match shape.login {
            LoginName::Always(name) => name.to_owned(),
            LoginName::Own | LoginName::Password | LoginName::Sender => String::new(),
        },
        region: region.unwrap_or_default().to_owned(),
        ..Typed::default()
    }
}

fn add_page(
    dashboard: &Dashboard,
    visit: &Visit,
    preset: String,
    typed: Typed,
    wrong: String,
) -> Response {
    html(&Adding {
        shell: Shell::of(dashboard, visit),
        presets: PRESETS.iter().map(|(key, name, _)| (*key, *name)).collect(),
        preset,
        typed,
        wrong,
    })
}

/// Adds a provider.
pub(in crate::dashboard) async fn add(
    dashboard: &Dashboard,
    visit: Visit,
) -> Result<Response, Trouble> {
    let (preset, typed) = (visit.form.get("preset").to_owned(), typed(&visit));
    let new = match described(&visit, &preset, &typed) {
        Ok(new) => new,
        Err(wrong) => return Ok(add_page(dashboard, &visit, preset, typed, wrong)),
    };
    let command = AdminCommand::ProviderAdd(Box::new(new));
    match dashboard.admin.acting(visit.me()).execute(command).await {
        Ok(_) => Ok(go("/dashboard/emails?done=added")),
        Err(refusal) => Ok(add_page(dashboard, &visit, preset, typed, refusal.0)),
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
    }
}

fn described(visit: &Visit, preset: &str, typed: &Typed) -> Result<NewProvider, String> {
    let port = typed
        .port
        .parse()
        .map_err(|_| "The port is a number from 1 to 65535.".to_owned())?;
    let sender: Sender = typed
        .from
        .parse()
        .map_err(|problem| format!("Sender: {problem}"))?;
    let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let password = given(visit.form.get("password"));
    let shape =
        preset_of(preset).and_then(|preset| preset.shape(given(&typed.region).as_deref()).ok());
    let username = given(&typed.username).or_else(|| match shape.as_ref()?.login {
        LoginName::Sender => Some(sender.address().to_string()),
        LoginName::Password => password.clone(),
        LoginName::Always(name) => Some(name.to_owned()),
        LoginName::Own => None,
    });
    Ok(NewProvider {
        name: typed.name.clone(),
        host: typed.host.clone(),
        port,
        tls: typed.tls.clone(),
        username,
        password: password.map(Revealed::new),
        oauth: None,
        from: typed.from.clone(),
        reply_to: given(&typed.reply_to),
        connections: shape.as_ref().and_then(|shape| shape.connections),
        per_minute: shape.as_ref().and_then(|shape| shape.per_minute),
    })
}

/// Moves a provider up.
pub(in crate::dashboard) async fn order(
    dashboard: &Dashboard,
    visit: Visit,
) -> Result<Response, Trouble> {
    let held = dashboard.postern.snapshot();
    let mut names: Vec<_> = held
        .providers
        .iter()
        .map(|provider| provider.name.clone())
        .collect();
    let moved = visit.form.get("name");
    if let Some(place) = names.iter().position(|name| name == moved) {
        let to = if visit.form.get("to") == "down" {
            (place + 1).min(names.len() - 1)
        } else {
            place.saturating_sub(1)
        };
        names.swap(place, to);
    }
    let command = AdminCommand::ProviderOrder { names };
    dashboard.admin.acting(visit.me()).execute(command).await?;
    Ok(go("/dashboard/emails?done=ordered"))
}

/// Sends one mail through a provider and shows what it said.
pub(in crate::dashboard) async fn test(
    dashboard: &Dashboard,
    visit: Visit,
) -> Result<Response, Trouble> {
    let command = AdminCommand::MailTest {
        provider: Some(visit.form.get("name").to_owned()),
        to: visit.form.get("to").to_owned(),
    };
    let tested = match dashboard.admin.acting(visit.me()).execute(command).await {
        Ok(AdminReply::MailSent { reply }) => Tested {
            told: reply,
            ..Tested::default()
        },
        Ok(_) => Tested::default(),
        Err(refusal) => Tested {
            failed: refusal.0,
            ..Tested::default()
        },
    };
    page(dashboard, &visit, tested).await
}

/// Saves name, logo and help address.
pub(in crate::dashboard) async fn brand(
    dashboard: &Dashboard,
    visit: Visit,
) -> Result<Response, Trouble> {
    let changes = BRANDING.map(|name| (name.to_owned(), visit.form.get(name).to_owned()));
    match dashboard
        .postern
        .acting(visit.me())
        .change_settings(changes.into())
        .await
    {
        Ok(_) => Ok(go("/dashboard/emails?done=saved")),
        Err(Error::Invalid(wrong)) => {
            let wrong: Vec<_> = wrong
                .into_iter()
                .map(|violation| violation.description)
                .collect();
            let tested = Tested {
                wrong: wrong.join(" "),
                ..Tested::default()
            };
            page(dashboard, &visit, tested).await
        }
        Err(error) => Err(error.into()),
    }
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
