//! What the page looks like.

use std::borrow::Cow;
use std::sync::LazyLock;

use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
    X_FRAME_OPTIONS,
};
use http::{HeaderName, HeaderValue, StatusCode};
use minijinja::{AutoEscape, Environment, UndefinedBehavior, context};
use postern_core::flow::LinkPage;
use postern_core::model::{Languages, LinkUri};
use postern_core::ports::{Entropy, random};
use postern_core::rules::PageEnd;
use postern_core::settings::Settings;

use crate::mail::wording::{self, Wording};

static TEMPLATES: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut environment = Environment::empty();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    let source = include_str!("../../templates/confirm/page.html");
    let added = environment.add_template("page.html", source);
    added.expect("the page's template compiles");
    environment
});

/// The page, and with what it is dressed.
pub(super) struct Shown<'a> {
    /// What the token led to, if anything.
    pub(super) page: Option<&'a LinkPage>,
    pub(super) settings: &'a Settings,
    pub(super) public_url: &'a str,
    /// What the browser says of its reader.
    pub(super) browser: &'a Languages,
    pub(super) entropy: &'a dyn Entropy,
}

impl Shown<'_> {
    /// The page as an answer: 200 with its button, 410 for what is over, 404 for what is not ours,
    /// unless `status` is another.
    pub(super) fn response(&self, status: Option<StatusCode>) -> Response {
        let nonce = URL_SAFE_NO_PAD.encode(random::<16>(self.entropy));
        let plain = match self.page.map(|page| &page.onward) {
            Some(Ok(_)) => StatusCode::OK,
            Some(Err(_)) => StatusCode::GONE,
            None => StatusCode::NOT_FOUND,
        };
        let headers = [
            (CONTENT_TYPE, text("text/html; charset=utf-8")),
            (CONTENT_SECURITY_POLICY, self.policy(&nonce)),
            (CACHE_CONTROL, text("no-store")),
            // Not `no-referrer`: browsers would then send the button's POST with `Origin: null`.
            (REFERRER_POLICY, text("same-origin")),
            (X_CONTENT_TYPE_OPTIONS, text("nosniff")),
            (X_FRAME_OPTIONS, text("DENY")),
            (HeaderName::from_static("x-robots-tag"), text("noindex")),
        ];
        (status.unwrap_or(plain), headers, self.html(&nonce)).into_response()
    }

    /// Nothing but this page, its style and perhaps the logo. `form-action` names the app too,
    /// because browsers hold it against what the POST is redirected to.
    fn policy(&self, nonce: &str) -> HeaderValue {
        let onward = self.page.filter(|page| page.onward.is_ok());
        let app = onward.map(|page| page.uri.source()).unwrap_or_default();
        let logo = self.logo().map(origin).unwrap_or_default();
        let images = if logo.is_empty() { "'none'" } else { &logo };
        let policy = format!(
            "default-src 'none'; style-src 'nonce-{nonce}'; img-src {images}; \
             form-action 'self' {app}; base-uri 'none'; frame-ancestors 'none'"
        );
        HeaderValue::from_str(&policy).unwrap_or_else(|_| text("default-src 'none'"))
    }

    fn html(&self, nonce: &str) -> String {
        let wording = self.wording();
        let app = self.app_name();
        let email = self
            .page
            .map(|page| page.address.as_given())
            .unwrap_or_default();
        let support = self.branding("app_support_email", &self.settings.app_support_email);
        let args = wording::args([
            ("app", Cow::Borrowed(app)),
            ("email", Cow::Borrowed(email)),
            ("support", Cow::Borrowed(support)),
        ]);
        let say = |key: &str| {
            wording
                .say(key, &args)
                .expect("every locale has the page's messages")
        };
        let (title, body) = self.messages();
        let back = self.page.and_then(|page| back_to(&page.uri));
        let values = context! {
            language => wording.language().to_string(),
            direction => wording.direction(),
            nonce, app, email,
            color => self.settings.app_color.as_str(),
            logo => self.logo(),
            title => say(&title),
            body => say(&body),
            button => self.button().map(|key| say(&key)),
            not_you => say("page-not-you"),
            back => back.map(|url| context! { url, label => say("page-back") }),
            help => (!support.is_empty()).then(|| say("help")),
        };
        let template = TEMPLATES.get_template("page.html");
        let rendered = template.and_then(|template| template.render(values));
        rendered.expect("the template names only what it is given")
    }

    /// The keys of the heading and of what stands below it.
    fn messages(&self) -> (String, String) {
        let state = match self.page.map(|page| &page.onward) {
            None => "invalid",
            Some(Err(PageEnd::Used)) => "used",
            Some(Err(PageEnd::Dead)) => "dead",
            Some(Err(PageEnd::Expired)) => "expired",
            Some(Err(PageEnd::Superseded)) => "superseded",
            Some(Ok(_)) => {
                return (
                    format!("page-{}-title", self.purpose()),
                    "page-lead".to_owned(),
                );
            }
        };
        (format!("page-{state}-title"), format!("page-{state}"))
    }

    fn button(&self) -> Option<String> {
        let open = self.page.is_some_and(|page| page.onward.is_ok());
        open.then(|| format!("page-{}-button", self.purpose()))
    }

    fn purpose(&self) -> &'static str {
        match self.page {
            Some(page) if page.kind.is_signup() => "signup",
            _ => "signin",
        }
    }

    /// In the language of the mail, where somebody asked for one; else in the browser's.
    fn wording(&self) -> &'static Wording {
        let mail = self
            .page
            .map(|page| page.input.wanted())
            .unwrap_or_default();
        Wording::of(&mail.then(self.browser), self.settings)
    }

    fn app_name(&self) -> &str {
        self.branding("app_name", &self.settings.app_name)
    }

    /// What the caller gave for this mail, else the setting.
    fn branding<'a>(&'a self, name: &str, setting: &'a str) -> &'a str {
        let given = self.page.and_then(|page| page.input.variables.get(name));
        given.filter(|given| !given.is_empty()).unwrap_or(setting)
    }

    /// The logo, if it comes from where the person is or is going: nobody else hears of the visit.
    fn logo(&self) -> Option<&str> {
        let logo = self.branding("app_logo_url", &self.settings.app_logo_url);
        let from = origin(logo);
        let app = self.page.map(|page| page.uri.source());
        let known = from == self.public_url || Some(&from) == app.as_ref();
        (!logo.is_empty() && known).then_some(logo)
    }
}

fn text(value: &'static str) -> HeaderValue {
    HeaderValue::from_static(value)
}

/// Scheme, host and port of a checked https address.
fn origin(url: &str) -> String {
    let rest = url.split_once("://").map_or("", |(_, rest)| rest);
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = host.strip_suffix(":443").unwrap_or(host);
    format!("https://{}", host.to_ascii_lowercase())
}

/// The app's front page, where it is on the web.
fn back_to(uri: &LinkUri) -> Option<String> {
    let source = uri.source();
    source.starts_with("http").then(|| format!("{source}/"))
}
