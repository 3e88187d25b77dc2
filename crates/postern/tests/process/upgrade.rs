//! A rolling upgrade, seen from the nodes that are still of this release: `postern migrate` of a later one has
//! run beneath them.

use std::process::Command;

use serde_json::json;

use crate::caller::text;
use crate::nodes::Nodes;

/// Every table has a column more, as the first half of "expand, then contract" leaves it.
const LATER: &str = "DO $$ DECLARE found text; BEGIN \
    FOR found IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' LOOP \
        EXECUTE format('ALTER TABLE %I ADD COLUMN of_a_later_release text', found); \
    END LOOP; END $$; \
    INSERT INTO schema_migrations (number, name, checksum, applied_at) VALUES (9999, 'later', '\\x00', 0)";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_go_on_under_the_schema_of_a_later_release_and_do_not_start_on_it() {
    let nodes = Nodes::start(&[]).await;
    let [a, b] = &nodes.callers;
    // What is prepared before has to work after.
    for (n, node) in nodes.callers.iter().enumerate() {
        let to = format!("before{n}@example.com");
        assert_eq!(node.send(&to).await.unwrap().0, 200);
        assert_eq!(node.mails(&to, None).await.unwrap().len(), 1);
    }
    nodes.postgres.psql(&nodes.database, LATER).unwrap();

    let (status, sent) = a.send("ada@example.com").await.unwrap();
    assert_eq!(status, 200, "{sent}");
    let id = text(&sent, "auth_request_id");
    let code = text(&a.mails("ada@example.com", None).await.unwrap()[0], "otp");
    let wrong = if code == "000000" { "000001" } else { "000000" };
    assert_eq!(b.verify(&id, wrong).await.unwrap().0, 400);
    assert_eq!(b.resend(&id).await.unwrap().0, 200);
    let newest = b.mails("ada@example.com", None).await.unwrap();
    let code = text(newest.last().unwrap(), "otp");
    let body = json!({ "auth_request_id": id, "code": code });
    assert_eq!(a.post("verify", &body).await.unwrap().0, 200);
    for command in [
        &["settings", "set", "code_length=8"][..],
        &["client", "create", "another"],
        &["delivery", "list"],
        &["suppression", "add", "bob@example.com"],
    ] {
        let done = nodes.servers[0].admin(command);
        assert!(done.status.success(), "{command:?}: {done:?}");
    }

    let config = nodes.keyring().with_file_name("postern.toml");
    let data = nodes.keyring().with_file_name("third");
    let written = format!(
        "[server]\nlisten = \"127.0.0.1:0\"\npublic_url = \"https://auth.example.com\"\n\
         tls_terminated_by_proxy = true\n\
         [data]\ndir = {data:?}\nroot_keys_file = {:?}\ndatabase_url = {:?}\n",
        nodes.keyring(),
        nodes.postgres.url(&nodes.database)
    );
    std::fs::write(&config, written).unwrap();
    for command in ["serve", "migrate"] {
        let mut postern = Command::new(env!("CARGO_BIN_EXE_postern"));
        let refused = postern.arg(command).arg("--config").arg(&config).output();
        let told = String::from_utf8(refused.unwrap().stderr).unwrap();
        assert!(told.contains("newer release"), "{command}: {told}");
    }
}
