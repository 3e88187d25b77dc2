//! Mail templates: what is in force of each kind, and the editor.

mod editor;
mod judged;
mod look;
mod names;

use askama::Template;
use axum::response::Response;
use postern_core::model::{MailKind, Snapshot, TemplateHead, TemplateKey};

pub(in crate::dashboard) use editor::{findings, revert, save, show, use_version};
pub(in crate::dashboard) use look::{preview_saved, preview_typed};
use names::{about, title};

use crate::dashboard::Dashboard;
use crate::dashboard::document::{Shell, html};
use crate::dashboard::route::Visit;
use crate::dashboard::trouble::Trouble;
use crate::mail::served_instead;

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
#[derive(Clone)]
struct State {
    /// The custom version; none while another template serves.
    active: Option<u32>,
    /// Whose template serves instead, such as `all languages`; none while that is the built-in one.
    instead: Option<String>,
    /// A version that waits to come into force.
    draft: Option<u32>,
}

impl State {
    fn of(key: &TemplateKey, snapshot: &Snapshot) -> Self {
        let head = snapshot.template(key);
        let instead = served_instead(key, &snapshot.templates, &snapshot.settings);
        Self {
            active: head.and_then(|head| head.active),
            instead: instead.map(|key| match key.language {
                Some(language) => language.to_string(),
                None => "all languages".to_owned(),
            }),
            draft: head.and_then(TemplateHead::draft),
        }
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
        general: State::of(&TemplateKey::of(kind), &held),
        languages: of(kind)
            .filter_map(|head| {
                let tag = head.key.language.as_ref()?.to_string();
                Some((tag, State::of(&head.key, &held)))
            })
            .collect(),
    });
    Ok(html(&Page {
        shell: Shell::of(dashboard, &visit),
        kinds: kinds.into(),
    }))
}
