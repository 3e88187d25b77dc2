//! What becomes of each table of the schema.

use super::error::CopyError;
use crate::sqlite::catalog::Shape;

/// What becomes of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// Copied row by row.
    Copied,
    /// Copied row by row; the shared engine has these columns besides, which hold this number in
    /// every row that is copied to it.
    WithOwn(&'static [(&'static str, i64)]),
    /// Not copied row by row, for this reason.
    LeftOut(&'static str),
}

const VERSIONED: Fate = Fate::WithOwn(&[("version", 1)]);

/// Every table there is, in the order in which they are copied.
const FATES: &[(&str, Fate)] = &[
    ("clients", Fate::Copied),
    ("client_secrets", Fate::Copied),
    ("secret_uses", Fate::Copied),
    ("settings", Fate::Copied),
    ("mail_providers", Fate::Copied),
    ("mail_hooks", Fate::Copied),
    ("dkim_keys", Fate::Copied),
    ("mail_templates", Fate::Copied),
    ("mail_template_versions", Fate::Copied),
    ("signing_keys", Fate::Copied),
    ("admins", Fate::Copied),
    ("admin_invites", Fate::Copied),
    ("admin_sessions", Fate::Copied),
    ("audit", Fate::Copied),
    ("suppressions", Fate::Copied),
    ("auth_requests", VERSIONED),
    ("mail_inputs", Fate::Copied),
    ("deliveries", Fate::Copied),
    ("address_sends", VERSIONED),
    ("address_guesses", VERSIONED),
    ("client_sends", VERSIONED),
    ("events", Fate::WithOwn(&[("place", 0)])),
    ("log_requests", Fate::Copied),
    ("log_segments", Fate::Copied),
    ("log_counts", Fate::Copied),
    ("log_refusals", Fate::Copied),
    ("log_minutes", Fate::Copied),
    ("log_hours", Fate::Copied),
    (
        "registry",
        Fate::LeftOut("its one number is set at the end"),
    ),
    (
        "log_cursor",
        Fate::LeftOut("each engine has its own form; set at the end"),
    ),
    (
        "log_waiting",
        Fate::LeftOut("the shared engine's; made of the events after the log's end"),
    ),
    (
        "log_addresses",
        Fate::LeftOut("the embedded engine's; made of log_requests at the end"),
    ),
    (
        "recent_sends_0",
        Fate::LeftOut("the embedded engine's; read as part of address_sends"),
    ),
    (
        "recent_sends_1",
        Fate::LeftOut("the embedded engine's; read as part of address_sends"),
    ),
    (
        "revivals",
        Fate::LeftOut(
            "a note among running nodes of the shared engine; a node that starts looks at all",
        ),
    ),
    ("fence", Fate::LeftOut("each store's own")),
    ("schema_migrations", Fate::LeftOut("each store's own")),
];

/// A table that is copied, as both databases know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Table {
    /// Its name.
    pub(super) name: String,
    /// The columns that both have.
    pub(super) columns: Vec<String>,
    /// Where the key's columns are among them.
    pub(super) key: Vec<usize>,
    /// The shared engine's own columns and what they hold in a copy.
    pub(super) own: &'static [(&'static str, i64)],
}

impl Table {
    /// The names of the key's columns.
    pub(super) fn key_columns(&self) -> Vec<String> {
        self.key
            .iter()
            .map(|at| self.columns[*at].clone())
            .collect()
    }
}

/// The tables to copy, from what the two databases say of themselves.
///
/// # Errors
/// A table or a column that nobody said what to do with.
pub(super) fn plan(sqlite: &[Shape], postgres: &[Shape]) -> Result<Vec<Table>, CopyError> {
    for shape in sqlite.iter().chain(postgres) {
        if FATES.iter().all(|(name, _)| *name != shape.table) {
            return Err(CopyError::Schema(format!(
                "nothing says what becomes of the table {}",
                shape.table
            )));
        }
    }
    let mut tables = Vec::new();
    for (name, fate) in FATES {
        let own = match fate {
            Fate::Copied => &[][..],
            Fate::WithOwn(own) => *own,
            Fate::LeftOut(_) => continue,
        };
        tables.push(table(name, own, (sqlite, postgres))?);
    }
    Ok(tables)
}

fn table(
    name: &str,
    own: &'static [(&'static str, i64)],
    (sqlite, postgres): (&[Shape], &[Shape]),
) -> Result<Table, CopyError> {
    let wrong = |why: String| CopyError::Schema(format!("{name}: {why}"));
    let find = |shapes: &[Shape]| {
        let found = shapes.iter().find(|shape| shape.table == name);
        found
            .cloned()
            .ok_or_else(|| wrong("it is missing".to_owned()))
    };
    let (here, there) = (find(sqlite)?, find(postgres)?);
    let only = |column: &&String| !there.columns.contains(column);
    if let Some(column) = here.columns.iter().find(only) {
        return Err(wrong(format!("PostgreSQL has no column {column}")));
    }
    let known = |column: &&String| {
        let own = own.iter().any(|(name, _)| name == *column);
        own || here.columns.contains(column)
    };
    if let Some(column) = there.columns.iter().find(|column| !known(column)) {
        return Err(wrong(format!("SQLite has no column {column}")));
    }
    if here.key != there.key || here.key.is_empty() {
        return Err(wrong("the keys are not the same".to_owned()));
    }
    let at = |column: &String| here.columns.iter().position(|name| name == column);
    Ok(Table {
        name: name.to_owned(),
        key: here.key.iter().filter_map(at).collect(),
        columns: here.columns,
        own,
    })
}
