//! The dashboard as somebody meets it who follows its links.

use std::collections::{BTreeSet, VecDeque};

use http::Method;
use postern::dashboard::Dashboard;

use crate::pages::{awaited, send};
use crate::site::{Site, Visitor};

/// Pages that no link of a signed-in owner leads to, and what does.
const ELSEWHERE: [&str; 6] = [
    // The address without a path.
    "/",
    // What `postern admin invite` prints.
    "/dashboard/invite",
    // Who is not signed in.
    "/dashboard/sign-in",
    "/dashboard/sign-in/code",
    // A mail.
    "/dashboard/sign-in/link",
    // An owner who has not proved lately who they are.
    "/dashboard/prove",
];

/// Where a page leads: its links, frames, forms that ask, and parts that are fetched.
fn links(page: &str) -> Vec<String> {
    let mut found = Vec::new();
    for mark in ["href=\"", "src=\"", "action=\"", "hx-get=\""] {
        for after in page.split(mark).skip(1) {
            let link = after.split('"').next().unwrap_or_default();
            if link.starts_with('/') {
                found.push(link.replace("&#38;", "&").replace("&amp;", "&"));
            }
        }
    }
    found
}

/// Whether an address is one of a route.
fn is_of(route: &str, address: &str) -> bool {
    let path = address.split(['?', '#']).next().unwrap_or_default();
    let (wanted, given): (Vec<_>, Vec<_>) = (route.split('/').collect(), path.split('/').collect());
    let fits = |(wanted, given): (&&str, &&str)| {
        wanted == given || (wanted.starts_with('{') && !given.is_empty())
    };
    wanted.len() == given.len() && wanted.iter().zip(&given).all(fits)
}

/// Every address that is reached from the first page.
async fn walked(visitor: &mut Visitor) -> BTreeSet<String> {
    let mut seen = BTreeSet::from(["/dashboard".to_owned()]);
    let mut ahead = VecDeque::from(["/dashboard".to_owned()]);
    while let Some(address) = ahead.pop_front() {
        let page = visitor.get(&address).await;
        assert!(page.status < 500, "{address}: {}", page.text);
        for link in links(&page.text) {
            if seen.len() < 400 && seen.insert(link.clone()) {
                ahead.push_back(link);
            }
        }
    }
    seen
}

#[tokio::test]
async fn every_page_is_reached_by_following_links() {
    let site = Site::start();
    let mut owner = site.owner().await;
    send(&site, "grace@example.com").await;
    site.mail("grace@example.com").await;
    let provider = [
        ("preset", "other"),
        ("name", "relay"),
        ("host", "127.0.0.1"),
        ("port", "25"),
        ("tls", "none"),
        ("from", "login@example.com"),
    ];
    owner.post("/dashboard/emails/add", &provider).await;
    awaited(&mut owner, "/dashboard/logs", "grace@example.com").await;
    let seen = walked(&mut owner).await;
    let routes = Dashboard::routes().into_iter();
    let pages = routes.filter(|(method, ..)| *method == Method::GET);
    let lost: Vec<_> = pages
        .map(|(_, path, _)| path)
        .filter(|path| !ELSEWHERE.contains(path))
        // A trial shows how far it is once it was begun.
        .filter(|path| *path != "/dashboard/quickstart/steps")
        .filter(|path| !seen.iter().any(|address| is_of(path, address)))
        .collect();
    assert_eq!(lost, Vec::<&str>::new(), "of {seen:#?}");
}

#[tokio::test]
async fn a_trial_is_shown_to_its_end_and_is_still_there_afterwards() {
    let site = Site::start();
    let mut owner = site.owner().await;
    let to = [("email", "trial@example.com")];
    owner.post("/dashboard/quickstart/send", &to).await;
    let otp = site.mail(to[0].1).await["otp"].as_str().unwrap().to_owned();
    let wrong = if otp == "000000" { "000001" } else { "000000" };
    let page = owner
        .post("/dashboard/quickstart/verify", &[("code", wrong)])
        .await
        .text;
    assert!(page.contains("id=\"trial-code\""), "{page}");
    owner
        .post("/dashboard/quickstart/verify", &[("code", &otp)])
        .await;
    awaited(&mut owner, "/dashboard/quickstart/steps", "Verified").await;
    for path in ["/dashboard/quickstart/steps", "/dashboard/quickstart"] {
        let page = owner.get(path).await.text;
        assert!(
            page.contains("your app would sign in trial@example.com now."),
            "{page}"
        );
        let over = !page.contains("id=\"trial-code\"") && !page.contains("every 1s");
        assert!(over, "{page}");
    }
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "a list of pages")]
async fn every_list_that_is_empty_says_what_to_do() {
    let site = Site::start();
    let mut owner = site.owner().await;
    let revoke = format!(
        "/dashboard/applications/{}/revoke",
        site.server.credentials().client_id
    );
    owner.post(&revoke, &[]).await;
    for (path, told, way) in [
        (
            "/dashboard",
            "Nothing happened in this time",
            "/dashboard/quickstart",
        ),
        (
            "/dashboard/logs",
            "Nobody signed in yet",
            "/dashboard/quickstart",
        ),
        (
            "/dashboard/logs?email=a@b.example",
            "Nothing matches",
            "Widen the time",
        ),
        ("/dashboard/inbox", "No mail yet", "/dashboard/quickstart"),
        (
            "/dashboard/emails",
            "No provider yet",
            "/dashboard/emails/add",
        ),
        (
            "/dashboard/emails/callbacks",
            "No callbacks yet",
            "Take them",
        ),
        (
            "/dashboard/emails/dkim",
            "Mails are not signed by Postern",
            "Make keys",
        ),
        (
            "/dashboard/suppression",
            "Nobody is on the list",
            "come here by themselves",
        ),
        ("/dashboard/applications", "No application yet", "Create"),
        (
            "/dashboard/emails/templates/signin_otp",
            "Nothing was changed yet",
            "the first save",
        ),
        ("/dashboard/logs/why", "The answer comes from", "Look"),
        ("/dashboard/quickstart", "to do", "/dashboard/applications"),
    ] {
        let page = owner.get(path).await.text;
        let page = page.split_once("<main").unwrap().1;
        assert!(page.contains(told) && page.contains(way), "{path}: {page}");
    }
}

#[tokio::test]
async fn what_a_chart_draws_stands_in_a_table_too() {
    let site = Site::start();
    let mut owner = site.owner().await;
    for name in ["ada", "grace"] {
        send(&site, &format!("{name}@example.com")).await;
    }
    let drawn = "requested, 0 verified</title>";
    let page = awaited(
        &mut owner,
        "/dashboard?period=1h",
        "2 requested, 0 verified</title>",
    )
    .await;
    assert_eq!(
        page.matches(drawn).count(),
        31,
        "thirty bars and the one that runs"
    );
    let table = page
        .split_once("aria-label=\"Sign-ins over time\"><table")
        .unwrap()
        .1;
    let table = table.split_once("</table>").unwrap().0;
    assert!(
        table.contains("<td class=\"n\">2</td><td class=\"n\">0</td>"),
        "{table}"
    );
    assert_eq!(
        table.matches("<tr><td>").count(),
        1,
        "only what happened: {table}"
    );
}

#[tokio::test]
async fn the_quickstart_of_a_development_server_says_where_its_secret_is() {
    let site = Site::start();
    let mut owner = site.owner().await;
    let page = owner.get("/dashboard/quickstart").await.text;
    let file = site.server.data().join("dev.env");
    for told in [file.to_str().unwrap(), "No mail provider is needed here"] {
        assert!(page.contains(told), "{told}: {page}");
    }
    let secret = &site.server.credentials().client_secret;
    assert!(
        !page.contains(secret.as_str()),
        "the secret itself is not shown"
    );
    owner
        .post("/dashboard/applications", &[("name", "Shop")])
        .await;
    let page = owner.get("/dashboard/quickstart").await.text;
    assert!(
        !page.contains("dev.env"),
        "it is not that of another application: {page}"
    );
}

/// What an assistant has to know, whatever the stack.
const FACTS: [&str; 21] = [
    "Read the code base",
    "SCALEKIT_ENVIRONMENT_URL",
    "SCALEKIT_CLIENT_SECRET",
    "POST /api/v1/passwordless/email/send",
    "POST /api/v1/passwordless/email/resend",
    "POST /api/v1/passwordless/email/verify",
    "magiclink_auth_uri",
    "template_variables",
    "expires_in",
    "link_token",
    "INVALID_CODE",
    "OTHER_BROWSER",
    "AUTH_REQUEST_EXPIRED",
    "RATE_LIMITED",
    "Retry-After",
    "5 different wrong codes",
    "must **not** verify on GET",
    "Keep `auth_request_id` in the session",
    "enforces the same browser",
    "CSRF",
    "**new** session",
];

#[tokio::test]
async fn the_prompt_of_every_stack_holds_every_fact_and_is_the_same_on_every_way_to_it() {
    let site = Site::start();
    let mut owner = site.owner().await;
    let particular = [
        ("node", "@scalekit-sdk/node"),
        ("python", "scalekit-sdk-python"),
        ("go", "scalekit-sdk-go"),
        ("java", "scalekit-sdk-java"),
        ("rust", "postern-client"),
        ("curl", "curl -s"),
    ];
    for (stack, sdk) in particular {
        let prompt = owner.get(&format!("/prompts/{stack}.md")).await.text;
        for fact in FACTS.iter().chain([&sdk, &&*site.url]) {
            assert!(prompt.contains(fact), "{stack} lacks {fact}: {prompt}");
        }
        let official = sdk.contains("scalekit");
        assert_eq!(prompt.contains("official SDK"), official, "{stack}");
        for verb in ["send", "resend", "verify"] {
            assert!(prompt.to_lowercase().contains(verb), "{stack}: {verb}");
        }
        let page = owner
            .get(&format!("/dashboard/quickstart?stack={stack}"))
            .await;
        let shown = page
            .text
            .split_once("id=\"prompt\" tabindex=\"0\">")
            .unwrap()
            .1;
        let shown = shown.split_once("</pre>").unwrap().0;
        let plain = [
            ("&#60;", "<"),
            ("&#62;", ">"),
            ("&#34;", "\""),
            ("&#39;", "'"),
            ("&#38;", "&"),
        ];
        let shown = plain
            .iter()
            .fold(shown.to_owned(), |text, (from, to)| text.replace(from, to));
        assert_eq!(shown.trim(), prompt.trim(), "{stack}");
        assert!(
            page.text.contains("data-copy=\"prompt\""),
            "a button copies it"
        );
        let told = site.command(&["prompt", stack, "--url", &site.url]);
        assert_eq!(told.trim(), prompt.trim(), "postern prompt {stack}");
    }
}

#[tokio::test]
async fn of_two_who_change_the_same_provider_the_second_is_told() {
    let site = Site::start();
    let [mut first, mut second] = site.two_owners().await;
    let form = |from, seen| {
        let provider = [
            ("name", "relay"),
            ("host", "127.0.0.1"),
            ("port", "25"),
            ("tls", "none"),
        ];
        let mut form = vec![("preset", "other"), ("from", from), ("seen", seen)];
        form.extend(provider);
        form
    };
    first
        .post("/dashboard/emails/add", &form("login@example.com", ""))
        .await;
    let open = "/dashboard/emails/add?name=relay";
    let page = second.get(open).await.text;
    let seen = page.split_once("name=\"seen\" value=\"").unwrap().1;
    let seen = seen.split_once('"').unwrap().0;
    let change = |from| {
        let mut form = form(from, seen);
        form.push(("changed", "relay"));
        form
    };
    let early = first
        .post("/dashboard/emails/add", &change("tea@example.com"))
        .await;
    assert!(early.leads_to("/dashboard/emails?done=saved"), "{early:?}");
    let late = second
        .post("/dashboard/emails/add", &change("milk@example.com"))
        .await;
    for told in ["Somebody else was here.", "value=\"milk@example.com\""] {
        assert!(late.text.contains(told), "{told}: {}", late.text);
    }
    let held = second.get("/dashboard/emails").await.text;
    assert!(held.contains("tea@example.com"), "{held}");
}

#[tokio::test]
async fn a_mistake_is_told_beside_its_field_on_every_form() {
    let site = Site::start();
    let mut owner = site.owner().await;
    for (path, form, field) in [
        (
            "/dashboard/suppression/add",
            vec![("address", "nobody")],
            "address",
        ),
        (
            "/dashboard/emails/callbacks",
            vec![("provider", "postmark"), ("secret", "x")],
            "secret",
        ),
        (
            "/dashboard/emails/dkim",
            vec![("domain", "not a domain")],
            "domain",
        ),
        ("/dashboard/applications", vec![("name", "")], "name"),
        (
            "/dashboard/admins/add",
            vec![("email", "nobody"), ("role", "viewer")],
            "email",
        ),
    ] {
        let page = owner.post(path, &form).await.text;
        let told = format!("aria-describedby=\"{field}-wrong");
        assert!(page.contains(&told), "{path}: {page}");
        assert!(
            page.contains(&format!("id=\"{field}-wrong\"")),
            "{path}: {page}"
        );
    }
}
