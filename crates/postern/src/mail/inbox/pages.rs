//! The inbox for people: pages that work without a script and show every mail as text, whatever
//! it says.

use std::sync::{Arc, LazyLock};

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse as _, Response};
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, UndefinedBehavior, context, filters};
use postern_store::inbox::{InboxError, KeptMail};
use serde_json::Value;

use super::{DevInbox, api, append_json};
use crate::listen::RequestContext;
use crate::present::Problem;

/// How many mails the list shows.
const SHOWN: usize = 200;

const PAGE_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// A mail's own HTML may show itself and nothing more: no script, no form, an origin of its own.
pub(crate) const MAIL_POLICY: &str = "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; \
     style-src 'unsafe-inline'; img-src https: data:; form-action 'none'; frame-ancestors 'self'";

static TEMPLATES: LazyLock<Environment<'static>> = LazyLock::new(|| {
    // What no page names would be a hundredth of the program.
    let mut environment = Environment::empty();
    environment.add_filter("items", filters::items);
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    for (name, source) in [
        (
            "base.html",
            include_str!("../../../templates/dev/base.html"),
        ),
        (
            "list.html",
            include_str!("../../../templates/dev/list.html"),
        ),
        (
            "mail.html",
            include_str!("../../../templates/dev/mail.html"),
        ),
    ] {
        environment
            .add_template(name, source)
            .expect("the inbox's templates compile");
    }
    environment
});

/// The newest mails.
pub(super) async fn list(State(inbox): State<Arc<DevInbox>>, request: Request) -> Response {
    let id = RequestContext::of(request.extensions()).id;
    match inbox.inbox.newest(SHOWN).await {
        Ok(mails) => page(
            "list.html",
            &context! { mails => Serde(mails.iter().map(parsed).collect::<Vec<_>>()) },
        ),
        Err(error) => api::failed(error, id),
    }
}

/// One mail with its code and link.
pub(super) async fn mail(
    State(inbox): State<Arc<DevInbox>>,
    id: Result<Path<String>, PathRejection>,
    request: Request,
) -> Response {
    match named(&inbox, id).await {
        Ok(Some(mail)) => page("mail.html", &context! { mail => Serde(parsed(&mail)) }),
        Ok(None) => Problem::no_such_path().into_response(),
        Err(error) => api::failed(error, RequestContext::of(request.extensions()).id),
    }
}

/// The HTML part of a mail, for the frame on its page.
pub(super) async fn html(
    State(inbox): State<Arc<DevInbox>>,
    id: Result<Path<String>, PathRejection>,
    request: Request,
) -> Response {
    match named(&inbox, id).await {
        Ok(Some(mail)) => {
            let mail = parsed(&mail);
            let html = mail["html"].as_str().unwrap_or_default();
            dressed(framed(html), MAIL_POLICY)
        }
        Ok(None) => Problem::no_such_path().into_response(),
        Err(error) => api::failed(error, RequestContext::of(request.extensions()).id),
    }
}

/// A mail's HTML for a frame, in which the app's page could not work: its links open a tab of their
/// own.
pub(crate) fn framed(html: &str) -> String {
    html.replacen("<head>", "<head><base target=\"_blank\">", 1)
}

/// The mail that a path names; what is not even text names none.
async fn named(
    inbox: &DevInbox,
    id: Result<Path<String>, PathRejection>,
) -> Result<Option<KeptMail>, InboxError> {
    match id {
        Ok(Path(id)) => find(inbox, &id).await,
        Err(_) => Ok(None),
    }
}

pub(super) async fn find(inbox: &DevInbox, id: &str) -> Result<Option<KeptMail>, InboxError> {
    match id.parse() {
        Ok(id) => inbox.inbox.find(id).await,
        Err(_) => Ok(None),
    }
}

pub(super) fn parsed(mail: &KeptMail) -> Value {
    let mut text = String::new();
    append_json(&mut text, mail);
    serde_json::from_str(&text).unwrap_or_default()
}

fn page(template: &str, values: &minijinja::Value) -> Response {
    let template = TEMPLATES
        .get_template(template)
        .expect("the template is one of ours");
    let rendered = template
        .render(values.clone())
        .expect("the template names only what it is given");
    dressed(rendered, PAGE_POLICY)
}

fn dressed(html: String, policy: &'static str) -> Response {
    let headers = [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CONTENT_SECURITY_POLICY, policy),
        (CACHE_CONTROL, "no-store"),
        (REFERRER_POLICY, "no-referrer"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, html).into_response()
}
