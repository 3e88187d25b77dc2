//! `postern dev`: everything made at first start and kept for the next.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use postern_core::flow::Postern;
use postern_core::model::Role;
use postern_store::DataDir;

use super::args::DevArgs;
use super::exit::{Code, Failure};
use super::serve::Stop;
use super::{config, show, store, walk};
use crate::certificates::PrivateCa;
use crate::compose::{self, Machine, StartError};
use crate::config::{Config, Layers, Origin};
use crate::telemetry::logs;
use crate::{private_file, world};

/// Who owns a development server.
const OWNER: &str = "owner@example.com";

/// What applications are told: `DATA/dev.env`.
struct Credentials {
    client_id: String,
    client_secret: String,
}

/// Runs the development server until it is told to stop.
pub(super) fn run(args: &DevArgs, json: bool) -> Result<(), Failure> {
    world::seed_early();
    let layers = layers(args)?;
    let named = args
        .data
        .as_deref()
        .or(layers.typed("data.dir").map(Path::new));
    let data = make(named.unwrap_or(Path::new(store::DEV_DATA)))?;
    let (config, ca) = configure(args, layers, &data)?;
    logs::init(&config.log).map_err(Failure::failed)?;
    compose::runtime(&config)?.block_on(async {
        let stop = Stop::watch()?;
        let machine = Machine::build(config).await?;
        set(machine.postern(), &args.set).await?;
        let credentials = credentials(machine.postern(), &data).await?;
        let url = machine.url().to_owned();
        keep(&credentials, &url, &data)?;
        let owner = machine.postern().invite_admin(OWNER, Role::Owner).await;
        let owner = owner.map_err(Failure::failed)?;
        let told = Told {
            url: &url,
            data: &data,
            ca: ca.as_ref(),
            credentials: &credentials,
            dashboard: format!("{url}/dashboard/invite?token={}", owner.expose()),
        };
        if json {
            show::json(&told.json())?;
        } else {
            show::text(&told.text())?;
        }
        machine.run(stop.asked()).await.map_err(Failure::from)
    })
}

/// The data directory, made when missing, as an absolute path.
fn make(data: &Path) -> Result<PathBuf, Failure> {
    let made = private_file::directory_at(data).and_then(|()| data.canonicalize());
    made.map_err(|error| {
        Failure::failed(format_args!(
            "cannot use the data directory {}: {error}",
            data.display()
        ))
    })
}

/// What was typed, but for the data directory and the certificate.
fn layers(args: &DevArgs) -> Result<Layers, Failure> {
    let ours = |one: &&String| !one.starts_with(SETTINGS);
    let set: Vec<_> = args.set.iter().filter(ours).cloned().collect();
    let mut layers = config::layers(None, &set)?;
    if let Some(listen) = &args.listen {
        layers.put_text("server.listen", listen, Origin::Flag("--listen"));
    }
    if let Some(metrics) = args.metrics {
        layers.put_text(
            "metrics.listen",
            &metrics.to_string(),
            Origin::Flag("--metrics"),
        );
    }
    layers.suggest("server.drain", "0s", Origin::Command("postern dev"));
    Ok(layers)
}

fn configure(
    args: &DevArgs,
    mut layers: Layers,
    data: &Path,
) -> Result<(Config, Option<PrivateCa>), Failure> {
    let ca = if args.tls {
        Some(certified(data)?)
    } else {
        None
    };
    if let Some(ca) = &ca {
        for (key, file) in [
            ("tls.certificate_file", &ca.leaf_file),
            ("tls.key_file", &ca.leaf_key_file),
        ] {
            layers.put_text(key, &file.to_string_lossy(), Origin::Flag("--tls"));
        }
    }
    let config = store::dev_config(layers, data)?;
    refuse_remote(config.server.listen, args.allow_remote)?;
    Ok((config, ca))
}

/// The private CA with a fresh certificate; made only while nobody serves from this directory.
fn certified(data: &Path) -> Result<PrivateCa, Failure> {
    let _held = DataDir::open(data).map_err(StartError::from)?;
    Ok(PrivateCa::at(data)?)
}

/// `--set settings.KEY=VALUE` changes a setting of the development store at start.
const SETTINGS: &str = "settings.";

async fn set(postern: &Postern, set: &[String]) -> Result<(), Failure> {
    let changes = set
        .iter()
        .filter_map(|one| one.strip_prefix(SETTINGS)?.split_once('='));
    let changes: Vec<_> = changes
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect();
    if changes.is_empty() {
        return Ok(());
    }
    postern
        .change_settings(changes)
        .await
        .map(drop)
        .map_err(Failure::failed)
}

/// Development has no TLS by a known authority and shows every mail: others must not reach it by
/// accident.
fn refuse_remote(listen: SocketAddr, allowed: bool) -> Result<(), Failure> {
    if allowed || listen.ip().is_loopback() {
        return Ok(());
    }
    let told = format!(
        "--listen {listen} can be reached by others: `postern dev` listens on loopback unless --allow-remote says \
         otherwise; for production use `postern serve`"
    );
    Err(Failure::new(Code::Config, told))
}

/// The client of the last start if it is still good, else a new one.
async fn credentials(postern: &Postern, data: &Path) -> Result<Credentials, Failure> {
    let kept = private_file::read(&env_file(data))
        .map_err(Failure::failed)?
        .unwrap_or_default();
    let value = |name: &str| {
        kept.lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix('='))
    };
    if let (Some(id), Some(secret)) = (value("SCALEKIT_CLIENT_ID"), value("SCALEKIT_CLIENT_SECRET"))
        && postern.authenticate(id, secret).is_ok()
    {
        return Ok(Credentials {
            client_id: id.to_owned(),
            client_secret: secret.to_owned(),
        });
    }
    let made = postern
        .create_client("development")
        .await
        .map_err(Failure::failed)?;
    Ok(Credentials {
        client_id: made.id.to_string(),
        client_secret: made.secret.expose().to_owned(),
    })
}

fn keep(credentials: &Credentials, url: &str, data: &Path) -> Result<(), Failure> {
    let text = variables(credentials, url);
    private_file::replace(&env_file(data), text.as_bytes()).map_err(Failure::failed)
}

fn env_file(data: &Path) -> PathBuf {
    data.join(crate::config::DEVELOPMENT_FILE)
}

fn variables(credentials: &Credentials, url: &str) -> String {
    format!(
        "SCALEKIT_ENVIRONMENT_URL={url}\nSCALEKIT_CLIENT_ID={}\nSCALEKIT_CLIENT_SECRET={}\n",
        credentials.client_id, credentials.client_secret
    )
}

/// What is told once it listens.
struct Told<'a> {
    url: &'a str,
    data: &'a Path,
    ca: Option<&'a PrivateCa>,
    credentials: &'a Credentials,
    dashboard: String,
}

impl Told<'_> {
    fn text(&self) -> String {
        let (url, ca) = (self.url, self.ca.map(|ca| ca.certificate_file.as_path()));
        let mut out = format!("Postern is running at {url}\n\n");
        out.push_str(&variables(self.credentials, url));
        let _ = write!(
            out,
            "(also in {})\n\nDashboard: {}\n(signs you in once, within an hour; later sign in as {OWNER}, whose mail is in the inbox)\n\n\
             Inbox: {url}/dev/inbox\n",
            env_file(self.data).display(),
            self.dashboard
        );
        if let Some(ca) = ca {
            let _ = write!(out, "\n{}", walk::trust(ca));
        }
        let _ = write!(
            out,
            "\nTry it:\n\n{}\nStop with Ctrl-C.\n",
            walk::script(self.data, url, ca)
        );
        out
    }

    fn json(&self) -> serde_json::Value {
        serde_json::json!({
            "url": self.url,
            "client_id": self.credentials.client_id,
            "client_secret": self.credentials.client_secret,
            "dashboard_url": self.dashboard,
            "inbox_url": format!("{}/dev/inbox", self.url),
            "env_file": env_file(self.data),
            "ca_file": self.ca.map(|ca| &ca.certificate_file),
        })
    }
}
