//! The server that is driven.

use std::{
    net::{SocketAddr, ToSocketAddrs},
    path::Path,
};

use anyhow::{Context, bail, ensure};
use http::{HeaderValue, Uri};
use postern_client::{Client, SendRequest, VerifyRequest};
use serde::Deserialize;

use crate::{
    args::TargetArgs,
    bodies::Verb,
    http1,
    inbox::Inbox,
    process::{Process, Spent},
    spawn::Spawned,
    watch,
};

/// A server on this machine and who we are to it.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) process: Process,
    /// The first process of the database server that it works on, if there is one.
    database: Option<Process>,
    credentials: Option<Credentials>,
    bearer: HeaderValue,
    /// Ends with us, where we started it.
    pub(crate) spawned: Option<Spawned>,
}

/// As in the `dev.env` of `postern dev`.
pub(crate) struct Credentials {
    url: String,
    client_id: String,
    client_secret: String,
}

#[derive(Deserialize)]
struct Granted {
    access_token: String,
}

impl Server {
    /// The server that the command line names, which must run already.
    pub(crate) async fn attach(args: &TargetArgs) -> anyhow::Result<Self> {
        let credentials = match (&args.env_file, &args.url) {
            (Some(file), _) => Credentials::read(file)?,
            (None, Some(url)) => Credentials {
                url: url.clone(),
                client_id: args.client_id.clone().unwrap_or_default(),
                client_secret: args.client_secret.clone().unwrap_or_default(),
            },
            (None, None) => bail!("name a server: --spawn, --env-file or --url"),
        };
        let address = loopback(&credentials.url)?;
        let process = Process::listening_on(address.port())?;
        Self::known(address, process, credentials).await
    }

    /// A server that we started.
    pub(crate) async fn of(spawned: Spawned) -> anyhow::Result<Self> {
        let credentials = Credentials::read(&spawned.env_file())?;
        let address = loopback(&credentials.url)?;
        let mut server = Self::known(address, spawned.process(), credentials).await?;
        server.spawned = Some(spawned);
        Ok(server)
    }

    /// The same, on the database server whose first process this is.
    pub(crate) fn on(mut self, database: Process) -> Self {
        self.database = Some(database);
        self
    }

    /// The echo, which asks nobody who they are, with the database server that it may work on.
    pub(crate) fn echo(address: SocketAddr, process: Process, database: Option<Process>) -> Self {
        Self {
            address,
            process,
            database,
            credentials: None,
            bearer: HeaderValue::from_static(""),
            spawned: None,
        }
    }

    async fn known(
        address: SocketAddr,
        process: Process,
        credentials: Credentials,
    ) -> anyhow::Result<Self> {
        let mut connection = http1::Connection::open(address).await?;
        let head = http1::Head {
            method: "POST",
            path: Verb::Token.rest_path(),
            content_type: "application/x-www-form-urlencoded",
            authorization: "",
        };
        let answer = connection.call(&head, &credentials.token_form()).await?;
        ensure!(
            answer.status == 200,
            "the token endpoint answered HTTP {}",
            answer.status
        );
        let granted: Granted = serde_json::from_slice(answer.body)?;
        Ok(Self {
            address,
            process,
            database: None,
            credentials: Some(credentials),
            bearer: HeaderValue::from_str(&format!("Bearer {}", granted.access_token))?,
            spawned: None,
        })
    }

    /// CPU time since its start, its database server's processes included.
    pub(crate) fn usage(&self) -> anyhow::Result<Spent> {
        let database = self.database.map(Process::usage_of_family).transpose()?;
        Ok(Spent {
            server: self.process.usage()?,
            database: database.unwrap_or_default(),
        })
    }

    /// What a call of that verb is sent with.
    pub(crate) fn authorization_for(&self, verb: Verb) -> HeaderValue {
        match verb {
            Verb::Token => HeaderValue::from_static(""),
            Verb::Send | Verb::Resend | Verb::Verify => self.bearer.clone(),
        }
    }

    /// The body of a token request.
    pub(crate) fn token_form(&self) -> anyhow::Result<Vec<u8>> {
        let credentials = self
            .credentials
            .as_ref()
            .context("the echo has no clients")?;
        Ok(credentials.token_form())
    }

    /// One whole sign-in through the SDK: figures of a server that does not work are worth
    /// nothing.
    pub(crate) async fn check(&self) -> anyhow::Result<()> {
        let credentials = self
            .credentials
            .as_ref()
            .context("the echo has no clients")?;
        let client = Client::new(
            &credentials.url,
            &credentials.client_id,
            &credentials.client_secret,
        )?;
        let address = format!("check.{}@bench.example.com", watch::run_tag());
        let sent = client
            .passwordless()
            .send(SendRequest::new(&address))
            .await?;
        let code = Inbox::open(self.address).await?.code_for(&address).await?;
        let proof = VerifyRequest::code(&sent.auth_request_id, code);
        let verified = client.passwordless().verify(proof).await?;
        ensure!(verified.email == address, "another address was verified");
        Ok(())
    }
}

impl Credentials {
    /// Lines of `NAME=value`, with or without `export` and quotes.
    fn read(file: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(file)
            .with_context(|| format!("{} cannot be read", file.display()))?;
        let value = |name: &str| {
            text.lines()
                .filter_map(|line| line.trim().trim_start_matches("export ").split_once('='))
                .find(|(known, _)| *known == name)
                .map(|(_, value)| value.trim_matches(['"', '\'']).to_owned())
                .with_context(|| format!("{} names no {name}", file.display()))
        };
        Ok(Self {
            url: value("SCALEKIT_ENVIRONMENT_URL")?,
            client_id: value("SCALEKIT_CLIENT_ID")?,
            client_secret: value("SCALEKIT_CLIENT_SECRET")?,
        })
    }

    fn token_form(&self) -> Vec<u8> {
        // Ids and secrets of Postern need no escaping in a form.
        format!(
            "grant_type=client_credentials&client_id={}&client_secret={}",
            self.client_id, self.client_secret
        )
        .into_bytes()
    }
}

/// The address of a plain URL, if it is this machine's own.
fn loopback(url: &str) -> anyhow::Result<SocketAddr> {
    let uri: Uri = url
        .parse()
        .with_context(|| format!("`{url}` is not a URL"))?;
    ensure!(
        uri.scheme_str() == Some("http"),
        "only http:// is driven, not `{url}`"
    );
    let host = uri.host().context("a URL without a host")?;
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let addresses = (host, uri.port_u16().unwrap_or(80)).to_socket_addrs()?;
    let mut ours = addresses.filter(|address| address.ip().is_loopback());
    // IPv4 first, which is where development servers listen.
    let ours: Vec<_> = ours.by_ref().collect();
    let found = ours
        .iter()
        .find(|address| address.is_ipv4())
        .or(ours.first());
    found
        .copied()
        .with_context(|| format!("only servers on loopback are driven, not `{url}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_is_driven() {
        assert_eq!(loopback("http://127.0.0.1:8080").unwrap().port(), 8080);
        assert!(loopback("http://[::1]:8080").is_ok());
        for url in [
            "http://192.0.2.1:80",
            "http://10.0.0.1",
            "https://127.0.0.1",
            "x",
        ] {
            assert!(loopback(url).is_err(), "{url}");
        }
    }
}
