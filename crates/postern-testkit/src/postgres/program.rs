//! The programs of PostgreSQL on this machine.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::{fs, io};

/// Where Debian and others put a program of PostgreSQL, the newest first.
pub(super) fn binary(name: &str) -> io::Result<PathBuf> {
    let mut found: Vec<_> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .filter_map(|version| Some(version.ok()?.path()))
        .filter(|version| version.join("bin").join(name).is_file())
        .collect();
    found.sort_by_key(|version| {
        let name = version.file_name().unwrap_or_default().to_string_lossy();
        name.parse::<u32>().unwrap_or(0)
    });
    if let Some(newest) = found.pop() {
        return Ok(newest.join("bin").join(name));
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
        .ok_or_else(|| {
            io::Error::other(
                "PostgreSQL is missing: install the Debian package postgresql, or run `cargo xtask test`",
            )
        })
}

/// That program, to be run once.
pub(super) fn tool(name: &str) -> io::Result<Command> {
    let mut command = Command::new(binary(name)?);
    command.stdin(Stdio::null()).current_dir("/");
    Ok(command)
}
