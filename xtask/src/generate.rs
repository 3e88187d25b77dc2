//! Files that are generated and committed: written by `cargo xtask generate`, compared by `check`.

use std::fs;

use anyhow::{Context, Result, bail};

use crate::shell::{Workspace, capture, run};

/// A committed file, and the `postern` command that prints it.
struct Generated {
    path: &'static str,
    command: &'static [&'static str],
}

const GENERATED: [Generated; 2] = [
    Generated {
        path: "docs/configuration.md",
        command: &["config", "reference"],
    },
    Generated {
        path: "docs/openapi.json",
        command: &["openapi"],
    },
];

/// Writes every generated file.
///
/// # Errors
/// When a file cannot be made or written.
pub(crate) fn write(workspace: &Workspace) -> Result<()> {
    for generated in &GENERATED {
        let text = generated.make(workspace)?;
        fs::write(workspace.root.join(generated.path), text)
            .with_context(|| format!("writing {}", generated.path))?;
        eprintln!("wrote {}", generated.path);
    }
    mails(workspace)
}

/// Lets the tests of the mails write their snapshots anew; in CI the same tests compare them.
fn mails(workspace: &Workspace) -> Result<()> {
    let mut cargo = workspace.cargo(["test", "--quiet", "--locked", "--package", "postern"]);
    run(cargo
        .args(["--lib", "as_committed"])
        .env("UPDATE_SNAPSHOTS", "1"))?;
    eprintln!("wrote crates/postern/tests/snapshots/emails");
    Ok(())
}

/// Compares every generated file with what would be written now.
///
/// # Errors
/// When one differs.
pub(crate) fn compare(workspace: &Workspace) -> Result<()> {
    let mut stale = Vec::new();
    for generated in &GENERATED {
        let committed = fs::read_to_string(workspace.root.join(generated.path)).unwrap_or_default();
        if committed != generated.make(workspace)? {
            stale.push(generated.path);
        }
    }
    if !stale.is_empty() {
        bail!(
            "not what the code says now: {}; run `cargo xtask generate` and commit",
            stale.join(", ")
        );
    }
    Ok(())
}

impl Generated {
    fn make(&self, workspace: &Workspace) -> Result<String> {
        let mut cargo =
            workspace.cargo(["run", "--quiet", "--locked", "--package", "postern", "--"]);
        capture(cargo.args(self.command))
    }
}
