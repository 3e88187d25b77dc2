//! `postern config …`, and the layers that every command lays.

use std::path::Path;

use super::args::ConfigArgs;
use super::exit::Failure;
use super::show;
use crate::config::{Config, ConfigError, Layers, Mode, print};

/// Defaults, file, environment and `--set`, in that order.
///
/// # Errors
/// The file cannot be read or is not TOML.
pub(super) fn layers(file: Option<&Path>, set: &[String]) -> Result<Layers, ConfigError> {
    let mut layers = Layers::defaults();
    lay(&mut layers, file, set)?;
    Ok(layers)
}

/// File, environment and `--set` over what is there.
///
/// # Errors
/// As [`layers`].
pub(super) fn lay(
    layers: &mut Layers,
    file: Option<&Path>,
    set: &[String],
) -> Result<(), ConfigError> {
    if let Some(file) = file {
        layers.file(file)?;
    }
    layers.environment(std::env::vars_os().filter_map(|(name, text)| {
        let name = name.into_string().ok()?;
        name.starts_with("POSTERN_")
            .then(|| (name, text.to_string_lossy().into_owned()))
    }));
    for assignment in set {
        layers.assignment(assignment);
    }
    Ok(())
}

/// `postern config check`: what `serve` would say, without starting.
pub(super) fn check(args: &ConfigArgs, json: bool) -> Result<(), Failure> {
    let config = Config::read(&layers(Some(&args.config), &args.set)?, Mode::Serve)?;
    crate::root_keys::RootKeys::read(&config.data.root_keys_file)
        .map_err(|error| ConfigError::Refused(vec![error.to_string()]))?;
    crate::disposable::Disposable::read(&config.data.disposable_domains_file)
        .map_err(|error| ConfigError::Refused(vec![error.to_string()]))?;
    if let Some(tls) = &config.tls {
        crate::listen::Tls::load(&tls.certificate_file, &tls.key_file)
            .map_err(|error| ConfigError::Refused(vec![format!("{error:#}")]))?;
    }
    if json {
        return show::json(&serde_json::json!({ "ok": true }));
    }
    show::text(&format!(
        "{} is fine: `postern serve` would start.\n",
        args.config.display()
    ))
}

/// `postern config print`.
pub(super) fn print(file: Option<&Path>, set: &[String], json: bool) -> Result<(), Failure> {
    let layers = layers(file, set)?;
    if !layers.problems().is_empty() {
        return Err(ConfigError::Refused(layers.problems().to_vec()).into());
    }
    if json {
        return show::json(&print::json(&layers));
    }
    show::text(&print::toml(&layers))
}
