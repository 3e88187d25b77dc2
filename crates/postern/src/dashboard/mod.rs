//! The dashboard: pages for admins, rendered here, with no asset from elsewhere.
//!
//! Every page is a `Route` that says who may see it; `guard` asks before anything else runs.
//! Pages call the flows and the admin commands that the API and the command line call.

mod assets;
mod chart;
mod cookie;
mod document;
mod fares;
mod fields;
mod guard;
mod headers;
mod mistakes;
mod pages;
mod route;
mod settings_form;
mod shown;
mod trouble;

use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use postern_core::flow::Postern;
use postern_core::model::DeliveryId;

use crate::admin::Admin;
use crate::mail::inbox::{DevInbox, is_loopback_host};
use crate::mail::{Route, Templates};
use crate::router;

pub use pages::Tests;
pub use route::Access;

/// What the pages stand on; one for each process.
pub struct Dashboard {
    /// The verbs.
    pub postern: Arc<Postern>,
    /// The commands that the command line has too.
    pub admin: Admin,
    /// The origin that browsers use, without a slash at the end.
    pub url: String,
    /// Told of every mail that was queued.
    pub outbox: Arc<dyn Fn(DeliveryId) + Send + Sync>,
    /// The templates of the mails.
    pub templates: Arc<Templates>,
    /// Which way mails go, for how the providers fare.
    pub route: Arc<dyn Route>,
    /// The mails of development; none in production.
    pub inbox: Option<Arc<DevInbox>>,
    /// Where `postern dev` keeps the credentials that it made.
    pub development_file: Option<PathBuf>,
    /// The test mails of the last minute.
    pub tests: Tests,
}

impl Dashboard {
    /// Every page, behind its guard.
    pub fn router(self: &Arc<Self>) -> Router {
        let mut router = Router::new();
        for route in pages::all() {
            router = router.route(route.path, guard::guarded(self, route));
        }
        for path in ["/dashboard/", "/dashboard/{*rest}"] {
            router = router.route(path, guard::nowhere(self));
        }
        let router = router.method_not_allowed_fallback(router::wrong_method);
        headers::dressed(router, self.strict())
    }

    /// Method, path and access of every page, for whoever wants to walk over them.
    pub fn routes() -> Vec<(http::Method, &'static str, Access)> {
        pages::all()
            .into_iter()
            .map(|route| (route.method, route.path, route.access))
            .collect()
    }

    /// Whether browsers reach it over TLS only.
    fn secure(&self) -> bool {
        self.url.starts_with("https://")
    }

    /// Whether browsers are told to use nothing but TLS for its host. Not so for this machine itself:
    /// it would hold for whatever else is developed on it.
    fn strict(&self) -> bool {
        let host = self.url.strip_prefix("https://");
        host.is_some_and(|host| !is_loopback_host(host))
    }
}
