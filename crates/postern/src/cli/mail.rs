//! `postern mail …`

use std::path::Path;

use clap::ValueEnum as _;
use postern_core::model::TlsMode;

use super::admin::{carry, read};
use super::args::{MailCommand, PresetArg, ProviderArgs, ProviderCommand, StoreArgs};
use super::exit::{Code, Failure};
use crate::admin::{AdminCommand, NewProvider, NewTokenSource, Revealed};
use crate::mail::{LoginName, Preset, Sender, Shape, microsoft_token_url};

/// Carries out one command on mail.
pub(super) fn run(command: MailCommand, json: bool) -> Result<(), Failure> {
    let (store, command) = match command {
        MailCommand::Test { to, store } => (store, AdminCommand::MailTest { provider: None, to }),
        MailCommand::Provider(command) => provider(command)?,
        MailCommand::Dkim(typed) => {
            let (store, command) = super::dkim::command(typed);
            (store, AdminCommand::Dkim(command))
        }
        MailCommand::Hook(command) => super::hook::command(command)?,
    };
    carry(&store, &command, json)
}

fn provider(command: ProviderCommand) -> Result<(StoreArgs, AdminCommand), Failure> {
    Ok(match command {
        ProviderCommand::Add(typed) => add(*typed)?,
        ProviderCommand::List { store } => (store, AdminCommand::ProviderList),
        ProviderCommand::Test { name, to, store } => {
            let provider = Some(name);
            (store, AdminCommand::MailTest { provider, to })
        }
        ProviderCommand::Order { names, store } => (store, AdminCommand::ProviderOrder { names }),
        ProviderCommand::Remove { name, store } => (store, AdminCommand::ProviderRemove { name }),
    })
}

fn add(typed: ProviderArgs) -> Result<(StoreArgs, AdminCommand), Failure> {
    let shape = shape(&typed).map_err(usage)?;
    let username = match (typed.username.clone(), shape.login) {
        (Some(typed), _) => Some(typed),
        (None, LoginName::Always(name)) => Some(name.to_owned()),
        (None, LoginName::Sender) => Some(address(&typed.from)?),
        (None, LoginName::Own) if typed.preset.is_some() => {
            return Err(usage("this preset needs --username".to_owned()));
        }
        (None, LoginName::Own | LoginName::Password) => None,
    };
    let oauth = token_source(&typed, shape.scope).map_err(usage)?;
    let secret = typed
        .client_secret_file
        .as_deref()
        .or(typed.password_file.as_deref());
    if typed.preset.is_some() && secret.is_none() {
        return Err(usage("this preset needs --password-file".to_owned()));
    }
    let new = NewProvider {
        name: typed.name,
        host: typed.host.unwrap_or(shape.host),
        port: typed.port.unwrap_or(shape.port),
        tls: typed
            .tls
            .map_or(shape.tls.as_str(), |tls| tls.as_str())
            .to_owned(),
        username,
        password: secret.map(secret_in).transpose()?,
        oauth,
        from: typed.from,
        reply_to: typed.reply_to,
        connections: typed.connections.or(shape.connections),
        per_minute: typed.rate.or(shape.per_minute),
    };
    Ok((typed.store, AdminCommand::ProviderAdd(Box::new(new))))
}

/// The preset's shape; without one, host, port and TLS have to be typed.
fn shape(typed: &ProviderArgs) -> Result<Shape, String> {
    if let Some(preset) = typed.preset {
        return Preset::from(preset).shape(typed.region.as_deref());
    }
    if typed.host.is_none() || typed.port.is_none() || typed.tls.is_none() {
        let known = PresetArg::value_variants().iter().copied();
        let known: Vec<_> = known.map(|one| Preset::from(one).as_str()).collect();
        return Err(format!(
            "say --preset ({}), or --host, --port and --tls for any other server",
            known.join(", ")
        ));
    }
    Ok(Shape {
        host: String::new(),
        port: 0,
        tls: TlsMode::Implicit,
        login: LoginName::Own,
        connections: None,
        per_minute: None,
        scope: None,
    })
}

fn token_source(
    typed: &ProviderArgs,
    scope: Option<&'static str>,
) -> Result<Option<NewTokenSource>, String> {
    let url = match (&typed.token_url, &typed.tenant) {
        (Some(url), _) => Some(url.clone()),
        (None, Some(tenant)) => Some(microsoft_token_url(tenant)?),
        (None, None) => None,
    };
    match (url, typed.client_id.clone()) {
        (Some(url), Some(client_id)) => Ok(Some(NewTokenSource {
            url,
            client_id,
            scope: typed.scope.clone().or(scope.map(str::to_owned)),
        })),
        (None, None) if scope.is_some() && typed.password_file.is_none() => {
            Err("this preset needs --tenant, --client-id and --client-secret-file".to_owned())
        }
        (None, None) => Ok(None),
        (Some(_), None) => Err("access tokens need --client-id".to_owned()),
        (None, Some(_)) if scope.is_some() => Err(
            "this preset needs --tenant: the id or domain of your Microsoft 365 tenant".to_owned(),
        ),
        (None, Some(_)) => Err("--client-id goes with --token-url or --tenant".to_owned()),
    }
}

fn address(from: &str) -> Result<String, Failure> {
    let sender: Sender = from
        .parse()
        .map_err(|problem| usage(format!("--from: {problem}")))?;
    Ok(sender.address().to_string())
}

fn secret_in(file: &Path) -> Result<Revealed, Failure> {
    let text = read(file)?;
    Ok(Revealed::new(
        text.trim_end_matches(['\r', '\n']).to_owned(),
    ))
}

fn usage(told: String) -> Failure {
    Failure::new(Code::Usage, told)
}
