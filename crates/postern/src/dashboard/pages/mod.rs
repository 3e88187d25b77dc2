//! Every page of the dashboard.

mod admins;
mod applications;
mod audit;
mod branding;
mod callbacks;
mod dkim;
mod emails;
mod entering;
mod export;
mod inbox;
mod keys;
mod logs;
mod method;
mod overview;
mod provider;
mod provider_form;
mod proving;
mod quickstart;
mod steps;
mod suppression;
mod templates;
mod trial;
mod why;

pub use emails::Tests;

use super::assets;
use super::route::{Route, page};

/// The table of pages.
pub(super) fn all() -> Vec<Route> {
    let mut all = entrance();
    all.extend(looking());
    all.extend(changing());
    all.extend(secret());
    all
}

/// Signing in, and what belongs to it.
fn entrance() -> Vec<Route> {
    vec![
        page!(GET "/" Anyone entering::root),
        page!(GET "/dashboard/assets/{name}" Anyone assets::asset),
        page!(GET "/dashboard/invite" Anyone entering::invite),
        page!(POST "/dashboard/invite" Anyone entering::accept),
        page!(GET "/dashboard/sign-in" Anyone entering::sign_in),
        page!(POST "/dashboard/sign-in" Anyone entering::send),
        page!(GET "/dashboard/sign-in/code" Anyone entering::code),
        page!(POST "/dashboard/sign-in/code" Anyone entering::verify),
        page!(GET "/dashboard/sign-in/link" Anyone entering::link),
        page!(POST "/dashboard/theme" Anyone entering::theme),
        page!(GET "/llms.txt" Anyone quickstart::llms),
        page!(GET "/prompts/{file}" Anyone quickstart::prompt),
    ]
}

/// What every admin may see.
fn looking() -> Vec<Route> {
    vec![
        page!(GET "/dashboard" Viewer overview::show),
        page!(GET "/dashboard/quickstart" Viewer quickstart::show),
        page!(GET "/dashboard/authentication" Viewer method::show),
        page!(GET "/dashboard/emails" Viewer emails::show),
        page!(GET "/dashboard/emails/branding" Viewer branding::show),
        page!(GET "/dashboard/emails/branding/preview" Viewer branding::preview),
        page!(GET "/dashboard/emails/branding/html" Viewer branding::html),
        page!(GET "/dashboard/emails/dkim" Viewer dkim::list),
        page!(GET "/dashboard/emails/callbacks" Viewer callbacks::list),
        page!(GET "/dashboard/emails/templates" Viewer templates::list),
        page!(GET "/dashboard/emails/templates/{id}" Viewer templates::show),
        page!(GET "/dashboard/emails/templates/{id}/html" Viewer templates::preview_saved),
        page!(GET "/dashboard/suppression" Viewer suppression::list),
        page!(GET "/dashboard/applications" Viewer applications::list),
        page!(GET "/dashboard/logs" Viewer logs::list),
        page!(GET "/dashboard/logs/rows" Viewer logs::rows),
        page!(GET "/dashboard/logs/why" Viewer why::show),
        page!(GET "/dashboard/logs/export" Viewer export::file),
        page!(GET "/dashboard/logs/{id}" Viewer logs::detail),
        page!(GET "/dashboard/admins" Viewer admins::list),
        page!(GET "/dashboard/audit" Viewer audit::show),
        page!(GET "/dashboard/keys" Viewer keys::show),
        page!(GET "/dashboard/prove" Viewer proving::show),
        page!(POST "/dashboard/prove/send" Viewer proving::send),
        page!(POST "/dashboard/prove" Viewer proving::verify),
        page!(POST "/dashboard/sign-out" Viewer entering::sign_out),
    ]
}

/// What owners change. Mails of the inbox hold codes that open requests.
fn changing() -> Vec<Route> {
    vec![
        page!(POST "/dashboard/authentication" Owner method::save),
        page!(POST "/dashboard/authentication/advice" Owner method::advice),
        page!(POST "/dashboard/quickstart/send" Owner trial::send),
        page!(GET "/dashboard/quickstart/steps" Owner trial::steps),
        page!(POST "/dashboard/quickstart/verify" Owner trial::verify),
        page!(POST "/dashboard/emails/order" Owner emails::order),
        page!(POST "/dashboard/emails/test" Owner emails::test),
        page!(POST "/dashboard/emails/branding" Owner branding::save),
        page!(POST "/dashboard/suppression/rules" Owner suppression::rules),
        page!(POST "/dashboard/emails/templates/{id}" Owner templates::save),
        page!(POST "/dashboard/emails/templates/{id}/html" Owner templates::preview_typed),
        page!(POST "/dashboard/emails/templates/{id}/lint" Owner templates::findings),
        page!(POST "/dashboard/suppression/add" Owner suppression::add),
        page!(POST "/dashboard/suppression/remove" Owner suppression::remove),
        page!(POST "/dashboard/logs/forget" Owner why::forget),
        page!(GET "/dashboard/inbox" Owner inbox::list),
        page!(GET "/dashboard/inbox/rows" Owner inbox::rows),
        page!(GET "/dashboard/inbox/{id}" Owner inbox::mail),
        page!(GET "/dashboard/inbox/{id}/html" Owner inbox::html),
        page!(POST "/dashboard/sessions/end" Owner admins::end_session),
    ]
}

/// What owners touch only after proving who they are: secrets, keys and admins, and which mail carries
/// the codes. Saving a template asks by itself, when it is to come into force.
fn secret() -> Vec<Route> {
    vec![
        page!(GET "/dashboard/emails/add" Proven provider::adding),
        page!(POST "/dashboard/emails/add" Proven provider::add),
        page!(GET "/dashboard/emails/remove" Proven provider::removing),
        page!(POST "/dashboard/emails/remove" Proven provider::remove),
        page!(POST "/dashboard/emails/callbacks" Proven callbacks::set),
        page!(POST "/dashboard/emails/callbacks/remove" Proven callbacks::remove),
        page!(POST "/dashboard/emails/dkim" Proven dkim::sign),
        page!(POST "/dashboard/emails/dkim/remove" Proven dkim::remove),
        page!(POST "/dashboard/emails/templates/{id}/use" Proven templates::use_version),
        page!(POST "/dashboard/emails/templates/{id}/revert" Proven templates::revert),
        page!(POST "/dashboard/applications" Proven applications::create),
        page!(GET "/dashboard/applications/{id}/rotate" Proven applications::rotating),
        page!(POST "/dashboard/applications/{id}/rotate" Proven applications::rotate),
        page!(GET "/dashboard/applications/{id}/revoke" Proven applications::revoking),
        page!(POST "/dashboard/applications/{id}/revoke" Proven applications::revoke),
        page!(POST "/dashboard/admins/add" Proven admins::add),
        page!(POST "/dashboard/admins/role" Proven admins::role),
        page!(GET "/dashboard/admins/remove" Proven admins::removing),
        page!(POST "/dashboard/admins/remove" Proven admins::remove),
        page!(POST "/dashboard/keys/signing/rotate" Proven keys::rotate_signing),
        page!(POST "/dashboard/keys/signing/drop" Proven keys::drop_signing),
        page!(POST "/dashboard/keys/root/reseal" Proven keys::reseal),
        page!(POST "/dashboard/keys/root/retire" Proven keys::retire),
    ]
}

/// The address if it is one of a page of ours, else the first page: nobody is sent elsewhere.
pub(super) fn within(to: &str) -> &str {
    let ours = to == "/dashboard" || to.starts_with("/dashboard/") || to.starts_with("/dashboard?");
    let plain = to
        .bytes()
        .all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    if ours && plain && !to.contains("//") && !climbs(to) {
        to
    } else {
        "/dashboard"
    }
}

/// Whether a browser would make another path of it: `..` between slashes leads up, written out or
/// encoded.
fn climbs(to: &str) -> bool {
    let path = to.split(['?', '#']).next().unwrap_or_default();
    let path = path.to_ascii_lowercase().replace("%2e", ".");
    path.contains("/..")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_sent_elsewhere() {
        for ours in [
            "/dashboard",
            "/dashboard/logs?email=a%40b.c",
            "/dashboard?period=24h",
            "/dashboard/logs?email=a%2Eb/..",
        ] {
            assert_eq!(within(ours), ours);
        }
        for elsewhere in [
            "",
            "https://evil.example",
            "//evil.example",
            "/dashboardevil",
            "/dashboard/\\evil",
            "/dashboard//evil",
            "/dashboard/../../x",
            "/dashboard/logs/..",
            "/dashboard/%2E%2e/x",
            "/dashboard/.%2e/x",
        ] {
            assert_eq!(within(elsewhere), "/dashboard", "{elsewhere}");
        }
    }
}
