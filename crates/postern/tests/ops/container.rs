//! `packaging/container/Containerfile`, as far as it can be judged without building it: the program runs with
//! nothing but what the image has, as the user that it has there, and by the command that is written there.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::packaging::{content, read};
use crate::serve::Running;
use crate::{POSTERN, stderr, stdout};

/// `nonroot` of the image.
const NONROOT: u32 = 65532;

/// What of `gcr.io/distroless/cc` a Rust program can need: glibc, and GCC's part of unwinding.
const LIBRARIES: [&str; 7] = [
    "ld-linux-x86-64.so.2",
    "ld-linux-aarch64.so.1",
    "libc.so.6",
    "libdl.so.2",
    "libgcc_s.so.1",
    "libm.so.6",
    "libpthread.so.0",
];

/// The words of an instruction of the Containerfile; of the last one with that name.
fn instruction(name: &str) -> String {
    let file = read("container/Containerfile");
    let mut lines = file.lines().filter_map(|line| line.strip_prefix(name));
    lines.next_back().expect("it is there").trim().to_owned()
}

fn words(name: &str) -> Vec<String> {
    serde_json::from_str(&instruction(name)).expect("it is in the form of a list")
}

/// The image: the program, the libraries that the loader finds for it, and two folders of the user's.
struct Image(tempfile::TempDir);

impl Image {
    fn build() -> Self {
        let image = Self(tempfile::tempdir().expect("a folder"));
        image.copy(Path::new(POSTERN), "/postern");
        let told = content("ldd", &[POSTERN], Path::new("/"));
        let paths = told.split_whitespace().filter(|word| word.starts_with('/'));
        for library in paths {
            image.copy(Path::new(library), library);
        }
        fs::create_dir(image.path("proc")).expect("the folder is ours");
        for folder in ["etc/postern", "var/lib/postern"] {
            let path = image.path(folder);
            fs::create_dir_all(&path).expect("the folder is ours");
            fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).expect("it is ours");
            if rustix::process::geteuid().is_root() {
                chown(&path, Some(NONROOT), Some(NONROOT)).expect("root may");
            }
        }
        fs::set_permissions(image.0.path(), fs::Permissions::from_mode(0o755)).expect("it is ours");
        image
    }

    fn path(&self, inside: &str) -> PathBuf {
        self.0.path().join(inside.trim_start_matches('/'))
    }

    fn copy(&self, from: &Path, to: &str) {
        let to = self.path(to);
        fs::create_dir_all(to.parent().expect("it has one")).expect("the folder is ours");
        fs::copy(from, to).expect("it is there");
    }

    /// A command within; root becomes the image's user, others are root in a namespace of their own.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("unshare");
        command
            .args(["--mount", "--mount-proc=/proc", "--root"])
            .arg(self.0.path());
        if rustix::process::geteuid().is_root() {
            command.args([format!("--setgid={NONROOT}"), format!("--setuid={NONROOT}")]);
        } else {
            command.args(["--map-root-user", "--pid", "--fork", "--kill-child"]);
        }
        command.args(arguments);
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().expect("unshare is there")
    }
}

#[test]
fn the_program_needs_no_library_that_the_image_lacks() {
    let told = content("readelf", &["--dynamic", "--wide", POSTERN], Path::new("/"));
    let named = told.lines().filter(|line| line.contains("(NEEDED)"));
    let needed: BTreeSet<_> = named
        .filter_map(|line| line.split(['[', ']']).nth(1))
        .collect();
    assert!(needed.contains("libc.so.6"), "{told}");
    let there = BTreeSet::from(LIBRARIES);
    let lacking: Vec<_> = needed.difference(&there).collect();
    assert!(lacking.is_empty(), "{lacking:?}");
}

#[test]
fn the_image_is_built_by_the_compiler_of_this_workspace_and_not_run_by_root() {
    let file = read("container/Containerfile");
    let version = env!("CARGO_PKG_RUST_VERSION");
    let from = format!("FROM docker.io/library/rust:{version}-bookworm AS build");
    assert!(file.contains(&from), "{from}");
    assert_eq!(instruction("FROM"), "gcr.io/distroless/cc-debian12:nonroot");
    assert_eq!(instruction("USER"), "nonroot");
    let port: u16 = instruction("EXPOSE").parse().expect("a port");
    assert!(port >= 1024, "who is not root cannot listen on {port}");
}

#[tokio::test]
async fn the_program_serves_in_the_image_by_the_command_that_is_written_there() {
    let image = Image::build();
    let program = words("ENTRYPOINT");
    let serve = [program.clone(), words("CMD")].concat();
    let config = serve.last().expect("a configuration").clone();
    let data = instruction("VOLUME");
    let text = format!(
        "[server]\nlisten = \"127.0.0.1:0\"\npublic_url = \"https://auth.example.com\"\ndrain = \"0s\"\n\
         tls_terminated_by_proxy = true\n\
         [data]\ndir = \"{data}\"\nroot_keys_file = \"/etc/postern/root.keys\"\n"
    );
    fs::write(image.path(&config), text).expect("the folder is ours");
    let add = [&program[0], "keys", "root", "add", "--config", &config];
    let added = image.run(&add);
    assert!(
        added.status.success(),
        "{}{}",
        stdout(&added),
        stderr(&added)
    );

    // As it is mounted for the server.
    let etc = image.path("etc/postern");
    fs::set_permissions(&etc, fs::Permissions::from_mode(0o500)).expect("it is ours");
    let serve: Vec<&str> = serve.iter().map(String::as_str).collect();
    let server = Running::logged(image.command(&serve));
    let address = server.told["address"]
        .as_str()
        .expect("it tells")
        .to_owned();
    let ready = reqwest::get(format!("http://{address}/readyz")).await;
    assert_eq!(ready.expect("it answers").status(), 200);
    let list = image.run(&[&program[0], "client", "list", "--config", &config]);
    assert!(list.status.success(), "{}", stderr(&list));
    server.terminate();
    assert!(server.ended().success());
}
