//! Answers as lines for people and as JSON for machines.

use std::io::{self, Write as _};

use serde_json::{Value, json};

use super::exit::Failure;
use super::{delivery, dkim, template};
use crate::admin::{
    AdminReply, ClientRow, HookRow, NewSecret, ProviderRow, SigningKeyRow, SuppressionRow,
};
use crate::root_keys::RootKeys;

/// Writes text to standard output. A reader that has gone away is not trouble.
pub(super) fn text(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failure::failed(error)),
        _ => Ok(()),
    }
}

/// Writes one JSON value and a line feed.
pub(super) fn json(value: &Value) -> Result<(), Failure> {
    text(&format!("{value:#}\n"))
}

/// Writes the roots' numbers.
pub(super) fn roots(roots: &RootKeys, as_json: bool) -> Result<(), Failure> {
    if as_json {
        return json(&json!({ "current": roots.current(), "accepted": roots.kids() }));
    }
    let line = |kid| {
        format!(
            "{kid}  {}\n",
            if kid == roots.current() {
                "current"
            } else {
                "accepted"
            }
        )
    };
    text(
        &roots
            .kids()
            .into_iter()
            .map(line)
            .collect::<Vec<_>>()
            .concat(),
    )
}

/// Writes an answer.
pub(super) fn reply(reply: &AdminReply, as_json: bool) -> Result<(), Failure> {
    if as_json {
        let named = serde_json::to_value(reply).map_err(Failure::failed)?;
        let answer = named.as_object().and_then(|only| only.values().next());
        json(answer.unwrap_or(&named))?;
    } else {
        text(&lines(reply))?;
    }
    match reply {
        AdminReply::MailRefused { reason, advice, .. } => {
            Err(Failure::failed(format!("{reason}\n{advice}").trim_end()))
        }
        _ => Ok(()),
    }
}

#[expect(clippy::too_many_lines, reason = "one arm for each answer")]
fn lines(reply: &AdminReply) -> String {
    match reply {
        AdminReply::ClientCreated(made) | AdminReply::ClientRotated(made) => secret(made),
        AdminReply::Clients(rows) => clients(rows),
        AdminReply::ClientRevoked { id } => format!("{id} is revoked; its tokens end within 2 s\n"),
        AdminReply::Settings(settings) => pairs(settings),
        AdminReply::SettingsChanged(settings) => pairs(settings) + "in force within 2 s\n",
        AdminReply::SigningKeys(keys) => signing_keys(keys),
        AdminReply::RootRetired { kid } => format!("root key {kid} is retired\n"),
        AdminReply::Resealed { resealed } => {
            format!("{} sealed anew\n", counted(*resealed as u64, "secret"))
        }
        AdminReply::ProviderAdded { name, development } => provider_added(name, *development),
        AdminReply::Providers(rows) => providers(rows),
        AdminReply::ProviderRemoved { name } => format!("mail provider {name} is removed\n"),
        AdminReply::MailSent { reply, dialogue } => {
            format!("{}sent: {reply}\n", spoken(dialogue))
        }
        AdminReply::MailRefused { dialogue, .. } => spoken(dialogue),
        AdminReply::HookSet { path } => {
            format!("callbacks are taken at {path} under the public URL, within 2 s\n")
        }
        AdminReply::Hooks(rows) => hooks(rows),
        AdminReply::HookRemoved { provider } => {
            format!("callbacks of {provider} are taken no more\n")
        }
        AdminReply::DkimRecords(rows) => rows.iter().map(dkim::record).collect(),
        AdminReply::DkimKeys(rows) => table(&dkim::HEAD, rows.iter().map(dkim::line)),
        AdminReply::DkimRemoved { name } => {
            format!("no mail is signed with {name} any more; leave its record for some days\n")
        }
        AdminReply::Suppressions {
            address: Some(address),
            entries,
            ..
        } if entries.is_empty() => format!("{address} is not on the suppression list\n"),
        AdminReply::Suppressions { entries, more, .. } => suppressions(entries, *more),
        AdminReply::Suppressed(row) => format!(
            "{} is sent no mail {}\n",
            row.address,
            ending(row.until.as_deref())
        ),
        AdminReply::Unsuppressed { address } => format!("{address} is sent mail again\n"),
        AdminReply::Templates(rows) => template::list(rows),
        AdminReply::Template(shown) => template::shown(shown),
        AdminReply::TemplateHistory(rows) => template::history(rows),
        AdminReply::TemplateLinted { findings } => template::linted(findings),
        AdminReply::TemplateSaved(saved) => template::saved(saved),
        AdminReply::TemplateUsed(row) => template::used(row),
        AdminReply::TemplatePreviewed(filled) => {
            format!("Subject: {}\n\n{}\n", filled.subject, filled.text)
        }
        AdminReply::AdminInvited { url } => format!(
            "{}\nGood once, within an hour, for whoever opens it.\n",
            url.expose()
        ),
        AdminReply::Deliveries(rows) => table(&delivery::HEAD, rows.iter().map(delivery::line)),
        AdminReply::DeliveriesTold(all) => all.iter().map(delivery::told).collect(),
        AdminReply::Examined(report) => super::doctor::lines(report),
        AdminReply::Forgotten { removed } => format!("{} removed\n", counted(*removed, "row")),
    }
}

fn clients(rows: &[ClientRow]) -> String {
    table(&["ID", "NAME", "MADE", "SECRETS"], rows.iter().map(client))
}

fn providers(rows: &[ProviderRow]) -> String {
    let head = [
        "NAME", "PRESET", "SERVER", "TLS", "LOGIN", "USERNAME", "FROM", "LIMITS",
    ];
    table(&head, rows.iter().map(provider))
}

fn provider_added(name: &str, development: bool) -> String {
    let also = if development {
        "From now on mails of this development server go out to people too; the inbox keeps its copy.\n"
    } else {
        ""
    };
    format!(
        "mail provider {name} is in force; try it with `postern mail provider test {name} --to ADDRESS`\n{also}"
    )
}

fn hooks(rows: &[HookRow]) -> String {
    let row = |row: &HookRow| vec![row.provider.clone(), row.path.clone()];
    table(&["PROVIDER", "PATH"], rows.iter().map(row))
}

fn spoken(dialogue: &[String]) -> String {
    dialogue
        .iter()
        .flat_map(|line| {
            [
                line.as_str(),
                "
",
            ]
        })
        .collect()
}

fn suppressions(entries: &[SuppressionRow], more: bool) -> String {
    let row = |entry: &SuppressionRow| {
        vec![
            entry.address.clone(),
            entry.reason.clone(),
            entry.since.clone(),
            entry.until.clone().unwrap_or("until removed".to_owned()),
            entry.detail.clone(),
        ]
    };
    let head = ["ADDRESS", "REASON", "SINCE", "UNTIL", "SAID"];
    let mut out = table(&head, entries.iter().map(row));
    if more {
        out.push_str("there are older entries: ask for one by its address\n");
    }
    out
}

fn ending(until: Option<&str>) -> String {
    until.map_or("until it is removed".to_owned(), |until| {
        format!("until {until}")
    })
}

fn pairs(pairs: &[(String, String)]) -> String {
    let lines: Vec<_> = pairs
        .iter()
        .map(|(key, value)| format!("{key}={value}\n"))
        .collect();
    lines.concat()
}

fn secret(made: &NewSecret) -> String {
    let overlap = made
        .earlier_secrets_end_at
        .as_ref()
        .map_or(String::new(), |end| {
            format!("earlier secrets end at {end}\n")
        });
    format!(
        "client_id      {}\nclient_secret  {}\n{overlap}The secret is shown this once and kept as a digest only.\n",
        made.id,
        made.secret.expose()
    )
}

fn client(row: &ClientRow) -> Vec<String> {
    let secrets = row.secrets.iter().map(|secret| match &secret.expires_at {
        Some(end) => format!("until {end}"),
        None => "newest".to_owned(),
    });
    vec![
        row.id.clone(),
        row.name.clone(),
        row.created_at.clone(),
        secrets.collect::<Vec<_>>().join(", "),
    ]
}

/// The signing keys, a line each.
pub(super) fn signing_keys(keys: &[SigningKeyRow]) -> String {
    table(&["KID", "STATE", "MADE"], keys.iter().map(signing_key))
}

fn signing_key(row: &SigningKeyRow) -> Vec<String> {
    vec![row.kid.clone(), row.state.clone(), row.created_at.clone()]
}

fn provider(row: &ProviderRow) -> Vec<String> {
    let server = format!("{}:{}", row.host, row.port);
    vec![
        row.name.clone(),
        row.preset.clone().unwrap_or_default(),
        server,
        row.tls.clone(),
        row.login.clone(),
        row.username.clone().unwrap_or_default(),
        row.from.clone(),
        limits(row),
    ]
}

fn limits(row: &ProviderRow) -> String {
    let connections = row.connections.map(|most| format!("{most} connections"));
    let rate = row.per_minute.map(|most| match most % 60 {
        0 => format!("{}/s", most / 60),
        _ => format!("{most}/min"),
    });
    let told: Vec<String> = connections.into_iter().chain(rate).collect();
    told.join(", ")
}

/// `1 place`, `2 places`.
pub(super) fn counted(number: u64, what: &str) -> String {
    let s = if number == 1 { "" } else { "s" };
    format!("{number} {what}{s}")
}

/// Columns as wide as their widest cell.
pub(super) fn table(head: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let all: Vec<Vec<String>> = std::iter::once(head.iter().map(ToString::to_string).collect())
        .chain(rows)
        .collect();
    let width = |column: usize| {
        all.iter()
            .map(|row| row[column].chars().count())
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<_> = (0..head.len()).map(width).collect();
    let line = |row: &Vec<String>| {
        let cells = row
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("{cell:width$}  "));
        cells.collect::<String>().trim_end().to_owned() + "\n"
    };
    all.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_as_wide_as_its_widest_cells() {
        let rows = [
            vec!["a".to_owned(), "bbbb".to_owned()],
            vec!["ccc".to_owned(), String::new()],
        ];
        assert_eq!(
            table(&["X", "Y"], rows.into_iter()),
            "X    Y\na    bbbb\nccc\n"
        );
    }

    #[test]
    fn settings_are_printed_as_they_can_be_imported() {
        let reply = AdminReply::Settings(vec![("code_length".into(), "6".into())]);
        assert_eq!(lines(&reply), "code_length=6\n");
    }
}
