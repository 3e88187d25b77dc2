//! What every page has around it: the frame of the dashboard.

use askama::Template;
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use http::header::{CONTENT_TYPE, LOCATION};
use http::request::Parts;
use postern_core::model::Role;

use super::cookie::Cookie;
use super::fields::Fields;
use super::route::Visit;
use super::{Dashboard, assets};

/// The frame of a page.
pub(super) struct Shell {
    /// Who looks at it; empty before signing in.
    pub(super) me: String,
    /// Their role.
    pub(super) role: &'static str,
    /// Whether they may change things.
    pub(super) owner: bool,
    /// Whether they may touch secrets, keys and admins without proving who they are again.
    pub(super) fresh: bool,
    /// What their forms carry.
    pub(super) csrf: String,
    /// `light`, `dark`, or nothing when the browser decides.
    pub(super) theme: &'static str,
    /// The page's path, to mark its place in the menu.
    pub(super) here: String,
    /// Whether there is an inbox.
    pub(super) dev: bool,
    /// Tells one release's assets from another's.
    pub(super) version: &'static str,
    /// What was just done.
    pub(super) done: &'static str,
    /// The page of ours that led here; empty when none did.
    pub(super) back: String,
}

impl Shell {
    /// The frame of the page that `visit` sees.
    pub(super) fn of(dashboard: &Dashboard, visit: &Visit) -> Self {
        let who = visit.who.as_ref();
        Self {
            me: visit.me().to_owned(),
            role: who.map_or("", |who| who.account.role.as_str()),
            owner: who.is_some_and(|who| who.account.role == Role::Owner),
            fresh: who.is_some_and(|who| who.fresh),
            csrf: visit.csrf.clone(),
            theme: theme(dashboard, &visit.cookies),
            here: path_of(&visit.here).to_owned(),
            dev: dashboard.inbox.is_some(),
            version: assets::version(),
            done: done(visit.query.get("done")),
            back: visit.back.clone(),
        }
    }

    /// The frame of a page that lets somebody in, whoever is in already.
    pub(super) fn gate(dashboard: &Dashboard, visit: &Visit) -> Self {
        Self {
            me: String::new(),
            ..Self::of(dashboard, visit)
        }
    }

    /// The frame of a page for nobody in particular.
    pub(super) fn bare(dashboard: &Dashboard, head: &Parts) -> Self {
        Self {
            me: String::new(),
            role: "",
            owner: false,
            fresh: false,
            csrf: String::new(),
            theme: theme(dashboard, &Fields::cookies(&head.headers)),
            here: head.uri.path().to_owned(),
            dev: dashboard.inbox.is_some(),
            version: assets::version(),
            done: "",
            back: String::new(),
        }
    }

    /// Whether what was just done is a proof, asked for on the way to something else.
    pub(super) fn is_proved(&self) -> bool {
        self.done == done("proved")
    }

    /// Whether it is this very page.
    pub(super) fn is(&self, path: &str) -> bool {
        self.here == path
    }

    /// Whether the page belongs to this place of the menu.
    pub(super) fn is_at(&self, path: &str) -> bool {
        if path == "/dashboard/emails" && self.here.starts_with("/dashboard/suppression") {
            return true;
        }
        self.here == path || (path != "/dashboard" && self.here.starts_with(&format!("{path}/")))
    }
}

fn path_of(here: &str) -> &str {
    here.split('?').next().unwrap_or_default()
}

fn theme(dashboard: &Dashboard, cookies: &Fields) -> &'static str {
    match cookies.get(Cookie::Theme.name(dashboard)) {
        "light" => "light",
        "dark" => "dark",
        _ => "",
    }
}

/// Only what is written here is ever shown: the query names it, and does not write it.
fn done(name: &str) -> &'static str {
    match name {
        "saved" => "Saved. In force everywhere within 2 seconds.",
        "unchanged" => "Nothing was different, so nothing was changed.",
        "revoked" => "Revoked. Its tokens stop working within 2 seconds.",
        "removed" => "Removed.",
        "invited" => {
            "They can sign in from now on. A link to begin with is on its way to them, good for an hour."
        }
        "role" => "The role is changed.",
        "ended" => "The session is ended.",
        "rotated" => "Rotated. The standby key signs from now on, and a new standby is published.",
        "resealed" => "Stored secrets are sealed under the current root.",
        "dropped" => "Dropped. Within two seconds no node accepts a token that it signed.",
        "retired" => "The root key is retired.",
        "added" => "Added.",
        "signed" => "The keys are made and in force. Publish their DNS records.",
        "connected" => "Connected. Send a test to see that it takes our mail.",
        "ordered" => "The order is changed.",
        "proved" => "Thank you. You can go on for 15 minutes.",
        "template-used" => "In force, on every node within 2 seconds.",
        "template-kept" | "template-draft" => "Kept as a draft. What was in force stays.",
        "template-waits" => {
            "What you typed was kept as a draft. Save it once more to put it in force."
        }
        "template-reverted" => "Reverted. Reverting once more undoes that.",
        "forgotten" => "Forgotten: requests, mails and events of this address are gone.",
        _ => "",
    }
}

/// A rendered page.
pub(super) fn html(page: &impl Template) -> Response {
    match page.render() {
        Ok(text) => ([(CONTENT_TYPE, "text/html; charset=utf-8")], text).into_response(),
        Err(error) => {
            tracing::error!(%error, "a page does not render");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// To another page, which is asked for by GET.
pub(super) fn go(to: &str) -> Response {
    (StatusCode::SEE_OTHER, [(LOCATION, to.to_owned())]).into_response()
}
