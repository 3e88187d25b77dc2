//! A page and who may see it.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use axum::response::Response;
use http::Method;
use postern_core::flow::SignedIn;

use super::Dashboard;
use super::fields::Fields;
use super::trouble::Trouble;
use crate::rest::body::BODY_LIMIT;

/// Who may see a page. There is no default: a page without one does not compile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Anyone: signing in, and what belongs to it.
    Anyone,
    /// Any admin.
    Viewer,
    /// Owners: everything that changes something.
    Owner,
    /// Owners who proved lately who they are: secrets, keys, admins, and what mail carries the codes.
    Proven,
}

/// A page: its method, path, access and what makes it.
pub(super) struct Route {
    pub(super) method: Method,
    pub(super) path: &'static str,
    pub(super) access: Access,
    pub(super) run: fn(Arc<Dashboard>, Visit) -> Answer,
}

impl Route {
    /// How long a form may be, in bytes. Templates have two bodies of up to 1 MiB, of which a form
    /// writes some characters with three bytes.
    pub(super) fn room(&self) -> usize {
        if self.path.starts_with("/dashboard/emails/templates/") {
            return 7 << 20;
        }
        BODY_LIMIT
    }
}

/// What a page answers.
pub(super) type Answer = Pin<Box<dyn Future<Output = Result<Response, Trouble>> + Send>>;

/// A request that may see its page.
pub(super) struct Visit {
    /// The admin; always there but for [`Access::Anyone`].
    pub(super) who: Option<SignedIn>,
    /// Answers to `csrf` in a form of this session.
    pub(super) csrf: String,
    /// Names in the path.
    pub(super) path: Fields,
    /// The query.
    pub(super) query: Fields,
    /// The form; empty for a GET.
    pub(super) form: Fields,
    /// The cookies.
    pub(super) cookies: Fields,
    /// The page's own address, path and query.
    pub(super) here: String,
    /// The page of ours that led here, path and query; empty when none did.
    pub(super) back: String,
    /// Whether a script asked for a part of a page.
    pub(super) partial: bool,
    /// The browser, as it names itself.
    pub(super) agent: String,
}

impl Visit {
    /// The admin's address; empty before signing in.
    pub(super) fn me(&self) -> &str {
        self.who
            .as_ref()
            .map_or("", |who| who.account.email.as_given())
    }

    /// The admin.
    ///
    /// # Errors
    /// There is none, which the guard does not let happen.
    pub(super) fn signed_in(&self) -> Result<&SignedIn, Trouble> {
        self.who.as_ref().ok_or(Trouble::NotFound)
    }
}

/// One line of the table of pages.
macro_rules! page {
    ($method:ident $path:literal $access:ident $run:path) => {
        $crate::dashboard::route::Route {
            method: http::Method::$method,
            path: $path,
            access: $crate::dashboard::route::Access::$access,
            run: |dashboard, visit| Box::pin(async move { $run(&dashboard, visit).await }),
        }
    };
}

pub(super) use page;
