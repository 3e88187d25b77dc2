use serde_json::json;

use crate::{Application, eventually, parsed, plan, postern, stderr, stdout};

#[tokio::test]
async fn a_setting_is_in_force_in_the_running_server_within_two_seconds() {
    let server = plan().start();
    let application = Application::of(server.credentials()).await;
    let set = server.admin(&["settings", "set", "enabled=false"]);
    assert_eq!(
        stdout(&set),
        "enabled=false\nin force within 2 s\n",
        "{}",
        stderr(&set)
    );
    eventually("the method is disabled", async || {
        application.send("ada@example.com").await.1["details"][0]["error_code"] == "METHOD_DISABLED"
    })
    .await;
}

#[tokio::test]
async fn revoking_a_client_ends_its_tokens_and_rotating_its_secret_does_not() {
    let server = plan().start();
    let made = parsed(&server.admin(&["client", "create", "shop", "--json"]));
    let (id, secret) = (
        made["id"].as_str().expect("an id"),
        made["secret"].as_str().expect("a secret"),
    );
    let url = &server.credentials().url;
    let shop = Application::sign_on(url, id, secret)
        .await
        .expect("the new secret is good");

    let rotated = parsed(&server.admin(&["client", "rotate", id, "--overlap", "0s", "--json"]));
    assert_ne!(rotated["secret"], made["secret"]);
    assert!(
        Application::sign_on(url, id, secret).await.is_none(),
        "no overlap was asked for"
    );
    assert_eq!(
        shop.send("ada@example.com").await.0,
        200,
        "tokens outlive the secret they were fetched with"
    );

    assert!(server.admin(&["client", "revoke", id]).status.success());
    eventually("the token is refused", async || {
        shop.send("ada@example.com").await.0 == 401
    })
    .await;
}

#[tokio::test]
async fn the_old_secret_stays_good_for_the_overlap() {
    let server = plan().start();
    let credentials = server.credentials();
    let rotated = parsed(&server.admin(&["client", "rotate", &credentials.client_id, "--json"]));
    assert!(
        rotated["earlier_secrets_end_at"]
            .as_str()
            .is_some_and(|end| end.ends_with('Z')),
        "{rotated}"
    );
    Application::of(credentials).await;
}

#[test]
fn commands_work_the_same_when_the_server_is_stopped() {
    let mut server = plan().start();
    let while_running = parsed(&server.admin(&["settings", "get", "--json"]));
    assert!(server.stop().success());
    assert_eq!(
        parsed(&server.admin(&["settings", "get", "--json"])),
        while_running
    );
    let made = parsed(&server.admin(&["client", "create", "offline", "--json"]));
    let listed = parsed(&server.admin(&["client", "list", "--json"]));
    let ids: Vec<_> = listed
        .as_array()
        .expect("a list")
        .iter()
        .map(|client| &client["id"])
        .collect();
    assert!(ids.contains(&&made["id"]), "{listed}");
    assert!(
        !listed
            .to_string()
            .contains(made["secret"].as_str().expect("a secret")),
        "secrets are shown once"
    );
}

#[test]
fn a_default_language_without_wording_is_set_and_warned_of_with_those_that_have_it() {
    let server = plan().start();
    for (tag, warned) in [("sv", true), ("de-AT", false), ("zh-Hans", false)] {
        let change = format!("default_language={tag}");
        let set = server.admin(&["--json", "settings", "set", &change]);
        assert!(set.status.success(), "{}", stderr(&set));
        assert_eq!(parsed(&set)["default_language"], tag);
        let told = stderr(&set);
        let warning = "warning: there is no built-in wording in sv";
        assert_eq!(told.contains(warning), warned, "{told}");
        assert_eq!(told.contains("en, de, fr, "), warned, "{told}");
    }
    let refused = server.admin(&["settings", "set", "default_language=sv", "code_length=99"]);
    assert!(
        !stderr(&refused).contains("warning"),
        "{}",
        stderr(&refused)
    );
}

#[test]
fn settings_are_refused_as_a_whole_and_every_problem_is_named() {
    let server = plan().start();
    let refused = server.admin(&[
        "settings",
        "set",
        "code_length=11",
        "colour=red",
        "attempt_limit=3",
    ]);
    assert_eq!(refused.status.code(), Some(1));
    let told = stderr(&refused);
    assert!(
        told.contains("code_length must be a number from 6 to 10") && told.contains("colour"),
        "{told}"
    );
    let kept = server.admin(&["settings", "get", "attempt_limit"]);
    assert_eq!(stdout(&kept), "attempt_limit=5\n");
}

#[test]
fn exported_settings_can_be_imported_elsewhere() {
    let (one, other) = (plan().start(), plan().start());
    assert!(
        one.admin(&["settings", "set", "code_length=8", "app_name=Acme Shop"])
            .status
            .success()
    );
    let file = one.data().join("exported");
    std::fs::write(&file, stdout(&one.admin(&["settings", "export"])))
        .expect("the folder is writable");
    let imported = other.admin(&["settings", "import", file.to_str().expect("UTF-8")]);
    assert!(imported.status.success(), "{}", stderr(&imported));
    assert_eq!(
        stdout(&other.admin(&["settings", "get", "app_name", "code_length"])),
        "app_name=Acme Shop\ncode_length=8\n"
    );
}

#[test]
fn a_mail_provider_is_kept_without_showing_its_password() {
    let server = plan().start();
    let file = server.data().join("smtp.password");
    std::fs::write(&file, "hunter2-hunter2\n").expect("the folder is writable");
    let added = server.admin(&[
        "mail",
        "provider",
        "add",
        "main",
        "--host",
        "smtp.example.com",
        "--port",
        "465",
        "--tls",
        "implicit",
        "--username",
        "postern",
        "--password-file",
        file.to_str().expect("UTF-8"),
        "--from",
        "Shop <login@example.com>",
    ]);
    assert!(added.status.success(), "{}", stderr(&added));
    let listed = server.admin(&["mail", "provider", "list", "--json"]);
    let expected = json!([{
        "name": "main", "host": "smtp.example.com", "port": 465, "tls": "implicit",
        "login": "password", "username": "postern", "from": "Shop <login@example.com>",
    }]);
    assert_eq!(parsed(&listed), expected);
    assert_eq!(
        stderr(&server.admin(&[
            "mail",
            "provider",
            "test",
            "second",
            "--to",
            "ada@example.com"
        ])),
        "postern: there is no mail provider \"second\"\n"
    );
    assert!(
        server
            .admin(&["mail", "provider", "remove", "main"])
            .status
            .success()
    );
    let test = server.admin(&["mail", "test", "--to", "ada@example.com"]);
    assert_eq!(
        stderr(&test),
        "postern: there is no mail provider: add one with `postern mail provider add`\n"
    );
}

#[test]
fn a_preset_fills_in_what_a_well_known_provider_wants() {
    let server = plan().start();
    let file = server.data().join("token");
    std::fs::write(&file, "pm-server-token\n").expect("the folder is writable");
    let file = file.to_str().expect("UTF-8");
    let add = |arguments: &[&str]| {
        let from = ["--from", "login@example.com", "--password-file", file];
        server.admin(&[&["mail", "provider", "add"], arguments, &from].concat())
    };
    let ses = [
        "aws",
        "--preset",
        "ses",
        "--region",
        "eu-central-1",
        "--username",
        "AKIA1",
    ];
    for arguments in [
        &["pm", "--preset", "postmark", "--rate", "5/s"][..],
        &[
            &ses[..],
            &["--connections", "4", "--reply-to", "help@example.com"],
        ]
        .concat(),
    ] {
        let added = add(arguments);
        assert!(added.status.success(), "{}", stderr(&added));
    }
    let expected = json!([{
        "name": "aws", "preset": "ses", "login": "password", "host": "email-smtp.eu-central-1.amazonaws.com", "port": 465, "tls": "implicit",
        "username": "AKIA1", "from": "login@example.com", "reply_to": "help@example.com", "connections": 4,
    }, {
        "name": "pm", "preset": "postmark", "login": "password", "host": "smtp.postmarkapp.com", "port": 587, "tls": "starttls",
        "from": "login@example.com", "per_minute": 300,
    }]);
    let ordered = server.admin(&["mail", "provider", "order", "aws", "--json"]);
    assert_eq!(parsed(&ordered), expected);
    let listed = server.admin(&["mail", "provider", "list"]);
    assert!(
        !stdout(&listed).contains("pm-server-token"),
        "{}",
        stdout(&listed)
    );
    let incomplete = add(&["x", "--preset", "ses"]);
    assert_eq!(incomplete.status.code(), Some(2));
    assert!(
        stderr(&incomplete).contains("--region"),
        "{}",
        stderr(&incomplete)
    );
}

#[test]
fn a_refusal_is_json_too_when_json_is_asked_for() {
    let server = plan().start();
    let refused = server.admin(&["client", "revoke", "skc_nobody", "--json"]);
    assert_eq!(refused.status.code(), Some(1));
    let told: serde_json::Value = serde_json::from_slice(&refused.stderr).expect("JSON");
    assert_eq!(
        told,
        json!({ "error": { "code": "FAILED", "message": "there is no client skc_nobody" } })
    );
}

#[test]
fn wrong_usage_has_its_own_exit_code() {
    assert_eq!(postern(&["client", "frobnicate"]).status.code(), Some(2));
    assert_eq!(postern(&["settings", "set"]).status.code(), Some(2));
    assert_eq!(
        postern(&["client", "list", "--data", "a", "--config", "b"])
            .status
            .code(),
        Some(2)
    );
}

#[tokio::test]
async fn what_is_kept_of_an_address_can_be_erased() {
    let server = plan().start();
    let application = Application::of(server.credentials()).await;
    let (status, sent) = application.send("ada@example.com").await;
    assert_eq!(status, 200, "{sent}");
    let forgotten = parsed(&server.admin(&["address", "forget", "ada@example.com", "--json"]));
    assert!(
        forgotten["removed"].as_u64().is_some_and(|rows| rows > 0),
        "{forgotten}"
    );
    let body = json!({ "auth_request_id": sent["auth_request_id"], "code": "123456" });
    let (_, refused) = application.call("verify", body).await;
    assert_eq!(
        refused["details"][0]["error_code"],
        "AUTH_REQUEST_NOT_FOUND"
    );
}

#[tokio::test]
async fn an_address_on_the_suppression_list_is_refused_until_it_is_taken_off() {
    let server = plan().start();
    let application = Application::of(server.credentials()).await;
    let add = [
        "suppression",
        "add",
        "ada@example.com",
        "--for",
        "2d",
        "--note",
        "asked us to",
    ];
    assert!(server.admin(&add).status.success());
    let listed = parsed(&server.admin(&["suppression", "list", "--json"]));
    assert_eq!(listed["entries"][0]["address"], "ada@example.com");
    assert_eq!(listed["entries"][0]["detail"], "asked us to");
    assert!(listed["entries"][0]["until"].is_string() && listed["more"] == false);
    let until = listed["entries"][0]["until"].as_str().unwrap_or_default();
    let table = stdout(&server.admin(&["suppression", "list"]));
    let head = table.lines().next().unwrap_or_default();
    let at = head.find("UNTIL").expect("a column says when it ends");
    assert!(
        table.lines().nth(1).unwrap_or_default()[at..].starts_with(until),
        "{table}"
    );
    let (status, body) = application.send("ada@example.com").await;
    assert_eq!(
        (status, &body["details"][0]["error_code"]),
        (400, &json!("ADDRESS_SUPPRESSED"))
    );
    let remove = ["suppression", "remove", "ada@example.com"];
    assert_eq!(
        stdout(&server.admin(&remove)),
        "ada@example.com is sent mail again\n"
    );
    assert!(stderr(&server.admin(&remove)).contains("not on the suppression list"));
    let none = server.admin(&["suppression", "list", "ada@example.com"]);
    assert_eq!(none.status.code(), Some(0));
    assert_eq!(
        stdout(&none),
        "ada@example.com is not on the suppression list\n"
    );
    let for_good = server.admin(&["suppression", "add", "bob@example.com"]);
    assert!(for_good.status.success(), "{}", stderr(&for_good));
    let table = stdout(&server.admin(&["suppression", "list"]));
    assert!(table.contains("  until removed"), "{table}");
    assert_eq!(application.send("ada@example.com").await.0, 200);
}

#[tokio::test]
async fn a_providers_callbacks_are_set_listed_and_removed() {
    let server = plan().start();
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("secret");
    std::fs::write(&file, "postern:short\n").expect("it is written");
    let path = file.to_str().expect("a name");
    let set = ["mail", "hook", "set", "postmark", "--secret-file", path];
    assert!(stderr(&server.admin(&set)).contains("at least 16 characters"));
    std::fs::write(&file, "postern:0123456789abcdef\n").expect("it is written");
    assert!(stdout(&server.admin(&set)).contains("/hooks/mail/postmark"));
    let listed = parsed(&server.admin(&["mail", "hook", "list", "--json"]));
    assert_eq!(listed[0]["provider"], "postmark");
    let remove = ["mail", "hook", "remove", "postmark"];
    assert!(server.admin(&remove).status.success());
    let unknown = ["mail", "hook", "remove", "other"];
    assert!(stderr(&server.admin(&unknown)).contains("choose one of"));
}
