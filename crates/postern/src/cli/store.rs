//! Which store a command works on, and carrying the command to it.

use std::path::Path;

use super::args::StoreArgs;
use super::config;
use super::exit::{Code, Failure};
use crate::admin::{AdminCommand, AdminReply, Remote};
use crate::compose::{self, StartError};
use crate::config::{Config, ConfigError, Layers, Mode, Origin};

/// The data directory of `postern dev` when none is named.
pub(super) const DEV_DATA: &str = "./postern-data";

/// The configuration of the store that `args` name.
///
/// # Errors
/// Neither flag is given and there is no `./postern-data`, or the configuration is refused.
pub(super) fn find(args: &StoreArgs) -> Result<Config, Failure> {
    let config = match (&args.config, &args.data) {
        (Some(file), _) => of_serve(&config::layers(Some(file), &[])?)?,
        (None, Some(data)) => of_dev(data)?,
        (None, None) if Path::new(DEV_DATA).is_dir() => of_dev(Path::new(DEV_DATA))?,
        (None, None) => {
            let told = "say which store: --data DIR (of `postern dev`) or --config FILE (of `postern serve`)";
            return Err(Failure::new(Code::Usage, told));
        }
    };
    Ok(config)
}

/// Has the command executed, by the running server when there is one, else here.
///
/// # Errors
/// It is refused, or the store cannot be reached.
pub(super) fn execute(args: &StoreArgs, command: &AdminCommand) -> Result<AdminReply, Failure> {
    let config = find(args)?;
    compose::small_runtime()?.block_on(async {
        let found = Remote::find(&config.data.dir).await;
        let cannot = |error| {
            format!(
                "cannot talk to the server at {}: {error}",
                config.data.dir.display()
            )
        };
        match found.map_err(|error| Failure::failed(cannot(error)))? {
            Some(remote) => remote.execute(command).await.map_err(Failure::failed),
            None => here(&config, command).await,
        }
    })
}

async fn here(config: &Config, command: &AdminCommand) -> Result<AdminReply, Failure> {
    let desk = compose::desk(config).await?;
    let answer = desk
        .admin
        .execute(command.clone())
        .await
        .map_err(Failure::failed);
    desk.close().await;
    answer
}

fn of_serve(layers: &Layers) -> Result<Config, ConfigError> {
    let mut config = Config::read(layers, Mode::Dev)?;
    // Read leniently, for a server's settings need not be fit to serve; but it is a server's store.
    config.mode = Mode::Serve;
    if config.data.root_keys_file.as_os_str().is_empty() {
        // The same words as `serve` has for it.
        Config::read(layers, Mode::Serve)?;
    }
    Ok(config)
}

fn of_dev(data: &Path) -> Result<Config, Failure> {
    if !data.is_dir() {
        let told = format!(
            "there is no data directory at {}: `postern dev` makes one",
            data.display()
        );
        return Err(Failure::failed(told));
    }
    Ok(dev_config(Layers::defaults(), data)?)
}

/// A development configuration on this data directory, over what `layers` hold.
///
/// # Errors
/// A value is refused.
pub(super) fn dev_config(mut layers: Layers, data: &Path) -> Result<Config, ConfigError> {
    let dev = Origin::Command("postern dev");
    let keys = data.join("root.keys");
    layers.put_text("data.dir", &data.to_string_lossy(), dev.clone());
    layers.suggest("data.root_keys_file", &keys.to_string_lossy(), dev.clone());
    layers.suggest("outbox.transport", "inbox", dev);
    Config::read(&layers, Mode::Dev)
}

impl From<StartError> for Failure {
    fn from(error: StartError) -> Self {
        let code = match &error {
            StartError::InUse(_) => Code::InUse,
            StartError::Listen { .. } => Code::Listen,
            StartError::RootKeys(_) | StartError::Certificate(_) => Code::Config,
            StartError::Data { .. } | StartError::Other(_) => Code::Failed,
        };
        Self::new(code, error.to_string())
    }
}
