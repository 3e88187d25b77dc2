//! What is under `packaging/` is what this release is: judged by the programs that will read it.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::serve::Running;

fn packaged(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../packaging")
        .join(path)
}

pub(crate) fn read(path: &str) -> String {
    std::fs::read_to_string(packaged(path)).expect("it is in the repository")
}

/// Runs a program on a packaged file; what it said, if it was content.
pub(crate) fn content(program: &str, arguments: &[&str], folder: &Path) -> String {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .output();
    let output = output.unwrap_or_else(|error| {
        panic!("{program} is missing ({error}): run `cargo xtask test`, which installs it")
    });
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    assert!(output.status.success(), "{program} {arguments:?}: {said}");
    said
}

/// The series that expressions name, each with the label values that they ask for.
fn series(rules: &str) -> Vec<(String, Vec<(String, String)>)> {
    let mut found = Vec::new();
    for (at, _) in rules.match_indices("postern_") {
        let rest = &rules[at..];
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        let (name, rest) = rest.split_at(end.unwrap_or(rest.len()));
        let inside = rest
            .strip_prefix('{')
            .and_then(|rest| rest.split('}').next());
        let mut wanted = Vec::new();
        for matcher in inside
            .unwrap_or_default()
            .split(',')
            .filter(|one| !one.is_empty())
        {
            let (label, values) = matcher.split_once('=').expect("a label has a value");
            let values = values.trim_start_matches('~').trim_matches('"');
            wanted.extend(
                values
                    .split('|')
                    .map(|value| (label.to_owned(), value.to_owned())),
            );
        }
        found.push((name.to_owned(), wanted));
    }
    found
}

#[tokio::test]
async fn every_series_that_an_alert_names_is_in_the_metrics() {
    let folder = tempfile::tempdir().expect("a folder");
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let metrics = free.local_addr().expect("it is bound").to_string();
    drop(free);
    let data = folder.path().join("data");
    let data = data.to_str().expect("UTF-8");
    let listen = [
        "--listen",
        "127.0.0.1:0",
        "--metrics",
        &metrics,
        "--data",
        data,
    ];
    let server = Running::dev(&listen);
    let add = "mail provider add main --host 127.0.0.1 --port 9 --tls none --from a@example.com";
    let add: Vec<_> = add.split(' ').chain(["--data", data]).collect();
    let added = crate::postern(&add);
    assert!(added.status.success(), "{}", crate::stderr(&added));
    drop(server);
    // A provider has its series once it is used; they are made here as `dev` makes no use of it.
    let server = Running::dev(&listen);
    let asked = reqwest::get(format!("http://{metrics}/metrics")).await;
    let text = asked.expect("it answers").text().await.expect("text");
    drop(server);
    let rules = read("prometheus/postern.yml");
    let series = series(&rules);
    assert!(series.len() >= 10, "{series:?}");
    for (name, wanted) in series {
        if name.starts_with("postern_provider_") {
            // These come with the first mail through a provider; that they are declared is enough.
            assert!(text.contains(&format!("# TYPE {name} ")), "{name}\n{text}");
            continue;
        }
        let lines = || text.lines().filter(|line| line.starts_with(&name));
        assert!(lines().next().is_some(), "{name} is not in the metrics");
        for (label, value) in wanted {
            let pair = format!("{label}=\"{value}\"");
            assert!(
                lines().any(|line| line.contains(&pair)),
                "{name} has no {pair}"
            );
        }
    }
}

#[test]
fn the_alerts_are_what_prometheus_reads_and_fire_when_they_should() {
    let folder = packaged("prometheus");
    content("promtool", &["check", "rules", "postern.yml"], &folder);
    content("promtool", &["test", "rules", "postern.test.yml"], &folder);
}

#[test]
fn the_service_is_one_that_systemd_reads_and_calls_well_confined() {
    let folder = tempfile::tempdir().expect("a folder");
    let unit = read("systemd/postern.service").replace("/usr/local/bin/postern", "/bin/true");
    let file = folder.path().join("postern.service");
    std::fs::write(&file, unit).expect("the folder is writable");
    let said = content(
        "systemd-analyze",
        &["verify", "./postern.service"],
        folder.path(),
    );
    assert_eq!(said, "", "it warns of nothing");
    let judged = [
        "security",
        "--offline=true",
        "--threshold=20",
        "./postern.service",
    ];
    content("systemd-analyze", &judged, folder.path());
}
