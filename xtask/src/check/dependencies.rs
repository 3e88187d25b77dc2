//! The dependency rules of `deny.toml`, judged over what cargo resolves.
//!
//! `deny.toml` is the one place where the rules stand. cargo-deny reads it too, but is not on
//! every machine and takes minutes to build, so the rules that need no network are judged here.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::shell::{Workspace, capture};

#[derive(Deserialize)]
struct Rules {
    bans: Bans,
    licenses: Licences,
}

#[derive(Deserialize)]
struct Bans {
    deny: Vec<Ban>,
    skip: Vec<Skip>,
}

/// A crate that nobody may use, or only its `wrappers`.
#[derive(Deserialize)]
struct Ban {
    #[serde(rename = "crate")]
    name: String,
    #[serde(default)]
    wrappers: Vec<String>,
    reason: String,
}

/// A version, `name@version`, that the server may hold beside another of the same crate.
#[derive(Deserialize)]
struct Skip {
    #[serde(rename = "crate")]
    name: String,
}

#[derive(Deserialize)]
struct Licences {
    allow: Vec<String>,
}

/// One resolved crate.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Resolved {
    name: String,
    version: String,
    licence: String,
}

/// Judges bans, crate edges, duplicates and licences.
///
/// # Errors
/// When a rule is broken; the message names every offence.
pub(crate) fn check(workspace: &Workspace) -> Result<()> {
    let text = fs::read_to_string(workspace.root.join("deny.toml")).context("reading deny.toml")?;
    let rules: Rules = toml::from_str(&text).context("deny.toml")?;
    let all = resolve(workspace, &["--workspace", "--edges", "normal,build,dev"])?;
    let shipped = resolve(
        workspace,
        &["--package", "postern", "--edges", "normal,no-proc-macro"],
    )?;
    let mut offences = banned(&rules.bans, &all);
    offences.extend(edges(&rules.bans, workspace));
    offences.extend(duplicates(&rules.bans, &shipped));
    offences.extend(licences(&rules.licenses, &all));
    if !offences.is_empty() {
        bail!(
            "deny.toml is not kept:\n      {}",
            offences.join("\n      ")
        );
    }
    Ok(())
}

/// The crates that cargo really builds: `cargo metadata` also lists optional ones that no feature wants.
fn resolve(workspace: &Workspace, selection: &[&str]) -> Result<BTreeSet<Resolved>> {
    let mut tree = workspace.cargo([
        "tree", "--locked", "--prefix", "none", "--format", "{p}|{l}",
    ]);
    let listed = capture(tree.args(selection))?;
    listed
        .lines()
        .filter(|line| !line.is_empty())
        .map(Resolved::parse)
        .collect()
}

impl Resolved {
    /// Reads `name v1.2.3 (proc-macro)|MIT OR Apache-2.0 (*)`.
    fn parse(line: &str) -> Result<Self> {
        let (package, licence) = line
            .split_once('|')
            .with_context(|| format!("cargo tree said {line:?}"))?;
        let mut words = package.split(' ');
        let name = words.next().unwrap_or_default().to_owned();
        let version = words
            .next()
            .unwrap_or_default()
            .trim_start_matches('v')
            .to_owned();
        let licence = licence.trim_end_matches(" (*)").trim().to_owned();
        Ok(Self {
            name,
            version,
            licence,
        })
    }
}

fn banned(bans: &Bans, all: &BTreeSet<Resolved>) -> Vec<String> {
    let outright = bans.deny.iter().filter(|ban| ban.wrappers.is_empty());
    let found = outright.filter(|ban| all.iter().any(|resolved| resolved.name == ban.name));
    found
        .map(|ban| format!("{} is in the tree: {}", ban.name, ban.reason))
        .collect()
}

/// Which of our own crates may name which: tests may name more than what is shipped does.
fn edges(bans: &Bans, workspace: &Workspace) -> Vec<String> {
    let mut offences = Vec::new();
    for ban in bans.deny.iter().filter(|ban| !ban.wrappers.is_empty()) {
        for package in workspace
            .packages
            .iter()
            .filter(|package| !ban.wrappers.contains(&package.name))
        {
            let shipped = package
                .dependencies
                .iter()
                .filter(|dependency| dependency.kind.as_deref() != Some("dev"));
            if shipped
                .into_iter()
                .any(|dependency| dependency.name == ban.name)
            {
                offences.push(format!(
                    "{} depends on {}: {}",
                    package.name, ban.name, ban.reason
                ));
            }
        }
    }
    offences
}

fn duplicates(bans: &Bans, shipped: &BTreeSet<Resolved>) -> Vec<String> {
    let mut versions: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for resolved in shipped {
        let this = format!("{}@{}", resolved.name, resolved.version);
        if !bans.skip.iter().any(|skip| this.starts_with(&skip.name)) {
            versions
                .entry(&resolved.name)
                .or_default()
                .insert(&resolved.version);
        }
    }
    let twice = versions
        .into_iter()
        .filter(|(_, versions)| versions.len() > 1);
    twice
        .map(|(name, versions)| format!("the server holds {name} more than once: {versions:?}"))
        .collect()
}

fn licences(rules: &Licences, all: &BTreeSet<Resolved>) -> Vec<String> {
    let refused = all
        .iter()
        .filter(|resolved| !allowed(&resolved.licence, &rules.allow));
    refused
        .map(|resolved| format!("{} has the licence {:?}", resolved.name, resolved.licence))
        .collect()
}

/// Whether an SPDX expression can be met by the licences that we accept.
fn allowed(expression: &str, accepted: &[String]) -> bool {
    let parsed = spdx::Expression::parse_mode(expression, spdx::ParseMode::LAX);
    parsed.is_ok_and(|parsed| {
        parsed.evaluate(|wanted| {
            accepted
                .iter()
                .any(|accepted| wanted.to_string() == *accepted)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepted() -> Vec<String> {
        ["MIT", "Apache-2.0", "Unicode-3.0"]
            .map(str::to_owned)
            .to_vec()
    }

    #[test]
    fn one_accepted_alternative_is_enough_and_every_joined_licence_is_needed() {
        assert!(allowed("GPL-3.0 OR MIT", &accepted()));
        assert!(allowed("(MIT OR BSL-1.0) AND Unicode-3.0", &accepted()));
        assert!(allowed("MIT/Apache-2.0", &accepted()));
        assert!(!allowed("MIT AND GPL-3.0", &accepted()));
        assert!(!allowed("", &accepted()));
    }

    #[test]
    fn a_line_of_cargo_tree_is_read_with_and_without_its_marks() {
        let resolved =
            Resolved::parse("serde_derive v1.0.2 (proc-macro)|MIT OR Apache-2.0 (*)").unwrap();
        assert_eq!(
            (resolved.name.as_str(), resolved.version.as_str()),
            ("serde_derive", "1.0.2")
        );
        assert_eq!(resolved.licence, "MIT OR Apache-2.0");
    }

    #[test]
    fn a_second_version_is_an_offence_unless_it_is_skipped() {
        let tree = ["a v1.0.0|MIT", "a v2.0.0|MIT", "b v1.0.0|MIT"]
            .map(|line| Resolved::parse(line).unwrap());
        let tree = BTreeSet::from(tree);
        let skip = |names: &[&str]| Bans {
            deny: Vec::new(),
            skip: names
                .iter()
                .map(|name| Skip {
                    name: (*name).to_owned(),
                })
                .collect(),
        };
        assert_eq!(duplicates(&skip(&[]), &tree).len(), 1);
        assert!(duplicates(&skip(&["a@1"]), &tree).is_empty());
    }
}
