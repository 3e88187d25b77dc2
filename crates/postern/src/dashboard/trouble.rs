//! What goes wrong on a page, told to the person who looks at it.

use askama::Template;
use axum::response::Response;
use http::StatusCode;
use postern_core::error::{Error, Kind};

use super::document::{self, Shell};
use crate::admin::Refusal;

/// Why there is no page.
pub(super) enum Trouble {
    /// There is none.
    NotFound,
    /// A write that did not come from one of our pages.
    Forged,
    /// A form that was made for an earlier session of this browser. It came from our pages, but nobody
    /// has seen it in this session: it is sent once more by hand.
    OfEarlierSession {
        /// Where it was sent.
        to: String,
        /// What it holds.
        fields: Vec<(String, String)>,
    },
    /// It takes an owner.
    OwnersOnly,
    /// A sentence for the admin.
    Told(String),
    /// The flow's own words.
    Error(Error),
}

#[derive(Template)]
#[template(path = "trouble.html")]
struct Page {
    shell: Shell,
    title: &'static str,
    told: String,
    /// Where the form is sent once more.
    to: String,
    fields: Vec<(String, String)>,
}

impl Trouble {
    /// The page that tells of it.
    pub(super) fn page(self, shell: Shell) -> Response {
        let (mut to, mut fields) = (String::new(), Vec::new());
        let (status, title, told) = match self {
            Self::OfEarlierSession { to: path, fields: held } => {
                (to, fields) = (path, held);
                (
                    StatusCode::FORBIDDEN,
                    "Send it once more",
                    "This page was opened before you signed in, so nothing was done yet. What you typed is still here."
                        .to_owned(),
                )
            }
            Self::NotFound => (
                StatusCode::NOT_FOUND,
                "There is nothing here",
                "The page was moved, or what it showed is gone.".to_owned(),
            ),
            Self::Forged => (
                StatusCode::FORBIDDEN,
                "This did not come from one of our pages",
                "Go back, reload the page and try again. If a link elsewhere brought you here, do not use it."
                    .to_owned(),
            ),
            Self::OwnersOnly => (
                StatusCode::FORBIDDEN,
                "This takes an owner",
                "You are a viewer: you see everything that is no secret, and change nothing.".to_owned(),
            ),
            Self::Told(told) => (StatusCode::BAD_REQUEST, "That did not work", told),
            Self::Error(error) => of_error(&error),
        };
        let mut response = document::html(&Page {
            shell,
            title,
            told,
            to,
            fields,
        });
        *response.status_mut() = status;
        response
    }
}

fn of_error(error: &Error) -> (StatusCode, &'static str, String) {
    let kind = error.kind();
    if matches!(kind, Kind::Internal | Kind::Unavailable) {
        tracing::error!(
            error = error as &dyn std::error::Error,
            "a page of the dashboard failed"
        );
    }
    match kind {
        Kind::NotFound => (
            StatusCode::NOT_FOUND,
            "There is nothing here",
            error.to_string(),
        ),
        Kind::Unavailable => (
            StatusCode::SERVICE_UNAVAILABLE,
            "Not at the moment",
            "The server has too much to do. Nothing was done: try again.".to_owned(),
        ),
        Kind::Internal => (
            StatusCode::INTERNAL_SERVER_ERROR,
            "Something broke",
            "It was our fault. The log of the server tells more.".to_owned(),
        ),
        _ => (
            StatusCode::BAD_REQUEST,
            "That did not work",
            error.to_string(),
        ),
    }
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

impl From<postern_core::ports::StoreError> for Trouble {
    fn from(error: postern_core::ports::StoreError) -> Self {
        Self::Error(error.into())
    }
}

impl From<Refusal> for Trouble {
    fn from(refusal: Refusal) -> Self {
        Self::Told(refusal.0)
    }
}
