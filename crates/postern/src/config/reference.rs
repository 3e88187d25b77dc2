//! `docs/configuration.md`, made from the embedded defaults so that the two cannot disagree.

use std::fmt::Write as _;

use super::{DEFAULTS, SETTINGS_TABLE};

const HEAD: &str = "\
<!-- Made from postern.default.toml by `postern config reference`; do not edit. -->

# Configuration

What an operator deploys is *configuration*: the tables below up to `[metrics]`, read once at start. What
an admin edits while the server runs are *settings*: they live in the store, are the same on every node, and
a change is in force within 2 s.

Precedence: defaults < the file given by `--config` < environment < flags. `--set TABLE.KEY=VALUE`
overrides any key. Durations are written `300s`, `5 min`, `24h`; sizes `64 KiB`, `16 MiB`. An unknown
key, in the file or as a `POSTERN_…` variable, refuses to start. Paths are relative to the working directory.

`postern config check --config FILE` says whether `serve` would start; `postern config print --config FILE`
shows every value and where it was typed.

`serve` refuses to start without `server.public_url` and `data.root_keys_file`, with the development inbox,
and with plain HTTP on an address that is not loopback unless `server.tls_terminated_by_proxy` says that a
proxy terminates TLS.
";

const SETTINGS_HEAD: &str = "\
Edited with `postern settings set KEY=VALUE …`, `settings export` and `settings import`; validated as a
whole. Not read from the configuration file or the environment.
";

struct Entry<'a> {
    key: &'a str,
    default: &'a str,
    meaning: String,
}

/// The whole page, as Markdown.
pub fn markdown() -> String {
    let mut out = HEAD.to_owned();
    for (table, entries) in tables(DEFAULTS) {
        let _ = write!(out, "\n## [{table}]\n\n");
        let settings = table == SETTINGS_TABLE;
        out.push_str(if settings { SETTINGS_HEAD } else { "" });
        out.push_str(if settings {
            "\n| Key | Default | Meaning |\n|---|---|---|\n"
        } else {
            "| Key | Default | Environment | Meaning |\n|---|---|---|---|\n"
        });
        for Entry {
            key,
            default,
            meaning,
        } in entries
        {
            let _ = write!(out, "| `{key}` | `{default}` | ");
            if !settings {
                let _ = write!(
                    out,
                    "`POSTERN_{}_{}` | ",
                    table.to_uppercase(),
                    key.to_uppercase()
                );
            }
            let _ = writeln!(out, "{} |", meaning.replace('|', "\\|"));
        }
    }
    out
}

/// The tables of the defaults with their keys; a key's meaning is the comment above it.
fn tables(text: &str) -> Vec<(&str, Vec<Entry<'_>>)> {
    let mut tables = Vec::new();
    let mut comment = Vec::new();
    for line in text.lines() {
        if let Some(words) = line.strip_prefix('#') {
            comment.push(words.trim());
            continue;
        }
        if let Some(name) = line
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
        {
            tables.push((name, Vec::new()));
        } else if let (Some((key, default)), Some((_, entries))) =
            (line.split_once(" = "), tables.last_mut())
        {
            entries.push(Entry {
                key,
                default,
                meaning: comment.join(" "),
            });
        }
        comment.clear();
    }
    tables
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_default_has_a_meaning() {
        for (table, entries) in tables(DEFAULTS) {
            assert!(!entries.is_empty(), "[{table}]");
            for entry in entries {
                assert!(
                    entry.meaning.ends_with('.'),
                    "{table}.{}: {:?}",
                    entry.key,
                    entry.meaning
                );
            }
        }
    }

    #[test]
    fn the_committed_reference_is_the_one_the_defaults_make() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/configuration.md");
        let committed = std::fs::read_to_string(path).unwrap_or_default();
        assert!(
            committed == markdown(),
            "run `postern config reference > docs/configuration.md`"
        );
    }
}
