//! Servers that end with the process that started them, however that ends.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Whom a server that refuses root runs as.
pub(crate) const NOBODY: u32 = 65534;
/// How long a start may take.
const PATIENCE: Duration = Duration::from_mins(1);
/// How often it is looked at.
const LOOK: Duration = Duration::from_millis(20);

/// A program beside a watcher that ends it by `signal`, and removes its folder, when this process is
/// gone: the watcher reads a pipe that only we hold open, and leaves when it is told something there.
pub(crate) fn watched(signal: &str, folder: &Path, program: &Path) -> Command {
    const WATCH: &str = "exec 3<&0 < /dev/null; signal=$1; folder=$2; shift 2; \"$@\" & server=$!; \
                         (read -r told <&3 && exit; kill -s $signal $server; \
                         while kill -s 0 $server; do sleep 0.1; done; rm -rf \"$folder\") 2> /dev/null & \
                         exec 3<&-; wait $server";
    let mut command = Command::new("sh");
    command.args(["-c", WATCH, "watch", signal]);
    command.arg(folder).arg(program);
    command.stdin(Stdio::piped()).current_dir("/");
    command
}

/// Makes a command run as `nobody` where it would run as root.
pub(crate) fn as_nobody(command: &mut Command) -> io::Result<&mut Command> {
    if is_root()? {
        command.uid(NOBODY).gid(NOBODY);
    }
    Ok(command)
}

/// Whether this process runs as root.
pub(crate) fn is_root() -> io::Result<bool> {
    Ok(fs::metadata("/proc/self")?.uid() == 0)
}

/// Waits until `ready`, or tells what the server wrote to `log`.
pub(crate) fn await_start(
    name: &str,
    server: &mut Child,
    log: &Path,
    mut ready: impl FnMut() -> bool,
) -> io::Result<()> {
    for _ in 0..PATIENCE.as_millis() / LOOK.as_millis() {
        if ready() {
            return Ok(());
        }
        if server.try_wait()?.is_some() {
            break;
        }
        pause();
    }
    let told = fs::read_to_string(log).unwrap_or_default();
    Err(io::Error::other(format!("{name} does not start: {told}")))
}

#[expect(
    clippy::disallowed_methods,
    reason = "another process's start has no event to wait for"
)]
fn pause() {
    std::thread::sleep(LOOK);
}
