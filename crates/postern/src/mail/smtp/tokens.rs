//! Access tokens for SMTP, by the OAuth 2.0 client credentials grant (RFC 6749 §4.4).

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{Request, StatusCode};
use http_body_util::Full;
use postern_core::model::{SecretText, TokenSource};
use serde::Deserialize;

use crate::app::Stopwatch;
use crate::https::{Answer, Https};
use crate::mail::TokenFault;
use crate::mail::outcome::is_prose;
use crate::trust::Unanswered;

/// How long a token is good for where the endpoint does not say.
const USUAL: Duration = Duration::from_mins(5);
/// The longest that one is kept.
const LONGEST: Duration = Duration::from_hours(24);
/// How long before its end a token is fetched anew, at most; never more than a quarter of its life.
const EARLY: Duration = Duration::from_mins(2);
/// How long trouble with the endpoint is remembered, for the mails that wait beside the one that met it.
const TROUBLE: Duration = Duration::from_secs(1);
/// The longest token: with base64 it still fits a line of AUTH (RFC 4954 §4, 12288 octets).
const MOST: usize = 8 * 1024;

/// Where a provider's tokens come from, and the one at hand. Clones share it.
#[derive(Clone)]
pub struct Tokens(Arc<Inner>);

struct Inner {
    source: TokenSource,
    secret: SecretText,
    https: Arc<Https>,
    /// Held by who fetches.
    fetching: tokio::sync::Mutex<()>,
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    token: Option<Kept>,
    trouble: Option<(NoToken, Stopwatch)>,
}

struct Kept {
    text: SecretText,
    since: Stopwatch,
    good_for: Duration,
}

/// Why there is none.
#[derive(Debug, Clone)]
pub(super) struct NoToken {
    /// In words that may hold what the endpoint said.
    pub(super) told: String,
    pub(super) fault: TokenFault,
}

impl NoToken {
    fn new(fault: TokenFault, told: impl Into<String>) -> Self {
        Self {
            told: told.into(),
            fault,
        }
    }

    fn unanswered(problem: &Unanswered) -> Self {
        let fault = problem
            .distrust
            .map_or(TokenFault::Unreached, TokenFault::Certificate);
        Self::new(fault, format!("token endpoint: {problem}"))
    }
}

/// A token for one login.
#[derive(Debug)]
pub(super) struct Token {
    pub(super) text: SecretText,
    /// Whether it was fetched for this login.
    pub(super) fresh: bool,
}

impl Tokens {
    /// Tokens from this source, for its client secret, fetched at the first use.
    pub fn new(source: TokenSource, secret: SecretText, https: Arc<Https>) -> Self {
        Self(Arc::new(Inner {
            source,
            secret,
            https,
            fetching: tokio::sync::Mutex::default(),
            held: Mutex::default(),
        }))
    }

    /// A token that is good, and is not the one that was `refused`. One is fetched at a time, and to
    /// its end, even when the mail that asked for it no longer waits.
    ///
    /// # Errors
    /// The endpoint gave none.
    pub(super) async fn token(&self, refused: Option<SecretText>) -> Result<Token, NoToken> {
        if let Some(text) = self.0.kept(refused.as_ref()) {
            return Ok(Token { text, fresh: false });
        }
        let inner = Arc::clone(&self.0);
        let fetched = tokio::spawn(async move { inner.fetch(refused.as_ref()).await }).await;
        let lost = "the access token could not be fetched";
        fetched.unwrap_or_else(|_| Err(NoToken::new(TokenFault::Unreached, lost)))
    }

    /// What must not be passed on: client secret and token in every form in which they go over the wire
    /// or in which somebody might repeat them, the token for that user.
    pub(super) fn secrets(&self, username: &str) -> Vec<String> {
        let secret = self.0.secret.expose();
        let basic = format!("{}:{secret}", self.0.source.client_id);
        let mut forms = vec![
            secret.to_owned(),
            form_urlencoded::byte_serialize(secret.as_bytes()).collect(),
            BASE64_STANDARD.encode(secret),
            BASE64_STANDARD.encode(basic),
        ];
        // A reply is judged word by word.
        forms.extend(secret.split_whitespace().map(str::to_owned));
        if let Some(token) = self.0.held().token.as_ref().map(|kept| kept.text.clone()) {
            forms.push(BASE64_STANDARD.encode(sasl(username, &token)));
            forms.push(BASE64_STANDARD.encode(token.expose()));
            forms.push(token.expose().to_owned());
        }
        forms
    }
}

/// What proves a user by a token (XOAUTH2).
pub(super) fn sasl(username: &str, token: &SecretText) -> String {
    format!("user={username}\x01auth=Bearer {}\x01\x01", token.expose())
}

impl Inner {
    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn kept(&self, refused: Option<&SecretText>) -> Option<SecretText> {
        let held = self.held();
        let kept = held.token.as_ref()?;
        let good = kept.since.elapsed() < kept.good_for && refused != Some(&kept.text);
        good.then(|| kept.text.clone())
    }

    async fn fetch(&self, refused: Option<&SecretText>) -> Result<Token, NoToken> {
        let _alone = self.fetching.lock().await;
        if let Some(text) = self.kept(refused) {
            return Ok(Token { text, fresh: false });
        }
        if let Some((none, since)) = &self.held().trouble
            && since.elapsed() < TROUBLE
        {
            return Err(none.clone());
        }
        let fetched = self.ask().await;
        let mut held = self.held();
        match fetched {
            Ok(kept) => {
                let text = kept.text.clone();
                (held.token, held.trouble) = (Some(kept), None);
                Ok(Token { text, fresh: true })
            }
            Err(none) => {
                held.trouble = Some((none.clone(), Stopwatch::start()));
                Err(none)
            }
        }
    }

    async fn ask(&self) -> Result<Kept, NoToken> {
        let since = Stopwatch::start();
        let answer = self.https.request(self.request()?).await;
        let answer = answer.map_err(|problem| NoToken::unanswered(&problem))?;
        let granted = read(&answer)?;
        let life = granted
            .expires_in
            .map_or(USUAL, |seconds| Duration::from_secs(seconds.0))
            .min(LONGEST);
        Ok(Kept {
            text: granted.access_token,
            since,
            good_for: life.saturating_sub(EARLY.min(life / 4)),
        })
    }

    /// The client is named in the body (RFC 6749 §2.3.1), which Microsoft and most others take.
    fn request(&self) -> Result<Request<Full<Bytes>>, NoToken> {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("grant_type", "client_credentials")
            .append_pair("client_id", &self.source.client_id)
            .append_pair("client_secret", self.secret.expose());
        if let Some(scope) = &self.source.scope {
            form.append_pair("scope", scope);
        }
        Request::post(&self.source.url)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(ACCEPT, "application/json")
            .body(Full::from(form.finish()))
            .map_err(|_| NoToken::new(TokenFault::Unreached, "the token endpoint is not a URL"))
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tokens({})", self.0.source.url)
    }
}

/// What an endpoint grants (RFC 6749 §5.1), once it is checked.
struct Granted {
    access_token: SecretText,
    expires_in: Option<Seconds>,
}

/// A number; some endpoints write it in quotes.
struct Seconds(u64);

impl<'de> Deserialize<'de> for Seconds {
    fn deserialize<D: serde::Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Number(u64),
            Text(String),
        }
        match Written::deserialize(input)? {
            Written::Number(number) => Ok(Self(number)),
            Written::Text(text) => text.parse().map(Self).map_err(serde::de::Error::custom),
        }
    }
}

fn read(answer: &Answer) -> Result<Granted, NoToken> {
    #[derive(Deserialize)]
    struct Wire {
        access_token: String,
        token_type: String,
        expires_in: Option<Seconds>,
    }
    if answer.status != StatusCode::OK {
        return Err(refusal(answer));
    }
    let useless = |told: &str| NoToken::new(TokenFault::NoToken, format!("token endpoint: {told}"));
    // The error of the parser may quote the body.
    let wire: Wire =
        serde_json::from_slice(&answer.body).map_err(|_| useless("the answer is no token"))?;
    if !wire.token_type.eq_ignore_ascii_case("bearer") {
        return Err(useless("the token is not of type Bearer"));
    }
    let text = SecretText::new(wire.access_token);
    let fits = (1..=MOST).contains(&text.expose().len());
    if !fits || !text.expose().bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(useless("the token is not one that a login can carry"));
    }
    Ok(Granted {
        access_token: text,
        expires_in: wire.expires_in,
    })
}

/// Whether it is a short name of an error, such as AADSTS7000215.
fn is_error_id(word: &str) -> bool {
    let word = word.trim_end_matches([':', '.', ',']);
    let digits = word.trim_start_matches(|c: char| c.is_ascii_uppercase());
    let letters = word.len() - digits.len();
    letters >= 2 && word.len() <= 16 && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether it is written as the codes of OAuth are, such as invalid_client; nothing is one too.
fn is_error_code(text: &str) -> bool {
    text.len() <= 40
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte == b'_')
}

/// What an endpoint says in refusing (RFC 6749 §5.2). 400 and 401 are about client and scope; another
/// status, or one without an error of OAuth's, about the URL or the endpoint itself.
fn refusal(answer: &Answer) -> NoToken {
    #[derive(Default, Deserialize)]
    struct Wire {
        #[serde(default)]
        error: String,
        #[serde(default)]
        error_description: String,
    }
    let said: Wire = serde_json::from_slice(&answer.body).unwrap_or_default();
    let fault = match answer.status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => TokenFault::Refused,
        StatusCode::BAD_REQUEST if !said.error.is_empty() => TokenFault::Refused,
        status if status.is_server_error() => TokenFault::Down,
        _ => TokenFault::NoToken,
    };
    // Whoever quotes what was sent to it quotes the secret, in a form of its own choice.
    let described = said.error_description.split_whitespace();
    let described: Vec<&str> = described
        .map(|word| {
            let kept = is_prose(word) || is_error_id(word);
            if kept { word } else { "***" }
        })
        .collect();
    let error = if is_error_code(&said.error) {
        said.error.as_str()
    } else {
        "***"
    };
    let told = format!("{error} {}", described.join(" "));
    let told = format!("token endpoint: {} {}", answer.status.as_u16(), told.trim());
    NoToken::new(fault, told)
}
