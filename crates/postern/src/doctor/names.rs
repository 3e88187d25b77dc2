//! What DNS says, within a bound.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig};
use hickory_resolver::lookup::Lookup;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::{RData, RecordType};
use tokio::time::timeout;

/// How long a server may take to answer one try of a question; it is asked twice.
const ANSWER: Duration = Duration::from_secs(2);
/// How long one question may take in all, over every server and both protocols.
const QUESTION: Duration = Duration::from_secs(6);

/// Asks for records.
#[derive(Clone)]
pub(super) struct Names {
    resolver: TokioResolver,
}

/// Why there is no record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Missing {
    /// DNS says that there is none.
    Absent,
    /// DNS does not say: a server failed or did not answer.
    Unknown(String),
}

/// A host that takes mail for a domain.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Exchange {
    /// Lower ones are tried first.
    pub(super) preference: u16,
    /// Its name, without the last dot; empty is a domain that takes no mail (RFC 7505).
    pub(super) host: String,
}

impl Names {
    /// Asks this server, or those of the system's configuration.
    ///
    /// # Errors
    /// The system's configuration does not read, as a sentence.
    pub(super) fn at(server: Option<SocketAddr>) -> Result<Self, String> {
        let runtime = TokioRuntimeProvider::default();
        let mut builder = match server {
            Some(server) => TokioResolver::builder_with_config(only(server), runtime),
            None => TokioResolver::builder(runtime)
                .map_err(|error| format!("the system's DNS configuration: {error}"))?,
        };
        let options = builder.options_mut();
        options.timeout = ANSWER;
        options.attempts = 2;
        let resolver = builder
            .build()
            .map_err(|error| format!("the DNS resolver: {error}"))?;
        Ok(Self { resolver })
    }

    /// The texts of a name, each of its pieces joined.
    pub(super) async fn texts(&self, name: &str) -> Result<Vec<String>, Missing> {
        self.ask(name, RecordType::TXT, |data| match data {
            RData::TXT(text) => {
                let joined = text.txt_data.concat();
                Some(String::from_utf8_lossy(&joined).into_owned())
            }
            _ => None,
        })
        .await
    }

    /// Who takes mail for a domain, the first to try first.
    pub(super) async fn exchanges(&self, domain: &str) -> Result<Vec<Exchange>, Missing> {
        let read = |data: &RData| match data {
            RData::MX(mx) => Some(Exchange {
                preference: mx.preference,
                host: mx.exchange.to_ascii().trim_end_matches('.').to_owned(),
            }),
            _ => None,
        };
        let mut found = self.ask(domain, RecordType::MX, read).await?;
        found.sort();
        Ok(found)
    }

    /// The addresses of a host, of either kind.
    pub(super) async fn addresses(&self, host: &str) -> Result<Vec<IpAddr>, Missing> {
        let read = |data: &RData| match data {
            RData::A(address) => Some(IpAddr::V4(address.0)),
            RData::AAAA(address) => Some(IpAddr::V6(address.0)),
            _ => None,
        };
        let (four, six) = tokio::join!(
            self.ask(host, RecordType::A, read),
            self.ask(host, RecordType::AAAA, read)
        );
        match (four, six) {
            (Ok(mut four), Ok(six)) => {
                four.extend(six);
                Ok(four)
            }
            (Ok(found), Err(_)) | (Err(_), Ok(found)) => Ok(found),
            (Err(Missing::Unknown(why)), _) | (_, Err(Missing::Unknown(why))) => {
                Err(Missing::Unknown(why))
            }
            (Err(Missing::Absent), Err(Missing::Absent)) => Err(Missing::Absent),
        }
    }

    async fn ask<T>(
        &self,
        name: &str,
        kind: RecordType,
        read: impl Fn(&RData) -> Option<T>,
    ) -> Result<Vec<T>, Missing> {
        // With its last dot a name is whole: the system's search list is for other uses.
        let whole = format!("{}.", name.trim_end_matches('.'));
        let asked = timeout(QUESTION, self.resolver.lookup(whole, kind)).await;
        let answer = asked
            .unwrap_or(Err(NetError::Timeout))
            .map_err(|error| missing(&error))?;
        let found = records(&answer, read);
        if found.is_empty() {
            return Err(Missing::Absent);
        }
        Ok(found)
    }
}

fn only(server: SocketAddr) -> ResolverConfig {
    let at_port = |mut way: ConnectionConfig| {
        way.port = server.port();
        way
    };
    let ways = [ConnectionConfig::udp(), ConnectionConfig::tcp()].map(at_port);
    let server = NameServerConfig::new(server.ip(), true, ways.into());
    ResolverConfig::from_name_servers(vec![server])
}

fn records<T>(answer: &Lookup, read: impl Fn(&RData) -> Option<T>) -> Vec<T> {
    let data = answer.answers().iter().map(|record| &record.data);
    data.filter_map(read).collect()
}

fn missing(error: &NetError) -> Missing {
    match error {
        NetError::Dns(DnsError::NoRecordsFound(none))
            if [ResponseCode::NXDomain, ResponseCode::NoError].contains(&none.response_code) =>
        {
            Missing::Absent
        }
        NetError::Timeout => Missing::Unknown("no DNS server answered in time".to_owned()),
        _ => Missing::Unknown(format!("DNS: {error}")),
    }
}
