//! The client: one server, one set of credentials, one connection.

use std::{fmt, sync::Arc};

use crate::{
    AccessClaims, BuildError, ClientBuilder, Passwordless, TokenChecks, TokenError, access_token,
    call::Caller, keys::Keys,
};

/// A client of one server. Cheap to clone; clones share connection, token and keys.
#[derive(Clone)]
pub struct Client {
    pub(crate) caller: Arc<Caller>,
    pub(crate) keys: Arc<Keys>,
}

impl Client {
    /// A client of the server at `url` (`https://host[:port]`, or `http://` for development).
    ///
    /// Nothing is sent before the first call.
    ///
    /// # Errors
    /// When the URL is not an origin, or when an `https://` URL meets a system that trusts
    /// nobody.
    ///
    /// ```
    /// use postern_client::Client;
    ///
    /// let client = Client::new("http://127.0.0.1:8080", "skc_1", "secret")?;
    /// # Ok::<(), postern_client::BuildError>(())
    /// ```
    pub fn new(
        url: &str,
        client_id: impl Into<String>,
        client_secret: impl Into<String>,
    ) -> Result<Self, BuildError> {
        Self::builder(url, client_id, client_secret).build()
    }

    /// The same with settings: a private CA, timeouts, a user agent.
    pub fn builder(
        url: &str,
        client_id: impl Into<String>,
        client_secret: impl Into<String>,
    ) -> ClientBuilder {
        ClientBuilder::new(url, client_id.into(), client_secret.into())
    }

    /// Send, resend and verify.
    pub fn passwordless(&self) -> Passwordless {
        Passwordless::new(Arc::clone(&self.caller))
    }

    /// Checks an access token against the server's published keys: its RS256 signature and
    /// expiry, and what `checks` asks for beyond.
    ///
    /// The keys are fetched once and kept. A token signed by a key not seen before fetches them
    /// again, at most every ten seconds.
    ///
    /// # Errors
    /// Says what is wrong with the token, or that the keys could not be read.
    ///
    /// ```
    /// # use postern_client::{Client, TokenChecks, TokenError};
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/fake.rs"));
    /// # use fake_server::Fake;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = Fake::start().await;
    /// # let client = Client::new(&server.url(), Fake::CLIENT_ID, Fake::CLIENT_SECRET)?;
    /// # let (token, issuer) = (server.access_token(), server.url());
    /// let checks = TokenChecks::new().issuer(&issuer);
    /// let claims = client.validate_access_token(&token, &checks).await?;
    /// assert_eq!(claims.client_id.as_deref(), Some("skc_1"));
    ///
    /// let elsewhere = TokenChecks::new().issuer("https://elsewhere.example");
    /// let refused = client.validate_access_token(&token, &elsewhere).await;
    /// assert!(matches!(refused, Err(TokenError::WrongIssuer)));
    /// # Ok(())
    /// # }
    /// ```
    pub async fn validate_access_token(
        &self,
        token: &str,
        checks: &TokenChecks,
    ) -> Result<AccessClaims, TokenError> {
        let id = access_token::key_id(token)?;
        let key = self.keys.key(&id).await?;
        access_token::check(token, &key, checks)
    }
}

/// Names the server and nothing secret.
impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("url", self.caller.transport.origin())
            .finish_non_exhaustive()
    }
}
