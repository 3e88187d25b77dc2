//! Emails → one provider: connecting it, changing it, removing it.

use askama::Template;
use axum::response::Response;
use postern_core::error::Error;
use postern_core::flow::Postern;
use postern_core::model::MailProvider;

use super::provider_form::{
    OFFERS, Offer, Typed, as_it_is, described, offer, shape, suggest, token_source, typed,
};
use crate::admin::{AdminCommand, provider_input};
use crate::dashboard::Dashboard;
use crate::dashboard::document::{Shell, go, html};
use crate::dashboard::mistakes::Mistakes;
use crate::dashboard::route::Visit;
use crate::dashboard::trouble::Trouble;
use crate::mail::{LoginName, Preset};

#[derive(Template)]
#[template(path = "email_add.html")]
struct Page {
    shell: Shell,
    offers: [Offer; 7],
    preset: String,
    /// The provider that is changed; empty for a new one.
    changed: String,
    /// What it was when the page was made.
    seen: String,
    login: Login,
    typed: Typed,
    /// Whether a password was typed, which the form does not hold any more.
    typed_password: bool,
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

impl Page {
    fn regions(&self) -> &'static [&'static str] {
        offer(&self.preset).map_or(&[], |offer| offer.3)
    }

    /// Whether the login is by access tokens.
    fn asks_for_tenant(&self) -> bool {
        self.preset == Preset::Microsoft365.as_str()
    }

    fn password_label(&self) -> &'static str {
        if self.asks_for_tenant() {
            "Client secret"
        } else {
            "Password or API key"
        }
    }

    fn name_hint(&self) -> &'static str {
        if self.asks_for_tenant() {
            "The mailbox that sends; empty: the sender's address."
        } else {
            ""
        }
    }

    fn password_hint(&self) -> &'static str {
        if self.typed_password {
            "Type it again: it is not sent back."
        } else if self.changed.is_empty() {
            "Rests sealed; never shown again."
        } else {
            "Empty: the one it has stays."
        }
    }

    fn asks_for_name(&self) -> bool {
        self.login == Login::Both
    }
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
    let snapshot = dashboard.postern.snapshot();
    let held = snapshot.providers.iter().find(|held| held.name == changed);
    html(&Page {
        seen: held.map(MailProvider::mark).unwrap_or_default(),
        shell: Shell::of(dashboard, visit),
        offers: OFFERS,
        preset,
        changed,
        login,
        typed,
        typed_password: !visit.form.get("password").is_empty(),
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
    if let Some(held) = held {
        new.oauth = held.oauth.as_ref().map(token_source);
    }
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
        let seen = Some(visit.form.get("seen").to_owned());
        ("saved", acting.change_seen_provider(input, seen).await)
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
