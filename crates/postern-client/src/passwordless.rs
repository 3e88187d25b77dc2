//! The three calls.

use std::{net::IpAddr, sync::Arc};

use postern_proto::scalekit::v1::auth::passwordless::{
    ResendPasswordlessRequest, passwordless_service_client::PasswordlessServiceClient,
};

use tonic::metadata::MetadataMap;

use crate::{
    Error, SendRequest, Sent, Verified, VerifyRequest, call::Caller, transport::Transport,
};

/// Send, resend and verify. Made by [`Client::passwordless`](crate::Client::passwordless).
#[derive(Clone)]
pub struct Passwordless {
    caller: Arc<Caller>,
    told: MetadataMap,
}

impl Passwordless {
    pub(crate) fn new(caller: Arc<Caller>) -> Self {
        Self {
            caller,
            told: MetadataMap::new(),
        }
    }

    /// The same calls, made for the person at `address` with the browser `user_agent`. Postern shows
    /// both in the timeline of the request and decides nothing by them.
    ///
    /// ```
    /// # use postern_client::{Client, SendRequest};
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/fake.rs"));
    /// # use fake_server::Fake;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = Fake::start().await;
    /// # let client = Client::new(&server.url(), Fake::CLIENT_ID, Fake::CLIENT_SECRET)?;
    /// # let (peer, agent) = ([192, 0, 2, 7], "Mozilla/5.0");
    /// let person = client
    ///     .passwordless()
    ///     .for_person(peer.into(), agent)
    ///     .languages("de-CH,de;q=0.9");
    /// person.send(SendRequest::new("ada@example.com")).await?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn for_person(mut self, address: IpAddr, user_agent: &str) -> Self {
        self.tell("postern-client-ip", &address.to_string());
        self.tell("postern-user-agent", user_agent);
        self
    }

    /// The same calls, for a person who reads these languages: the `Accept-Language` of the browser,
    /// by which Postern chooses the language of a mail.
    #[must_use]
    pub fn languages(mut self, accept_language: &str) -> Self {
        self.tell("accept-language", accept_language);
        self
    }

    /// Leaves out what no header may hold.
    fn tell(&mut self, name: &'static str, value: &str) {
        let visible = |letter: &char| matches!(letter, ' '..='~');
        let value: String = value.chars().filter(visible).collect();
        if let Ok(value) = value.parse() {
            self.told.insert(name, value);
        }
    }

    /// Mails a code, a link or both, and opens an auth request.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] names fields that break a rule; [`Error::RateLimited`] when the
    /// address had its mails for now; [`Error::NotReady`] when the server cannot mail yet.
    ///
    /// ```
    /// # use postern_client::{Client, SendRequest};
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/fake.rs"));
    /// # use fake_server::Fake;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = Fake::start().await;
    /// # let client = Client::new(&server.url(), Fake::CLIENT_ID, Fake::CLIENT_SECRET)?;
    /// let request = SendRequest::new("ada@example.com")
    ///     .magiclink_auth_uri("https://app.example.com/signed-in")
    ///     .state("cart-17");
    /// let sent = client.passwordless().send(request).await?;
    /// assert_eq!(sent.expires_in.as_secs(), 300);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn send(&self, request: SendRequest) -> Result<Sent, Error> {
        let message = request.into_wire();
        let answer = self
            .caller
            .call(message, &self.told, |transport, request| async move {
                stub(transport).send_passwordless_email(request).await
            });
        answer.await.map(Sent::from)
    }

    /// Mails again for the same auth request. Where the server regenerates on resend, the code
    /// and link mailed before are no longer valid.
    ///
    /// # Errors
    /// [`Error::RateLimited`] when the address had its mails for now; [`Error::Used`],
    /// [`Error::TooManyAttempts`] or [`Error::StartAgain`] when only a new send helps.
    ///
    /// ```
    /// # use postern_client::{Client, SendRequest};
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/fake.rs"));
    /// # use fake_server::Fake;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = Fake::start().await;
    /// # let client = Client::new(&server.url(), Fake::CLIENT_ID, Fake::CLIENT_SECRET)?;
    /// let passwordless = client.passwordless();
    /// let sent = passwordless.send(SendRequest::new("ada@example.com")).await?;
    /// let again = passwordless.resend(&sent.auth_request_id).await?;
    /// assert_eq!(again.auth_request_id, sent.auth_request_id);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn resend(&self, auth_request_id: &str) -> Result<Sent, Error> {
        let message = ResendPasswordlessRequest {
            auth_request_id: auth_request_id.to_owned(),
        };
        let answer = self
            .caller
            .call(message, &self.told, |transport, request| async move {
                stub(transport).resend_passwordless_email(request).await
            });
        answer.await.map(Sent::from)
    }

    /// Checks a typed code or the token of an opened link. A proof is accepted once.
    ///
    /// # Errors
    /// [`Error::InvalidCode`] and [`Error::InvalidLink`]: ask the person again;
    /// [`Error::Superseded`]: the newest mail counts; [`Error::Expired`]: resend;
    /// [`Error::Used`] and [`Error::TooManyAttempts`]: send anew; [`Error::OtherBrowser`]: the
    /// link belongs to another browser's session.
    ///
    /// ```
    /// # use postern_client::{Client, Error, SendRequest, VerifyRequest};
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/fake.rs"));
    /// # use fake_server::Fake;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = Fake::start().await;
    /// # let client = Client::new(&server.url(), Fake::CLIENT_ID, Fake::CLIENT_SECRET)?;
    /// # let passwordless = client.passwordless();
    /// # let sent = passwordless.send(SendRequest::new("ada@example.com")).await?;
    /// let wrong = VerifyRequest::code(&sent.auth_request_id, "000000");
    /// let Err(Error::InvalidCode(refusal)) = passwordless.verify(wrong).await else {
    ///     panic!("a wrong code is refused");
    /// };
    /// assert_eq!(refusal.attempts_left(), Some(4));
    ///
    /// # let link_token = Fake::LINK_TOKEN;
    /// let verified = passwordless.verify(VerifyRequest::link(link_token)).await?;
    /// assert_eq!(verified.email, "ada@example.com");
    /// # Ok(())
    /// # }
    /// ```
    pub async fn verify(&self, request: VerifyRequest) -> Result<Verified, Error> {
        let message = request.into_wire();
        let answer = self
            .caller
            .call(message, &self.told, |transport, request| async move {
                stub(transport).verify_passwordless_email(request).await
            });
        answer.await.map(Verified::from)
    }
}

fn stub(transport: Transport) -> PasswordlessServiceClient<Transport> {
    let origin = transport.origin().clone();
    PasswordlessServiceClient::with_origin(transport, origin)
}
