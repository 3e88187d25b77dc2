//! The cookies: who is signed in, whose code is awaited, light or dark.
//!
//! Over TLS their names begin with `__Host-`, so that no other host and no plain-text answer can set
//! them. Over plain HTTP, which only development has, browsers refuse such names: there the cookies
//! have a name of their own and lack `Secure`.

use http::HeaderValue;

use super::Dashboard;

/// A cookie of the dashboard.
#[derive(Clone, Copy)]
pub(super) enum Cookie {
    /// The session's token.
    Session,
    /// The auth request whose code or link is awaited in this browser.
    Awaited,
    /// The auth request of the trial on the quickstart page.
    Trial,
    /// `light` or `dark`, when the admin chose one.
    Theme,
}

impl Cookie {
    /// Its name.
    pub(super) fn name(self, dashboard: &Dashboard) -> &'static str {
        match (self, dashboard.secure()) {
            (Self::Session, true) => "__Host-postern-session",
            (Self::Session, false) => "postern-dev-session",
            (Self::Awaited, true) => "__Host-postern-awaited",
            (Self::Awaited, false) => "postern-dev-awaited",
            (Self::Trial, true) => "__Host-postern-trial",
            (Self::Trial, false) => "postern-dev-trial",
            (Self::Theme, true) => "__Host-postern-theme",
            (Self::Theme, false) => "postern-dev-theme",
        }
    }

    /// The header that sets it; an empty text removes it.
    ///
    /// `SameSite=Lax`: a link in a mail has to find the browser that asked. What changes something is
    /// protected by the token in its form and by its origin.
    pub(super) fn set(self, dashboard: &Dashboard, text: &str) -> HeaderValue {
        let secure = if dashboard.secure() { "; Secure" } else { "" };
        let age = match (self, text.is_empty()) {
            (_, true) => "; Max-Age=0",
            (Self::Theme, false) => "; Max-Age=31536000",
            (Self::Awaited, false) => "; Max-Age=900",
            (Self::Trial, false) => "; Max-Age=3600",
            (Self::Session, false) => "",
        };
        let header = format!(
            "{}={text}; Path=/; HttpOnly; SameSite=Lax{secure}{age}",
            self.name(dashboard)
        );
        HeaderValue::from_str(&header).unwrap_or(HeaderValue::from_static("postern=; Max-Age=0"))
    }
}
