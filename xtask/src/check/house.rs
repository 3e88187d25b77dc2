//! House rules that no compiler knows: sizes, file names, words, lock files.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use crate::shell::Workspace;

/// Past this many lines a file is worth another look.
const LOOK_AGAIN: usize = 300;
/// Past this many lines a file is split.
const SPLIT: usize = 400;
/// A module is one noun or one verb; these are neither.
const NO_NOUNS: [&str; 5] = ["utils", "util", "helpers", "common", "manager"];

/// Judges every tracked file.
///
/// # Errors
/// When a rule is broken; the message names every offence.
pub(crate) fn check(workspace: &Workspace) -> Result<()> {
    let mut offences = Vec::new();
    for path in workspace.files()? {
        // Vendored or binary files hold no prose of ours.
        let Ok(text) = fs::read_to_string(workspace.root.join(&path)) else {
            continue;
        };
        offences.extend(judge(&path, &text));
    }
    if !offences.is_empty() {
        bail!(
            "house rules are not kept:\n      {}",
            offences.join("\n      ")
        );
    }
    Ok(())
}

fn judge(path: &Path, text: &str) -> Vec<String> {
    let shown = path.display();
    let mut offences = Vec::new();
    if path.extension().is_some_and(|extension| extension == "rs") {
        offences.extend(too_long(path, text));
        offences.extend(poorly_named(path));
    }
    if path.ends_with("package-lock.json") && text.contains("\"resolved\":") {
        offences.push(format!(
            "{shown} names the host of a registry: install with the .npmrc beside it"
        ));
    }
    if path.ends_with("requirements.txt") && text.contains("://") {
        offences.push(format!("{shown} names the host of a registry"));
    }
    for (number, line) in text.lines().enumerate() {
        offences.extend(
            words()
                .find(|word| has_word(line, word))
                .map(|word| format!("{shown}:{}: {word}", number + 1)),
        );
    }
    offences
}

/// Marks of work that is not finished. Spelt in halves, so that this file has none.
fn words() -> impl Iterator<Item = String> {
    [
        "TO-DO",
        "FIX-ME",
        "XX-X",
        "HA-CK",
        "unimplemented-!",
        "to-do!",
        "#[igno-re]",
    ]
    .into_iter()
    .map(|word| word.replace('-', ""))
}

/// Whether `word` stands alone in `line`.
fn has_word(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(start, _)| {
        let before = line[..start].chars().next_back();
        let after = line[start + word.len()..].chars().next();
        ![before, after]
            .into_iter()
            .flatten()
            .any(|neighbour| neighbour.is_alphanumeric() || neighbour == '_')
    })
}

/// Tests at the end of a file do not count, nor do files that hold nothing else.
fn too_long(path: &Path, text: &str) -> Option<String> {
    if path.components().any(|part| part.as_os_str() == "tests") || path.ends_with("tests.rs") {
        return None;
    }
    let lines = text
        .lines()
        .take_while(|line| !line.starts_with("#[cfg(test)]"))
        .count();
    if lines > LOOK_AGAIN && lines <= SPLIT {
        eprintln!("    look again: {} has {lines} lines", path.display());
    }
    (lines > SPLIT).then(|| format!("{} has {lines} lines: split it", path.display()))
}

fn poorly_named(path: &Path) -> Option<String> {
    let module = match path.file_stem()?.to_str()? {
        "mod" => path.parent().map(Path::to_path_buf)?,
        stem => PathBuf::from(stem),
    };
    let name = module.file_name()?.to_str()?;
    NO_NOUNS.contains(&name).then(|| {
        format!(
            "{}: name the module for one noun or one verb",
            path.display()
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tests_of_a_file_do_not_count_towards_its_length() {
        let short = "fn f() {}\n".repeat(SPLIT) + "#[cfg(test)]\n" + &"// line\n".repeat(SPLIT);
        assert_eq!(too_long(Path::new("src/a.rs"), &short), None);
        let long = "fn f() {}\n".repeat(SPLIT + 1);
        assert!(too_long(Path::new("src/a.rs"), &long).is_some());
        assert_eq!(too_long(Path::new("tests/a.rs"), &long), None);
    }

    #[test]
    fn a_module_is_not_named_for_a_heap_of_things() {
        assert!(poorly_named(Path::new("src/mail/utils.rs")).is_some());
        assert!(poorly_named(Path::new("src/helpers/mod.rs")).is_some());
        assert_eq!(poorly_named(Path::new("src/mail/render.rs")), None);
    }

    #[test]
    fn a_forbidden_word_counts_only_when_it_stands_alone() {
        let word = words().next().unwrap();
        assert!(has_word(&format!("// {word}: later"), &word));
        assert!(!has_word(&format!("{word}S"), &word));
    }
}
