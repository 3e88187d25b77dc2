//! The configuration in force, as `postern config print` shows it.

use std::fmt::Write as _;

use toml::Value;

use super::Layers;

/// Keys whose value is a secret. None today: secrets are given as files, by keys that end in `_file`.
/// A name that sounds like one is masked all the same, so that a key added later cannot leak.
const SECRET_ENDINGS: [&str; 4] = ["password", "secret", "token", "database_url"];

/// Every key as TOML, with the place it was typed as a comment. Secrets are masked.
pub fn toml(layers: &Layers) -> String {
    let mut out = String::new();
    let mut open = "";
    for (name, value, origin) in layers.iter() {
        let (table, key) = name.split_once('.').unwrap_or(("", name));
        if table != open {
            let gap = if open.is_empty() { "" } else { "\n" };
            let _ = writeln!(out, "{gap}[{table}]");
            open = table;
        }
        let _ = writeln!(out, "{key} = {}  # {origin}", shown(key, value));
    }
    out
}

/// Every key as JSON: `{"server.listen": {"value": …, "origin": "default"}, …}`. Secrets are masked.
pub fn json(layers: &Layers) -> serde_json::Value {
    layers
        .iter()
        .map(|(name, value, origin)| {
            let value = if is_secret(name, value) {
                masked()
            } else {
                serde_json::json!(value)
            };
            (
                name.to_owned(),
                serde_json::json!({ "value": value, "origin": origin.to_string() }),
            )
        })
        .collect::<serde_json::Map<_, _>>()
        .into()
}

fn shown(key: &str, value: &Value) -> String {
    if is_secret(key, value) {
        masked().to_string()
    } else {
        value.to_string()
    }
}

fn masked() -> serde_json::Value {
    "********".into()
}

/// What is empty hides nothing, and says that nothing is set.
fn is_secret(key: &str, value: &Value) -> bool {
    let empty = value.as_str().is_some_and(str::is_empty);
    !empty && SECRET_ENDINGS.iter().any(|ending| key.ends_with(ending))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Origin;

    #[test]
    fn a_value_is_printed_with_the_place_it_was_typed() {
        let mut layers = Layers::defaults();
        layers.put_text("server.listen", "127.0.0.1:9", Origin::Flag("--listen"));
        let printed = toml(&layers);
        assert!(
            printed.contains("listen = \"127.0.0.1:9\"  # --listen\n"),
            "{printed}"
        );
        assert!(printed.contains("drain = \"5s\"  # default\n"), "{printed}");
        assert_eq!(json(&layers)["server.listen"]["origin"], "--listen");
    }

    #[test]
    fn a_key_that_sounds_like_a_secret_is_masked() {
        assert_eq!(
            shown("password", &Value::String("hunter2".into())),
            "\"********\""
        );
        assert_eq!(shown("database_url", &Value::String(String::new())), "\"\"");
        let mut layers = Layers::defaults();
        let url = "postgres://postern:hunter2@db/postern";
        layers.put_text("data.database_url", url, Origin::Flag("--database"));
        let printed = format!("{}{}", toml(&layers), json(&layers));
        assert!(
            printed.contains("database_url") && !printed.contains("hunter2"),
            "{printed}"
        );
        assert_eq!(
            shown("root_keys_file", &Value::String("/k".into())),
            "\"/k\""
        );
    }
}
