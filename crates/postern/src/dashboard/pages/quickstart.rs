//! Quickstart: environment, code, the prompt for an assistant, and a mail to see it work.

use askama::Template;
use axum::response::{IntoResponse as _, Response};
use http::header::CONTENT_TYPE;

use super::logs::clients;
use super::trial;
use crate::dashboard::Dashboard;
use crate::dashboard::document::{Shell, html};
use crate::dashboard::route::Visit;
use crate::dashboard::trouble::Trouble;
use crate::private_file;
use crate::prompt::{self as prompts, Stack};

#[derive(Template)]
#[template(path = "quickstart.html")]
struct Page {
    shell: Shell,
    url: String,
    client: Option<(String, String)>,
    /// What can be chosen from, where there is a choice.
    clients: Vec<(String, String)>,
    stack: Stack,
    stacks: [Stack; 6],
    code: String,
    prompt: String,
    ready: Vec<(bool, &'static str, &'static str)>,
    /// Where a development server keeps the secret of its application.
    secret_file: Option<String>,
    trial: trial::Trial,
    /// A link of a trial's mail led here.
    link_token: String,
    /// It was judged just now.
    judged: bool,
}

impl Page {
    fn is_chosen(&self, id: &str) -> bool {
        self.client.as_ref().is_some_and(|(chosen, _)| chosen == id)
    }
}

/// The page.
pub(in crate::dashboard) async fn show(
    dashboard: &Dashboard,
    visit: Visit,
) -> Result<Response, Trouble> {
    let trial = trial::under_way(dashboard, &visit).await?;
    Ok(page(dashboard, &visit, trial))
}

/// The page with a trial on it.
pub(super) fn page(dashboard: &Dashboard, visit: &Visit, trial: trial::Trial) -> Response {
    let snapshot = dashboard.postern.snapshot();
    let asked = [visit.query.get("stack"), visit.form.get("stack")].concat();
    let stack = Stack::parse(&asked).unwrap_or(Stack::Node);
    let mails = match (&dashboard.inbox, snapshot.providers.is_empty()) {
        (Some(_), true) => (
            true,
            "No mail provider is needed here: mails go to the inbox",
            "/dashboard/inbox",
        ),
        (_, none) => (!none, "Connect a mail provider", "/dashboard/emails"),
    };
    let (mut clients, wanted) = (clients(dashboard), visit.query.get("client"));
    let chosen = clients.iter().find(|(id, _)| id == wanted);
    let client = chosen.cloned().or_else(|| client(dashboard));
    if clients.len() < 2 {
        clients.clear();
    }
    let id = client.as_ref().map(|(id, _)| id.as_str());
    let code = stack.code_for(&dashboard.url, id, visit.me());
    let code = code.trim_end().to_owned();
    html(&Page {
        shell: Shell::of(dashboard, visit),
        url: dashboard.url.clone(),
        ready: vec![
            (
                snapshot.settings.enabled,
                "Choose what is mailed: a code, a link or both",
                "/dashboard/authentication",
            ),
            mails,
            (
                client.is_some(),
                "Create API credentials",
                "/dashboard/applications",
            ),
        ],
        secret_file: of_development(dashboard, client.as_ref()),
        clients,
        client,
        stack,
        stacks: Stack::ALL,
        code,
        prompt: prompts::prompt(stack, &dashboard.url),
        trial,
        link_token: visit.query.get("link_token").to_owned(),
        judged: !visit.form.get("link_token").is_empty(),
    })
}

/// The file with the secret of the application, if `dev` made it and the secret is still good.
fn of_development(dashboard: &Dashboard, client: Option<&(String, String)>) -> Option<String> {
    let file = dashboard.development_file.as_ref()?;
    let kept = private_file::read(file).ok().flatten()?;
    let value = |name: &str| {
        let mut lines = kept.lines();
        lines.find_map(|line| line.strip_prefix(name)?.strip_prefix('='))
    };
    let id =
        value("SCALEKIT_CLIENT_ID").filter(|id| client.is_some_and(|(newest, _)| newest == id))?;
    let secret = value("SCALEKIT_CLIENT_SECRET")?;
    dashboard.postern.authenticate(id, secret).ok()?;
    Some(file.display().to_string())
}

/// The client that was made last: its id and its name.
pub(super) fn client(dashboard: &Dashboard) -> Option<(String, String)> {
    let snapshot = dashboard.postern.snapshot();
    let newest = snapshot
        .clients
        .values()
        .max_by_key(|client| client.created_at)?;
    Some((newest.id.to_string(), newest.name.clone()))
}

/// `GET /llms.txt`
pub(in crate::dashboard) async fn llms(
    dashboard: &Dashboard,
    _: Visit,
) -> Result<Response, Trouble> {
    let kind = [(CONTENT_TYPE, "text/plain; charset=utf-8")];
    Ok((kind, prompts::llms(&dashboard.url)).into_response())
}

/// `GET /prompts/{stack}.md`
pub(in crate::dashboard) async fn prompt(
    dashboard: &Dashboard,
    visit: Visit,
) -> Result<Response, Trouble> {
    let stack = visit
        .path
        .get("file")
        .strip_suffix(".md")
        .and_then(Stack::parse);
    let stack = stack.ok_or(Trouble::NotFound)?;
    let kind = [(CONTENT_TYPE, "text/markdown; charset=utf-8")];
    Ok((kind, prompts::prompt(stack, &dashboard.url)).into_response())
}
