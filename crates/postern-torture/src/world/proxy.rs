use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Result;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

/// What a wire does with what it is given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Wire {
    /// Carries it.
    #[default]
    Whole,
    /// Carries it so much later.
    Slow(Duration),
    /// Keeps it, without a word, until it is whole again.
    Silent,
    /// Breaks every connection, also new ones.
    Cut,
}

/// A wire between a node and one server of the database, which can be cut.
pub(crate) struct Proxy {
    address: SocketAddr,
    wire: watch::Sender<Wire>,
    task: JoinHandle<()>,
}

impl Proxy {
    /// A wire that leads to `target`.
    pub(crate) async fn to(target: SocketAddr) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let wire = watch::Sender::new(Wire::Whole);
        let task = tokio::spawn(carry(listener, target, wire.subscribe()));
        Ok(Self {
            address,
            wire,
            task,
        })
    }

    /// Where it begins.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Breaks or mends it.
    pub(crate) fn set(&self, wire: Wire) {
        self.wire.send_replace(wire);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn carry(listener: TcpListener, target: SocketAddr, wire: watch::Receiver<Wire>) {
    let mut connections = JoinSet::new();
    while let Ok((near, _)) = listener.accept().await {
        connections.spawn(connection(near, target, wire.clone()));
        while connections.try_join_next().is_some() {}
    }
}

/// Carries one connection until either side ends it or it is cut.
async fn connection(near: TcpStream, target: SocketAddr, mut wire: watch::Receiver<Wire>) {
    if *wire.borrow() == Wire::Cut {
        return;
    }
    let Ok(far) = TcpStream::connect(target).await else {
        return;
    };
    let _ = (near.set_nodelay(true), far.set_nodelay(true));
    let ((near_in, near_out), (far_in, far_out)) = (near.into_split(), far.into_split());
    let (there, back) = (wire.clone(), wire.clone());
    tokio::select! {
        () = pump(near_in, far_out, there) => {}
        () = pump(far_in, near_out, back) => {}
        _ = wire.wait_for(|wire| *wire == Wire::Cut) => {}
    }
}

async fn pump(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut wire: watch::Receiver<Wire>) {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let Ok(read @ 1..) = from.read(&mut buffer).await else {
            return;
        };
        let Ok(now) = wire
            .wait_for(|wire| *wire != Wire::Silent)
            .await
            .map(|now| *now)
        else {
            return;
        };
        if let Wire::Slow(by) = now {
            tokio::time::sleep(by).await;
        }
        if to.write_all(&buffer[..read]).await.is_err() {
            return;
        }
    }
}
