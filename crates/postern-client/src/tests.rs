//! The client against a scripted server: each test one sentence of behaviour.

mod access_token;
mod building;
mod calls;
mod leaving;
mod repeats;
mod tls;
mod token;

use std::{sync::atomic::Ordering, time::Duration};

use crate::{
    Client, ClientBuilder, SendRequest,
    clock::Clock,
    fake_server::{Fake, Step, World, lock},
};

/// A server and a client that knows its secret and waits for nothing.
struct Pair {
    server: Fake,
    client: Client,
    clock: Clock,
}

impl Pair {
    async fn new() -> Self {
        Self::with(|builder| builder).await
    }

    async fn with(set: impl FnOnce(ClientBuilder) -> ClientBuilder) -> Self {
        let server = Fake::start().await;
        let builder = Client::builder(&server.url(), Fake::CLIENT_ID, Fake::CLIENT_SECRET);
        let builder = set(builder.back_off(Duration::ZERO));
        let clock = builder.clock.clone();
        let client = builder.build().expect("the fake's URL is an origin");
        Self {
            server,
            client,
            clock,
        }
    }

    fn world(&self) -> &World {
        self.server.world()
    }

    fn next_call(&self, step: Step) {
        lock(&self.world().script).push_back(step);
    }

    fn calls(&self) -> usize {
        self.world().calls.load(Ordering::Relaxed)
    }

    fn tokens_given(&self) -> usize {
        self.world().tokens_given.load(Ordering::Relaxed)
    }

    /// Every token given so far is no longer accepted.
    fn revoke_tokens(&self) {
        self.world()
            .tokens_revoked
            .store(self.tokens_given(), Ordering::Relaxed);
    }

    async fn send(&self) -> Result<crate::Sent, crate::Error> {
        let request = SendRequest::new("ada@example.com");
        self.client.passwordless().send(request).await
    }
}
