//! `postern backup` and `postern restore`: what was spent stays spent, what counts goes on counting.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use postern_testkit::process::Server;
use serde_json::{Value, json};

use crate::serve::Running;
use crate::{Application, POSTERN, parsed, plan, postern, stderr};

/// A running server, an application of its, and a folder for backups.
pub(crate) struct Scene {
    pub(crate) server: Server,
    app: Application,
    folder: tempfile::TempDir,
}

impl Scene {
    pub(crate) async fn start() -> Self {
        let server = plan().start();
        Self {
            app: Application::of(server.credentials()).await,
            server,
            folder: tempfile::tempdir().expect("a folder"),
        }
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Takes a backup beside the running server.
    pub(crate) fn backup(&self, name: &str) -> (PathBuf, Value) {
        let file = self.file(name);
        let told = parsed(&self.server.admin(&["backup", text(&file), "--json"]));
        (file, told)
    }

    /// A data directory elsewhere, with a copy of the keyring.
    pub(crate) fn elsewhere(&self, name: &str) -> PathBuf {
        let dir = self.file(name);
        fs::create_dir(&dir).expect("the folder is writable");
        fs::set_permissions(&dir, fs::Permissions::from_mode(0o700)).expect("it is ours");
        fs::copy(self.server.data().join("root.keys"), dir.join("root.keys"))
            .expect("the keyring is there");
        dir
    }

    /// Sends a mail and reads its code.
    async fn mailed(&self, to: &str) -> (String, String) {
        let (status, sent) = self.app.send(to).await;
        assert_eq!(status, 200, "{sent}");
        let id = sent["auth_request_id"].as_str().expect("an id").to_owned();
        let url = format!("{}/dev/inbox/messages", self.server.credentials().url);
        let asked = reqwest::Client::new()
            .get(url)
            .query(&[("to", to), ("wait", "10")])
            .send();
        let mails: Value = asked.await.expect("it answers").json().await.expect("JSON");
        (id, mails[0]["otp"].as_str().expect("a code").to_owned())
    }
}

pub(crate) fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

pub(crate) fn restore(file: &Path, dir: &Path, flags: &[&str]) -> Output {
    postern(&[&["restore", text(file), "--data", text(dir)], flags].concat())
}

async fn verify(app: &Application, (id, code): &(String, String)) -> (u16, String) {
    let (status, answer) = app
        .call("verify", json!({ "auth_request_id": id, "code": code }))
        .await;
    let told = answer["details"][0]["error_code"].as_str();
    (status, told.unwrap_or_default().to_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_code_from_before_a_restore_works_after_it_and_every_limit_goes_on() {
    let scene = Scene::start().await;
    let spent_later = scene.mailed("later@example.com").await;
    let spent_before = scene.mailed("before@example.com").await;
    let open = scene.mailed("open@example.com").await;
    assert_eq!(verify(&scene.app, &spent_before).await.0, 200);
    // The second of two mails a minute; the backup must remember both.
    assert_eq!(scene.app.send("open@example.com").await.0, 200);
    let wrong = if open.1 == "000000" {
        "000001"
    } else {
        "000000"
    };
    let guess = (open.0.clone(), wrong.to_owned());
    assert_eq!(verify(&scene.app, &guess).await.1, "INVALID_CODE");

    let (file, told) = scene.backup("a.backup");
    assert_eq!(told["manifest"]["kids"], json!([1]));
    let mode = file
        .metadata()
        .expect("it was written")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(verify(&scene.app, &spent_later).await.0, 200);
    let unknown = scene.mailed("unknown@example.com").await;

    let dir = scene.elsewhere("restored");
    let ended = parsed(&restore(&file, &dir, &["--json"]))["ended"].clone();
    assert_eq!(ended["auth_requests"], 3, "{ended}");
    let restored = Running::dev(&["--listen", "127.0.0.1:0", "--data", text(&dir)]);
    let url = restored.told["url"].as_str().expect("it tells");
    let held = scene.server.credentials();
    let app = Application::sign_on(url, &held.client_id, &held.client_secret).await;
    let app = app.expect("the client is the backup's");
    for (proof, refused) in [
        (&spent_later, "AUTH_REQUEST_EXPIRED"),
        (&open, "AUTH_REQUEST_EXPIRED"),
        (&guess, "AUTH_REQUEST_EXPIRED"),
        (&spent_before, "AUTH_REQUEST_USED"),
        (&unknown, "AUTH_REQUEST_NOT_FOUND"),
    ] {
        assert_eq!(verify(&app, proof).await.1, refused);
        // A resend would mail the code of a generation that may be spent.
        let again = app
            .call("resend", json!({ "auth_request_id": proof.0 }))
            .await;
        assert_ne!(again.0, 200, "{}", again.1);
    }
    let throttled = app.send("open@example.com").await;
    assert_eq!(throttled.0, 429, "{}", throttled.1);
    assert_eq!(app.send("new@example.com").await.0, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_overwrites_nothing_and_a_restore_neither_unless_told() {
    let scene = Scene::start().await;
    scene.mailed("ada@example.com").await;
    let (file, _) = scene.backup("a.backup");
    let before = fs::read(&file).expect("it is there");
    let again = scene.server.admin(&["backup", text(&file)]);
    assert!(stderr(&again).contains("is there already"), "{again:?}");
    assert_eq!(fs::read(&file).expect("it is there"), before);
    let named = scene.server.admin(&["backup", text(scene.folder.path())]);
    assert!(named.status.success(), "{named:?}");

    let running = restore(&file, &scene.server.data(), &["--replace"]);
    assert_eq!(running.status.code(), Some(3), "{running:?}");
    let dir = scene.elsewhere("b");
    assert!(restore(&file, &dir, &[]).status.success());
    let full = restore(&file, &dir, &[]);
    assert!(stderr(&full).contains("--replace"), "{full:?}");
    let replaced = parsed(&restore(&file, &dir, &["--replace", "--json"]));
    let aside = replaced["replaced"].as_str().expect("it is put aside");
    assert!(Path::new(aside).join("postern.db").is_file());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restore_says_which_root_keys_are_missing_or_wrong() {
    let scene = Scene::start().await;
    assert!(
        scene
            .server
            .admin(&["keys", "root", "add"])
            .status
            .success()
    );
    assert!(
        scene
            .server
            .admin(&["keys", "root", "promote", "2"])
            .status
            .success()
    );
    assert!(
        scene
            .server
            .admin(&["keys", "root", "reseal"])
            .status
            .success()
    );
    let (file, told) = scene.backup("a.backup");
    assert_eq!(told["manifest"]["kids"], json!([2]));
    let dir = scene.file("other");
    fs::create_dir(&dir).expect("the folder is writable");
    fs::set_permissions(&dir, fs::Permissions::from_mode(0o700)).expect("it is ours");
    let none = stderr(&restore(&file, &dir, &[]));
    assert!(none.contains("needs root key 2"), "{none}");
    let add = || postern(&["keys", "root", "add", "--data", text(&dir)]);
    assert!(add().status.success());
    for flags in [&["--check"][..], &[]] {
        let missing = stderr(&restore(&file, &dir, flags));
        assert!(missing.contains("root key 2 is missing"), "{missing}");
    }
    assert!(add().status.success());
    let wrong = stderr(&restore(&file, &dir, &[]));
    assert!(wrong.contains("does not open"), "{wrong}");
    assert!(!dir.join("postern.db").exists());
    fs::copy(scene.server.data().join("root.keys"), dir.join("root.keys")).expect("it is there");
    assert!(restore(&file, &dir, &["--check"]).status.success());
    assert!(restore(&file, &dir, &[]).status.success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_that_is_killed_leaves_nothing_that_a_restore_would_take() {
    let scene = Scene::start().await;
    scene.mailed("ada@example.com").await;
    let file = scene.file("a.backup");
    let mut command = Command::new(POSTERN);
    command
        .args(["backup", text(&file), "--json", "--data"])
        .arg(scene.server.data());
    let mut child = command.stderr(Stdio::piped()).spawn().expect("it starts");
    let mut told = BufReader::new(child.stderr.take().expect("it is piped"));
    let mut line = String::new();
    told.read_line(&mut line).expect("it tells of its progress");
    assert!(line.contains("copying"), "{line}");
    child.kill().expect("a child can be killed");
    child.wait().expect("a killed child ends");

    let dir = scene.elsewhere("b");
    let left: Vec<_> = fs::read_dir(scene.folder.path())
        .expect("the folder is there")
        .map(|entry| entry.expect("it reads").path())
        .filter(|path| path.is_file())
        .collect();
    for half in &left {
        // A kill that came too late finds the whole backup: then there is nothing half.
        if half == &file {
            continue;
        }
        let refused = stderr(&restore(half, &dir, &[]));
        assert!(refused.contains("is not a whole backup"), "{refused}");
    }
    assert!(!dir.join("postern.db").exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_that_was_changed_or_cut_is_refused_and_a_half_restored_folder_too() {
    let scene = Scene::start().await;
    scene.mailed("ada@example.com").await;
    let (file, _) = scene.backup("a.backup");
    let whole = fs::read(&file).expect("it is there");
    let dir = scene.elsewhere("b");
    let cut = scene.file("cut.backup");
    fs::write(&cut, &whole[..whole.len() / 2]).expect("the folder is writable");
    assert!(!restore(&cut, &dir, &[]).status.success());
    let at = whole
        .windows(15)
        .position(|window| window == b"ada@example.com")
        .expect("addresses are not sealed");
    let mut changed = whole.clone();
    changed[at] = b'e';
    let forged = scene.file("forged.backup");
    fs::write(&forged, changed).expect("the folder is writable");
    let refused = stderr(&restore(&forged, &dir, &[]));
    assert!(refused.contains("is not a whole backup"), "{refused}");

    fs::write(dir.join("postern.db.restoring"), "").expect("the folder is writable");
    let half = postern(&["client", "list", "--data", text(&dir)]);
    assert!(
        stderr(&half).contains("a restore was broken off"),
        "{half:?}"
    );
    assert!(restore(&file, &dir, &[]).status.success());
    assert!(
        postern(&["client", "list", "--data", text(&dir)])
            .status
            .success()
    );
}
