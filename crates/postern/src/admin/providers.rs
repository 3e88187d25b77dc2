//! Mail providers.

use postern_core::Error;
use postern_core::flow::ProviderInput;
use postern_core::model::{SecretText, TlsMode, TokenSource};

use super::command::NewProvider;
use super::execute::{Admin, Refusal, parse_address};
use super::reply::AdminReply;
use crate::mail::smtp::Trust;
use crate::mail::{self, Matter, Outcome, Stage, Tried};

/// A provider as an admin typed it, for the flow that judges it.
///
/// # Errors
/// `tls` is not a mode.
pub fn input(new: NewProvider) -> Result<ProviderInput, Error> {
    let unknown = || {
        Error::invalid(
            "tls",
            "defined_only",
            format!("tls {:?} is not a mode", new.tls),
        )
    };
    Ok(ProviderInput {
        tls: TlsMode::parse(&new.tls).ok_or_else(unknown)?,
        name: new.name,
        host: new.host,
        port: new.port,
        username: new.username,
        password: new
            .password
            .map(|password| SecretText::new(password.expose())),
        oauth: new.oauth.map(|oauth| TokenSource {
            url: oauth.url,
            client_id: oauth.client_id,
            scope: oauth.scope,
        }),
        from: new.from,
        reply_to: new.reply_to,
        connections: new.connections,
        per_minute: new.per_minute,
    })
}

impl Admin {
    /// Adds a provider behind the others, or replaces the one of this name.
    pub(super) async fn add_provider(&self, new: NewProvider) -> Result<AdminReply, Refusal> {
        let name = new.name.clone();
        self.postern.put_provider(input(new)?).await?;
        let development = self.postern.has_inbox();
        Ok(AdminReply::ProviderAdded { name, development })
    }

    /// Sets the order in which providers are tried.
    pub(super) async fn order_providers(&self, names: Vec<String>) -> Result<AdminReply, Refusal> {
        self.postern.order_providers(names).await?;
        self.list_providers().await
    }

    /// Lists the providers in the order in which they are tried.
    pub(super) async fn list_providers(&self) -> Result<AdminReply, Refusal> {
        self.list(|held, _| AdminReply::Providers(super::shown::providers(held)))
            .await
    }

    /// Removes a provider.
    pub(super) async fn remove_provider(&self, name: String) -> Result<AdminReply, Refusal> {
        self.postern.drop_provider(&name).await?;
        Ok(AdminReply::ProviderRemoved { name })
    }

    /// Sends one mail through a provider, the first when none is named, and tells what it said.
    pub(super) async fn test_mail(
        &self,
        name: Option<String>,
        to: &str,
    ) -> Result<AdminReply, Refusal> {
        let (to, held) = (parse_address(to)?, self.now_held().await?);
        let provider = match &name {
            None => held.providers.first(),
            Some(name) => held.providers.iter().find(|one| one.name == *name),
        };
        let provider = provider.ok_or_else(|| match name {
            Some(name) => Refusal(format!("there is no mail provider {name:?}")),
            None => Refusal(
                "there is no mail provider: add one with `postern mail provider add`".to_owned(),
            ),
        })?;
        let tried = mail::send_test(&self.postern, provider, Trust::System, &to).await;
        let Tried { outcome, dialogue } = tried.map_err(Refusal)?;
        Ok(match outcome {
            Outcome::Sent(reply) => AdminReply::MailSent {
                reply: reply.to_string(),
                dialogue,
            },
            failed => AdminReply::MailRefused {
                reason: format!("{} {}: {}", provider.name, why(&failed), failed.reply()),
                advice: advice(&failed),
                dialogue,
            },
        })
    }
}

/// What became of a test mail, after the provider's name.
fn why(failed: &Outcome) -> &'static str {
    if let Some(Matter::Token(_)) = failed.reply().matter {
        return "cannot be logged in to, for want of an access token";
    }
    match failed {
        Outcome::Sent(_) => "took it",
        Outcome::Bounced(_) => "refused this recipient or this mail for good",
        Outcome::ProviderTrouble(_) => "refused to take mails from us, which its settings may mend",
        Outcome::Retry(reply) if reply.code.is_some() => "asks to be tried later",
        Outcome::Retry(_) => "was not reached, or broke off",
        Outcome::Unsure(_) => "took the whole mail and never said what became of it",
    }
}

/// What to look at first after a test that failed: what is known to be wrong, else by how far it came.
fn advice(failed: &Outcome) -> String {
    match failed.reply().matter {
        Some(matter) => format!("What to do: {}.", matter.fix()),
        None => advice_at(failed).to_owned(),
    }
}

fn advice_at(failed: &Outcome) -> &'static str {
    let reply = failed.reply();
    let refused = reply.code.is_some();
    match reply.stage {
        _ if matches!(failed, Outcome::Unsure(_)) => {
            "Look whether the mail arrived before you try again."
        }
        Stage::Mail | Stage::Rcpt | Stage::Data | Stage::EndOfData
            if matches!(failed, Outcome::Retry(_)) && refused =>
        {
            "Try again in some minutes: servers ask this of strangers (greylisting) and past a limit of the account."
        }
        Stage::Pool => {
            "Every connection that this provider may have is in use: try again in a moment."
        }
        Stage::Connect => {
            "Is the host spelt right, and is the port the one that the provider names? Many hosting companies close \
             port 25 and leave 465 and 587 open."
        }
        Stage::Tls => {
            "Do port and protection belong together? 465 speaks TLS from the first byte, 587 begins plain and goes on \
             with STARTTLS. The certificate has to be for this very host."
        }
        Stage::Greeting if refused => {
            "The server takes no mail from this machine's address: use the provider's own host for SMTP, with a login."
        }
        Stage::Greeting => {
            "Nothing that is SMTP was said. A server on 465 waits for TLS from the first byte; one on 587 does not."
        }
        Stage::Auth if refused => {
            "Some providers want a fixed login name, and an API key or SMTP password in the place of the one for their \
             website. Is SMTP switched on for this account?"
        }
        Stage::Auth => {
            "The server offers no login over this connection: choose STARTTLS or TLS, or leave the login away."
        }
        Stage::Mail => {
            "Verify the sender's address or its domain with the provider, or choose a sender that is verified."
        }
        Stage::Rcpt => {
            "Is the address right? Accounts on trial may often send to verified addresses only."
        }
        Stage::Data | Stage::EndOfData => {
            "The provider has seen the mail and does not want it: verify the sender's domain there, and look at its \
             own log, which often says more."
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::{Reply, TokenFault};
    use crate::trust::Distrust;

    #[test]
    fn a_certificate_that_is_not_believed_has_advice_of_its_own() {
        for (why, word) in [
            (Distrust::Issuer, "SSL_CERT_FILE"),
            (Distrust::SelfSigned, "authority"),
            (Distrust::Name, "name that its certificate carries"),
            (Distrust::Ended, "renewed"),
        ] {
            let mut reply = Reply::new(Stage::Tls, None, "no", &[]);
            reply.matter = Some(Matter::Certificate(why));
            let told = advice(&Outcome::ProviderTrouble(reply));
            assert!(told.contains(word) && !told.contains("465"), "{told}");
        }
    }

    #[test]
    fn trouble_with_the_token_endpoint_has_advice_and_a_heading_of_its_own() {
        for (fault, word) in [
            (TokenFault::Unreached, "--token-url"),
            (TokenFault::NoToken, "--token-url"),
            (TokenFault::Refused, "--client-secret-file"),
            (
                TokenFault::Certificate(Distrust::Issuer),
                "endpoint's certificate",
            ),
            (TokenFault::Down, "try again"),
        ] {
            let mut reply = Reply::new(Stage::Auth, None, "no", &[]);
            reply.matter = Some(Matter::Token(fault));
            let failed = Outcome::Retry(reply);
            assert!(why(&failed).contains("access token"), "{fault:?}");
            let told = advice(&failed);
            assert!(told.contains(word) && !told.contains("STARTTLS"), "{told}");
        }
    }

    #[test]
    fn a_test_that_failed_says_what_to_look_at_by_how_far_it_came() {
        let at = |stage, code| Reply::new(stage, code, "no", &[]);
        for (failed, word) in [
            (Outcome::Retry(at(Stage::Connect, None)), "port"),
            (
                Outcome::ProviderTrouble(at(Stage::Tls, None)),
                "certificate",
            ),
            (
                Outcome::ProviderTrouble(at(Stage::Auth, Some(535))),
                "API key",
            ),
            (
                Outcome::ProviderTrouble(at(Stage::Mail, Some(550))),
                "Verify the sender",
            ),
            (
                Outcome::Bounced(at(Stage::Rcpt, Some(550))),
                "address right",
            ),
            (Outcome::Retry(at(Stage::Rcpt, Some(451))), "some minutes"),
            (
                Outcome::Bounced(at(Stage::EndOfData, Some(554))),
                "its own log",
            ),
            (Outcome::Unsure(at(Stage::EndOfData, None)), "arrived"),
        ] {
            assert!(
                advice(&failed).contains(word),
                "{failed:?}: {}",
                advice(&failed)
            );
        }
    }
}
