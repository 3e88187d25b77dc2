//! Mail templates: what is in force of each kind, and the editor.

mod editor;
mod judged;
mod look;
mod names;

use askama::Template;
use axum::response::Response;
use postern_core::model::{MailKind, TemplateHead};

pub(in crate::dashboard) use editor::{findings, revert, save, show, use_version};
pub(in crate::dashboard) use look::{preview_saved, preview_typed};
use names::{about, title};

use crate::dashboard::Dashboard;
use crate::dashboard::document::{Shell, html};
use crate::dashboard::route::Visit;
use crate::dashboard::trouble::Trouble;

#[derive(Template)]
#[template(path = "templates.html")]
struct Page {
    shell: Shell,
    kinds: Vec<Kind>,
}

/// One kind of mail in the list.
struct Kind {
    id: &'static str,
    title: &'static str,
    about: &'static str,
    /// What serves every reader without a closer template.
    general: State,
    /// Templates for one language.
    languages: Vec<(String, State)>,
}

/// What is in force.
#[derive(Clone, Default)]
struct State {
    /// The custom version; none while the built-in template serves.
    active: Option<u32>,
    /// A version that was saved and is not in force.
    draft: Option<u32>,
}

impl State {
    fn of(head: &TemplateHead) -> Self {
        Self {
            active: head.active,
            draft: Self::newest_draft(head),
        }
    }

    /// The newest version, unless it is in force or was until a revert.
    fn newest_draft(head: &TemplateHead) -> Option<u32> {
        let newest = Some(head.newest);
        newest.filter(|_| head.active != newest && head.previous != newest)
    }
}

/// Every kind, and what is in force of it.
pub(in crate::dashboard) async fn list(
    dashboard: &Dashboard,
    visit: Visit,
) -> Result<Response, Trouble> {
    let held = dashboard.postern.snapshot();
    let of = |kind: MailKind| {
        held.templates
            .iter()
            .filter(move |head| head.key.kind == kind)
    };
    let kinds = MailKind::ALL.map(|kind| Kind {
        id: kind.as_str(),
        title: title(kind),
        about: about(kind),
        general: of(kind)
            .find(|head| head.key.language.is_none())
            .map(State::of)
            .unwrap_or_default(),
        languages: of(kind)
            .filter_map(|head| Some((head.key.language.as_ref()?.to_string(), State::of(head))))
            .collect(),
    });
    Ok(html(&Page {
        shell: Shell::of(dashboard, &visit),
        kinds: kinds.into(),
    }))
}
