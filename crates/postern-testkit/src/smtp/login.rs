//! AUTH PLAIN and AUTH LOGIN (RFC 4954, RFC 4616), and AUTH XOAUTH2 as Google and Microsoft
//! describe it.

use std::io;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use tokio::io::{AsyncRead, AsyncWrite};

use super::Step;
use super::session::{Next, Session, lossy};

impl<S: AsyncRead + AsyncWrite + Unpin> Session<S> {
    pub(super) async fn auth(&mut self, text: &str) -> io::Result<()> {
        let Next::Behave = self.misbehave(Step::Auth).await? else {
            return Ok(());
        };
        let mut words = text.split(' ').skip(1);
        let mechanism = words.next().unwrap_or_default().to_ascii_uppercase();
        let initial = words.next().map(str::to_owned);
        let offered = match mechanism.as_str() {
            "PLAIN" => {
                let response = match initial {
                    Some(response) => response,
                    None => self.challenge("").await?,
                };
                let bytes = decode(&response);
                let mut parts = bytes.split(|byte| *byte == 0).map(lossy);
                parts.next();
                (
                    parts.next().unwrap_or_default(),
                    parts.next().unwrap_or_default(),
                )
            }
            "LOGIN" => {
                let username = match initial {
                    Some(username) => username,
                    None => self.challenge("VXNlcm5hbWU6").await?,
                };
                let password = self.challenge("UGFzc3dvcmQ6").await?;
                (lossy(&decode(&username)), lossy(&decode(&password)))
            }
            "XOAUTH2" => return self.xoauth2(initial).await,
            _ => {
                self.say("504 mechanism not known");
                return Ok(());
            }
        };
        if self.shared.options.account.as_ref() == Some(&offered) {
            self.login = Some(offered.0);
            self.say("235 welcome");
        } else {
            // Some servers repeat what they were given; nobody should pass that on.
            self.say(&format!("535 5.7.8 {} {} refused", offered.0, offered.1));
        }
        Ok(())
    }

    async fn xoauth2(&mut self, initial: Option<String>) -> io::Result<()> {
        let response = match initial {
            Some(response) => response,
            None => self.challenge("").await?,
        };
        let offered = lossy(&decode(&response));
        let user = self.shared.options.token_user.clone().unwrap_or_default();
        let token = self.shared.token().clone();
        let right = token.map(|token| format!("user={user}\x01auth=Bearer {token}\x01\x01"));
        if right.is_some_and(|right| right == offered) {
            self.login = Some(user);
            self.say("235 welcome");
            return Ok(());
        }
        let told = BASE64_STANDARD.encode(r#"{"status":"400","schemes":"Bearer","scope":"mail"}"#);
        let answer = self.challenge(&told).await?;
        if answer.is_empty() {
            // Some servers repeat what they were given; nobody should pass that on.
            let repeated = offered.replace('\x01', " ");
            self.say(&format!("535 5.7.8 {repeated} {response} refused"));
        } else {
            self.say("501 5.5.2 an empty answer was expected");
        }
        Ok(())
    }

    async fn challenge(&mut self, text: &str) -> io::Result<String> {
        self.say(&format!("334 {text}"));
        self.flush().await?;
        let mut line = Vec::new();
        self.read_line(&mut line).await?;
        Ok(lossy(&line).trim_end().to_owned())
    }
}

/// What a client put into base64; nothing when it is not base64.
fn decode(text: &str) -> Vec<u8> {
    BASE64_STANDARD.decode(text).unwrap_or_default()
}
