//! An authoritative DNS server on loopback, with the records that a test gives it.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hickory_server::Server;
use hickory_server::proto::rr::{LowerName, Name};
use hickory_server::proto::serialize::txt::Parser;
use hickory_server::store::in_memory::InMemoryZoneHandler;
use hickory_server::zone_handler::{AxfrPolicy, Catalog, ZoneType};
use tokio::net::{TcpListener, UdpSocket};

/// How often a port is looked for that is free over both UDP and TCP.
const TRIES: usize = 20;

/// A running server. It answers for the whole tree of names, over UDP and TCP at the same port,
/// until it is dropped: what its zone does not hold does not exist.
pub struct DnsServer {
    addr: SocketAddr,
    _serving: Server<Catalog>,
}

impl DnsServer {
    /// Serves `records`, written as in a zone file: `example.com. TXT "v=spf1 -all"`.
    ///
    /// # Errors
    /// The records do not read, or no port is free.
    pub async fn start(records: &str) -> io::Result<Self> {
        let (udp, tcp) = bind().await?;
        let addr = udp.local_addr()?;
        let mut serving = Server::new(catalog(records)?);
        serving.register_socket(udp);
        serving.register_listener(tcp, Duration::from_secs(10), 16);
        Ok(Self {
            addr,
            _serving: serving,
        })
    }

    /// Where it answers.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }
}

fn catalog(records: &str) -> io::Result<Catalog> {
    let zone = format!(
        "$TTL 60\n. SOA ns.test. admin.test. 1 3600 600 86400 60\n. NS ns.test.\n{records}\n"
    );
    let refused = |error: &dyn std::fmt::Display| io::Error::other(format!("the zone: {error}"));
    let (origin, sets) = Parser::new(zone, None, Some(Name::root()))
        .parse()
        .map_err(|error| refused(&error))?;
    let zone: InMemoryZoneHandler =
        InMemoryZoneHandler::new(origin, sets, ZoneType::Primary, AxfrPolicy::Deny)
            .map_err(|error| refused(&error))?;
    let mut catalog = Catalog::new();
    catalog.upsert(LowerName::from(Name::root()), vec![Arc::new(zone)]);
    Ok(catalog)
}

async fn bind() -> io::Result<(UdpSocket, TcpListener)> {
    let mut last = io::ErrorKind::AddrInUse.into();
    for _ in 0..TRIES {
        let udp = UdpSocket::bind("127.0.0.1:0").await?;
        match TcpListener::bind(udp.local_addr()?).await {
            Ok(tcp) => return Ok((udp, tcp)),
            Err(error) => last = error,
        }
    }
    Err(last)
}
