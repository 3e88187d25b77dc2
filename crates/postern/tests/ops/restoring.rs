//! What `postern backup` and `postern restore` say to an operator who is in a hurry.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::json;

use crate::backup::{Scene, restore, text};
use crate::{parsed, postern, stderr, stdout};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_holds_no_root_keys_and_a_check_tries_those_that_are_there() {
    let scene = Scene::start().await;
    let (file, _) = scene.backup("a.backup");
    let dir = scene.elsewhere("other");
    let keyring = fs::read_to_string(dir.join("root.keys")).expect("it was copied there");
    let secret = keyring.rsplit('"').nth(1).expect("a root in quotes");
    let held = fs::read(&file).expect("it was written");
    for form in [
        secret.as_bytes().to_vec(),
        BASE64_STANDARD.decode(secret).expect("base64"),
    ] {
        let found = held.windows(form.len()).any(|window| window == form);
        assert!(!found, "a backup holds no root keys");
    }

    let good = restore(&file, &dir, &["--check"]);
    assert!(stdout(&good).contains("root key 1 is there"), "{good:?}");
    assert_eq!(
        parsed(&restore(&file, &dir, &["--check", "--json"]))["keys_open"],
        json!(true)
    );

    let keyring = dir.join("root.keys");
    fs::remove_file(&keyring).expect("it was copied there");
    let made = postern(&["keys", "root", "add", "--data", text(&dir)]);
    assert!(made.status.success(), "{made:?}");
    for flags in [&["--check"][..], &[]] {
        let wrong = restore(&file, &dir, flags);
        let told = stderr(&wrong);
        assert!(
            !wrong.status.success() && told.contains("does not open"),
            "{told}"
        );
        assert!(told.contains("put the keyring of that time to"), "{told}");
    }
    assert!(!dir.join("postern.db").exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restore_without_its_keyring_says_where_to_put_it_and_not_to_make_one() {
    let scene = Scene::start().await;
    let (file, _) = scene.backup("a.backup");
    let dir = scene.file("new");
    for flags in [&["--check"][..], &[]] {
        let nowhere = stderr(&restore(&file, &dir, flags));
        let make = format!("install -d -m 700 {}", dir.display());
        assert!(nowhere.contains(&make), "{nowhere}");
        assert!(!nowhere.contains("postern dev"), "{nowhere}");
    }
    assert!(!dir.exists());
    fs::create_dir(&dir).expect("the folder is writable");
    fs::set_permissions(&dir, fs::Permissions::from_mode(0o700)).expect("it is ours");
    let keyring = dir.join("root.keys");
    for flags in [&["--check"][..], &[]] {
        let none = stderr(&restore(&file, &dir, flags));
        assert!(none.contains("needs root key 1"), "{none}");
        assert!(none.contains(text(&keyring)), "{none}");
        assert!(!none.contains("keys root add"), "{none}");
    }
    fs::copy(scene.server.data().join("root.keys"), &keyring).expect("it is there");
    assert!(restore(&file, &dir, &[]).status.success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_to_a_path_that_ends_with_a_slash_goes_into_that_folder() {
    let scene = Scene::start().await;
    let folder = scene.file("nightly");
    let path = format!("{}/", folder.display());
    for _ in 0..2 {
        let told = parsed(&scene.server.admin(&["backup", &path, "--json"]));
        let file = told["file"].as_str().expect("it tells").to_owned();
        let name = file.strip_prefix(&path).expect("it is in the folder");
        assert!(
            name.starts_with("postern-") && name.ends_with(".backup"),
            "{name}"
        );
    }
    let mode = folder.metadata().expect("it was made").permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
    let beneath = format!("{}/a/b/", scene.file("none").display());
    let refused = scene.server.admin(&["backup", &beneath]);
    assert!(
        stderr(&refused).contains("cannot make the folder"),
        "{refused:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restore_names_the_signing_keys_that_it_publishes_again() {
    let scene = Scene::start().await;
    let admin = |arguments: &[&str]| {
        let done = scene.server.admin(arguments);
        assert!(done.status.success(), "{done:?}");
        stdout(&done)
    };
    let listed = |told: String| -> Vec<String> {
        let rows: serde_json::Value = serde_json::from_str(&told).expect("JSON");
        let rows = rows.as_array().or(rows["signing_keys"].as_array());
        let kid = |row: &serde_json::Value| row["kid"].as_str().expect("a kid").to_owned();
        rows.expect("keys").iter().map(kid).collect()
    };
    let (file, _) = scene.backup("a.backup");
    let before = listed(admin(&["keys", "signing", "list", "--json"]));
    admin(&["keys", "signing", "rotate"]);
    admin(&["keys", "signing", "drop", &before[0]]);

    let told = restore(&file, &scene.elsewhere("text"), &[]);
    assert!(told.status.success(), "{told:?}");
    let told = stdout(&told);
    for kid in &before {
        assert!(told.contains(kid.as_str()), "{kid}: {told}");
    }
    assert!(told.contains("postern keys signing drop KID"), "{told}");
    let json = stdout(&restore(&file, &scene.elsewhere("json"), &["--json"]));
    assert_eq!(listed(json), before);
}
