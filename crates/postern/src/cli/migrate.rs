//! `postern migrate`.

use std::path::Path;

use super::args::MigrateArgs;
use super::exit::Failure;
use super::{config, show, store};
use crate::compose;
use crate::config::{Config, Origin};

/// Brings the schema up to this release and tells what was applied.
pub(super) fn run(args: &MigrateArgs, json: bool) -> Result<(), Failure> {
    let config = find(args)?;
    let applied = compose::small_runtime()?.block_on(compose::migrate(&config))?;
    if json {
        return show::json(&serde_json::json!({ "applied": applied }));
    }
    if applied.is_empty() {
        return show::text("the store is up to date\n");
    }
    show::text(&format!("applied: {}\n", applied.join(", ")))
}

/// The store that is named; of a database that is named alone nothing else has to be known.
fn find(args: &MigrateArgs) -> Result<Config, Failure> {
    let Some(url) = &args.database else {
        return store::find(&args.store);
    };
    let mut layers = config::layers(args.store.config.as_deref(), &[])?;
    layers.put_text("data.database_url", url, Origin::Flag("--database"));
    let data = args.store.data.as_deref();
    Ok(store::dev_config(
        layers,
        data.unwrap_or(Path::new(store::DEV_DATA)),
    )?)
}
