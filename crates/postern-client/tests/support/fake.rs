// A tiny server of the contract for doc tests and unit tests, included as text by both. It serves
// one client, one code and one link, and does what a test scripts.

pub(crate) mod fake_server {
    use std::{
        collections::{HashMap, VecDeque},
        net::SocketAddr,
        sync::{
            Arc, Mutex, MutexGuard,
            atomic::{AtomicU64, AtomicUsize, Ordering},
        },
        time::{SystemTime, UNIX_EPOCH},
    };

    use aws_lc_rs::{
        encoding::{AsDer, Pkcs8V1Der},
        rand::SystemRandom,
        rsa::{KeySize, PublicKeyComponents},
        signature::{KeyPair, RSA_PKCS1_SHA256, RsaKeyPair},
    };
    use axum::{
        Router,
        extract::State,
        http::{StatusCode, header::CONTENT_TYPE},
        response::{IntoResponse, Response},
        routing::{get, post},
        serve::Listener,
    };
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    use hyper_util::{
        rt::{TokioExecutor, TokioIo},
        server::conn::auto,
        service::TowerToHyperService,
    };
    use postern_proto::{
        ERROR_INFO_TYPE_URL,
        google::rpc,
        scalekit::v1::{
            auth::passwordless::{
                PasswordlessType, ResendPasswordlessRequest, SendPasswordlessRequest,
                SendPasswordlessResponse, VerifyPasswordLessRequest, VerifyPasswordLessResponse,
                passwordless_service_server::{PasswordlessService, PasswordlessServiceServer},
                verify_password_less_request::AuthCredential,
            },
            errdetails::ErrorInfo,
        },
    };
    use prost::Message;
    use tokio::{net::TcpListener, task::AbortHandle};
    use tonic::{Code, Request, Status};

    type Answer<T> = Result<tonic::Response<T>, Status>;

    /// A running server; it stops when dropped.
    pub(crate) struct Fake {
        address: SocketAddr,
        scheme: &'static str,
        world: Arc<World>,
        accepting: AbortHandle,
    }

    /// What the server knows and counts.
    #[derive(Default)]
    pub(crate) struct World {
        pub(crate) calls: AtomicUsize,
        pub(crate) tokens_given: AtomicUsize,
        pub(crate) keys_read: AtomicUsize,
        /// Tokens are numbered; those up to this one are no longer accepted.
        pub(crate) tokens_revoked: AtomicUsize,
        pub(crate) token_lifetime: AtomicU64,
        /// What the next token requests meet instead of a token.
        pub(crate) token_answers: Mutex<VecDeque<u16>>,
        /// What the next calls meet instead of their answer.
        pub(crate) script: Mutex<VecDeque<Step>>,
        pub(crate) keys: Mutex<Vec<(String, Arc<RsaKeyPair>)>>,
        pub(crate) sends: Mutex<Vec<SendPasswordlessRequest>>,
        pub(crate) agents: Mutex<Vec<String>>,
        /// What calls told of the person they were made for: address, browser, languages.
        pub(crate) persons: Mutex<Vec<[String; 3]>>,
        connections: Mutex<Vec<AbortHandle>>,
    }

    /// What a call meets.
    pub(crate) enum Step {
        Refuse(Status),
        Silence,
    }

    impl Fake {
        pub(crate) const CLIENT_ID: &str = "skc_1";
        pub(crate) const CLIENT_SECRET: &str = "a secret & more";
        pub(crate) const CODE: &str = "424242";
        pub(crate) const LINK_TOKEN: &str = "a-link-token_l";

        /// Plain HTTP on a free port.
        pub(crate) async fn start() -> Self {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
            let address = listener.local_addr().expect("a bound address");
            Self::serve(listener, address, "http")
        }

        /// Any listener, such as one that speaks TLS.
        pub(crate) fn serve<L>(listener: L, address: SocketAddr, scheme: &'static str) -> Self
        where
            L: Listener,
        {
            let world = Arc::new(World::default());
            world.token_lifetime.store(86_399, Ordering::Relaxed);
            let accepting = tokio::spawn(accept(listener, router(&world), Arc::clone(&world)));
            Self {
                address,
                scheme,
                world,
                accepting: accepting.abort_handle(),
            }
        }

        /// Cuts every connection, whatever it is doing.
        pub(crate) fn break_connections(&self) {
            for connection in lock(&self.world.connections).drain(..) {
                connection.abort();
            }
        }

        pub(crate) fn url(&self) -> String {
            format!("{}://localhost:{}", self.scheme, self.address.port())
        }

        pub(crate) fn world(&self) -> &World {
            &self.world
        }

        /// A token of this server for the hour to come.
        pub(crate) fn access_token(&self) -> String {
            self.sign("snk_1", &self.claims(3600))
        }

        /// The claims of a token that ends in so many seconds.
        #[expect(
            clippy::disallowed_methods,
            reason = "tokens are checked by the world's clock"
        )]
        pub(crate) fn claims(&self, ends_in: i64) -> serde_json::Value {
            let now = SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .expect("after 1970");
            let now = i64::try_from(now.as_secs()).expect("before the year 292 billion");
            serde_json::json!({
                "iss": self.url(), "aud": ["skc_1"], "sub": "skc_1", "client_id": "skc_1",
                "exp": now + ends_in, "iat": now, "jti": "tkn_1", "scopes": ["read", "write"],
            })
        }

        /// Signs claims with the key of that id, made and published at first use.
        #[expect(clippy::disallowed_methods, reason = "a signer asks for randomness")]
        pub(crate) fn sign(&self, kid: &str, claims: &serde_json::Value) -> String {
            let key = self.key(kid);
            let header = serde_json::json!({"alg": "RS256", "kid": kid, "typ": "JWT"});
            let part = |value: &serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
            let signed = format!("{}.{}", part(&header), part(claims));
            let mut signature = vec![0; key.public_modulus_len()];
            let random = SystemRandom::new();
            key.sign(
                &RSA_PKCS1_SHA256,
                &random,
                signed.as_bytes(),
                &mut signature,
            )
            .expect("an RSA key signs");
            format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
        }

        fn key(&self, kid: &str) -> Arc<RsaKeyPair> {
            let mut keys = lock(&self.world.keys);
            if let Some((_, key)) = keys.iter().find(|(id, _)| id == kid) {
                return Arc::clone(key);
            }
            let new = RsaKeyPair::generate(KeySize::Rsa2048).expect("an RSA key");
            let der: Pkcs8V1Der<'_> = new.as_der().expect("a key has a DER form");
            let key = Arc::new(RsaKeyPair::from_pkcs8(der.as_ref()).expect("our own DER"));
            keys.push((kid.to_owned(), Arc::clone(&key)));
            key
        }
    }

    impl Drop for Fake {
        fn drop(&mut self) {
            self.accepting.abort();
            self.break_connections();
        }
    }

    async fn accept<L: Listener>(mut listener: L, router: Router, world: Arc<World>) {
        loop {
            let (io, _) = listener.accept().await;
            let service = TowerToHyperService::new(router.clone());
            let connection = tokio::spawn(async move {
                let serving = auto::Builder::new(TokioExecutor::new());
                // How a connection ends is the client's story to tell.
                drop(serving.serve_connection(TokioIo::new(io), service).await);
            });
            lock(&world.connections).push(connection.abort_handle());
        }
    }

    /// A status with the details that the contract gives it.
    pub(crate) fn refusal(code: Code, error_code: &str, message: &str) -> Status {
        let info = ErrorInfo {
            error_code: error_code.to_owned(),
            ..ErrorInfo::default()
        };
        detailed(code, message, &info)
    }

    pub(crate) fn detailed(code: Code, message: &str, info: &ErrorInfo) -> Status {
        let any = prost_types::Any {
            type_url: ERROR_INFO_TYPE_URL.to_owned(),
            value: info.encode_to_vec(),
        };
        let status = rpc::Status {
            code: code.into(),
            message: message.to_owned(),
            details: vec![any],
        };
        Status::with_details(code, message, status.encode_to_vec().into())
    }

    fn router(world: &Arc<World>) -> Router {
        let service = PasswordlessServiceServer::from_arc(Arc::clone(world));
        let path = "/scalekit.v1.auth.passwordless.PasswordlessService/{method}";
        Router::new()
            .route("/oauth/token", post(token))
            .route("/keys", get(keys))
            .with_state(Arc::clone(world))
            .route_service(path, service)
    }

    async fn token(State(world): State<Arc<World>>, form: String) -> Response {
        if let Some(status) = lock(&world.token_answers).pop_front() {
            let status = StatusCode::from_u16(status).expect("an HTTP status");
            return (status, "{}").into_response();
        }
        let fields: HashMap<_, _> = form_urlencoded::parse(form.as_bytes())
            .into_owned()
            .collect();
        let is = |name: &str, value: &str| fields.get(name).is_some_and(|given| given == value);
        if !is("grant_type", "client_credentials")
            || !is("client_id", Fake::CLIENT_ID)
            || !is("client_secret", Fake::CLIENT_SECRET)
        {
            let said = r#"{"error":"invalid_client","error_description":"unknown client"}"#;
            return (StatusCode::UNAUTHORIZED, said).into_response();
        }
        let token = world.tokens_given.fetch_add(1, Ordering::Relaxed) + 1;
        let lifetime = world.token_lifetime.load(Ordering::Relaxed);
        let said = format!(r#"{{"access_token":"{token}","expires_in":{lifetime}}}"#);
        ([(CONTENT_TYPE, "application/json")], said).into_response()
    }

    async fn keys(State(world): State<Arc<World>>) -> String {
        world.keys_read.fetch_add(1, Ordering::Relaxed);
        let keys = lock(&world.keys);
        let published = keys.iter().map(|(kid, key)| {
            let public: PublicKeyComponents<Vec<u8>> = key.public_key().into();
            serde_json::json!({
                "kty": "RSA", "use": "sig", "alg": "RS256", "kid": kid,
                "n": URL_SAFE_NO_PAD.encode(public.n), "e": URL_SAFE_NO_PAD.encode(public.e),
            })
        });
        serde_json::json!({ "keys": published.collect::<Vec<_>>() }).to_string()
    }

    impl World {
        /// What every call goes through: the token first, then the script.
        async fn admit<T>(&self, request: &Request<T>) -> Result<(), Status> {
            self.calls.fetch_add(1, Ordering::Relaxed);
            let header = |name| {
                let value = request
                    .metadata()
                    .get(name)
                    .and_then(|value| value.to_str().ok());
                value.unwrap_or_default().to_owned()
            };
            lock(&self.agents).push(header("user-agent"));
            let told = ["postern-client-ip", "postern-user-agent", "accept-language"];
            lock(&self.persons).push(told.map(header));
            let token = header("authorization");
            let token: usize = token
                .trim_start_matches("Bearer ")
                .parse()
                .unwrap_or_default();
            if token <= self.tokens_revoked.load(Ordering::Relaxed) {
                return Err(refusal(
                    Code::Unauthenticated,
                    "UNAUTHENTICATED",
                    "Token expired",
                ));
            }
            let step = lock(&self.script).pop_front();
            match step {
                Some(Step::Refuse(status)) => Err(status),
                Some(Step::Silence) => std::future::pending().await,
                None => Ok(()),
            }
        }
    }

    fn sent(expires_in: u32) -> tonic::Response<SendPasswordlessResponse> {
        tonic::Response::new(SendPasswordlessResponse {
            auth_request_id: "request-1".to_owned(),
            expires_at: 1_800_000_000,
            expires_in,
            passwordless_type: PasswordlessType::LinkOtp.into(),
        })
    }

    #[tonic::async_trait]
    impl PasswordlessService for World {
        async fn send_passwordless_email(
            &self,
            request: Request<SendPasswordlessRequest>,
        ) -> Answer<SendPasswordlessResponse> {
            self.admit(&request).await?;
            let request = request.into_inner();
            let expires_in = request.expires_in.unwrap_or(300);
            lock(&self.sends).push(request);
            Ok(sent(expires_in))
        }

        async fn resend_passwordless_email(
            &self,
            request: Request<ResendPasswordlessRequest>,
        ) -> Answer<SendPasswordlessResponse> {
            self.admit(&request).await?;
            Ok(sent(300))
        }

        async fn verify_passwordless_email(
            &self,
            request: Request<VerifyPasswordLessRequest>,
        ) -> Answer<VerifyPasswordLessResponse> {
            self.admit(&request).await?;
            let used = match request.into_inner().auth_credential {
                Some(AuthCredential::Code(code)) if code == Fake::CODE => PasswordlessType::Otp,
                Some(AuthCredential::LinkToken(link)) if link == Fake::LINK_TOKEN => {
                    PasswordlessType::Link
                }
                _ => {
                    let message = "the code is invalid: 4 attempts left";
                    return Err(refusal(Code::InvalidArgument, "INVALID_CODE", message));
                }
            };
            Ok(tonic::Response::new(VerifyPasswordLessResponse {
                email: "ada@example.com".to_owned(),
                state: Some("cart-17".to_owned()),
                template: None,
                passwordless_type: used.into(),
            }))
        }
    }

    pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
        mutex.lock().expect("no holder panics")
    }
}
