//! What is known of well-known mail providers' SMTP servers.

use postern_core::model::{MailProvider, TlsMode};

/// A well-known mail provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Preset {
    /// Twilio SendGrid.
    Sendgrid,
    /// Amazon Simple Email Service.
    Ses,
    /// Postmark.
    Postmark,
    /// Mailgun.
    Mailgun,
    /// Resend.
    Resend,
    /// Microsoft 365 (Exchange Online), by client submission.
    Microsoft365,
}

/// How a well-known provider takes mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shape {
    /// Host name.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// How the connection is protected.
    pub tls: TlsMode,
    /// Who logs in.
    pub login: LoginName,
    /// The most connections at a time, where the provider says.
    pub connections: Option<u16>,
    /// The most mails a minute, where the provider says.
    pub per_minute: Option<u32>,
    /// Scope of the access tokens, where the login is by them.
    pub scope: Option<&'static str>,
}

/// Who logs in to a well-known provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoginName {
    /// Always this name.
    Always(&'static str),
    /// The operator's own; it has to be given.
    Own,
    /// The password again: an API token is both.
    Password,
    /// The sender's address, unless another mailbox is named.
    Sender,
}

/// How a well-known provider's mails stand to SPF (RFC 7208).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpfNeed {
    /// The domain whose record names its servers.
    pub include: &'static str,
    /// Whether it puts a sender of its own into the envelope, unless told otherwise there: then its
    /// record is the one that receivers look at.
    pub own_envelope: bool,
}

impl Preset {
    /// The provider that a host belongs to, if it is a well-known one.
    pub fn at(host: &str) -> Option<Self> {
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        let below = |domain: &str| {
            host.strip_suffix(domain)
                .is_some_and(|rest| rest.ends_with('.'))
        };
        match () {
            () if below("sendgrid.net") => Some(Self::Sendgrid),
            () if below("amazonaws.com") && host.starts_with("email-smtp") => Some(Self::Ses),
            () if below("postmarkapp.com") => Some(Self::Postmark),
            () if below("mailgun.org") => Some(Self::Mailgun),
            () if below("resend.com") => Some(Self::Resend),
            () if below("office365.com") => Some(Self::Microsoft365),
            () => None,
        }
    }

    /// The provider that mails are handed to: by its host, and behind another host, such as a relay,
    /// Postmark by its login, for it alone takes its token as name and password.
    pub fn of(provider: &MailProvider) -> Option<Self> {
        let token_alone =
            provider.password.is_some() && provider.username.is_none() && provider.oauth.is_none();
        Self::at(&provider.host).or_else(|| token_alone.then_some(Self::Postmark))
    }

    /// What the sender's SPF record has to do with it, by the provider's documentation.
    pub fn spf(self) -> SpfNeed {
        let (include, own_envelope) = match self {
            Self::Sendgrid => ("sendgrid.net", true),
            Self::Ses | Self::Resend => ("amazonses.com", true),
            Self::Postmark => ("spf.mtasv.net", true),
            Self::Mailgun => ("mailgun.org", false),
            Self::Microsoft365 => ("spf.protection.outlook.com", false),
        };
        SpfNeed {
            include,
            own_envelope,
        }
    }

    /// Its name, as the command line takes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sendgrid => "sendgrid",
            Self::Ses => "ses",
            Self::Postmark => "postmark",
            Self::Mailgun => "mailgun",
            Self::Resend => "resend",
            Self::Microsoft365 => "microsoft365",
        }
    }

    /// How it takes mail in `region`.
    ///
    /// # Errors
    /// It has no such region, or needs one; a sentence for the operator.
    pub fn shape(self, region: Option<&str>) -> Result<Shape, String> {
        let implicit = |host: String, login| Shape {
            host,
            port: 465,
            tls: TlsMode::Implicit,
            login,
            connections: None,
            per_minute: None,
            scope: None,
        };
        let starttls = |host: String, login| Shape {
            port: 587,
            tls: TlsMode::StartTls,
            ..implicit(host, login)
        };
        Ok(match self {
            Self::Sendgrid => {
                let host = self.host_in(region, "smtp.sendgrid.net", "smtp.eu.sendgrid.net")?;
                implicit(host, LoginName::Always("apikey"))
            }
            Self::Ses => {
                let region = region.filter(|region| is_aws_region(region));
                let region = region.ok_or("preset ses needs --region, such as eu-central-1")?;
                implicit(format!("email-smtp.{region}.amazonaws.com"), LoginName::Own)
            }
            Self::Postmark => {
                let host = self.only_host(region, "smtp.postmarkapp.com")?;
                starttls(host, LoginName::Password)
            }
            Self::Mailgun => {
                let host = self.host_in(region, "smtp.mailgun.org", "smtp.eu.mailgun.org")?;
                implicit(host, LoginName::Own)
            }
            Self::Resend => {
                let host = self.only_host(region, "smtp.resend.com")?;
                implicit(host, LoginName::Always("resend"))
            }
            Self::Microsoft365 => {
                let host = self.only_host(region, "smtp.office365.com")?;
                Shape {
                    // Exchange Online's limits for client submission.
                    connections: Some(3),
                    per_minute: Some(30),
                    scope: Some("https://outlook.office365.com/.default"),
                    ..starttls(host, LoginName::Sender)
                }
            }
        })
    }

    fn only_host(self, region: Option<&str>, host: &str) -> Result<String, String> {
        match region {
            None => Ok(host.to_owned()),
            Some(_) => Err(format!("preset {} has no regions", self.as_str())),
        }
    }

    fn host_in(self, region: Option<&str>, us: &str, eu: &str) -> Result<String, String> {
        match region {
            None | Some("us") => Ok(us.to_owned()),
            Some("eu") => Ok(eu.to_owned()),
            Some(_) => Err(format!(
                "preset {} has the regions us and eu",
                self.as_str()
            )),
        }
    }
}

/// Where Microsoft's identity platform issues tokens for the tenant.
///
/// # Errors
/// The tenant is neither an id nor a domain name.
pub fn microsoft_token_url(tenant: &str) -> Result<String, String> {
    if !is_label(tenant) {
        return Err("--tenant is the id or the domain of your Microsoft 365 tenant".to_owned());
    }
    Ok(format!(
        "https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token"
    ))
}

/// Whether it is written as Amazon writes its regions: letters, words and a number, such as us-gov-west-1.
fn is_aws_region(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let Some(([area, words @ ..], number)) = parts.split_last().map(|(last, rest)| (rest, last))
    else {
        return false;
    };
    let is_word = |word: &&str| {
        (2..=12).contains(&word.len()) && word.bytes().all(|b| b.is_ascii_lowercase())
    };
    let is_number = (1..=2).contains(&number.len()) && number.bytes().all(|b| b.is_ascii_digit());
    area.len() == 2 && is_word(area) && !words.is_empty() && words.iter().all(is_word) && is_number
}

/// Whether it can stand in a host name or a path as it is.
fn is_label(text: &str) -> bool {
    let fits = |b: u8| b.is_ascii_alphanumeric() || b"-.".contains(&b);
    (1..=253).contains(&text.len())
        && text.bytes().all(fits)
        && text.split('.').all(|label| !label.is_empty())
}

#[cfg(test)]
mod tests {
    use postern_core::model::Sealed;

    use super::*;

    const ALL: [Preset; 6] = [
        Preset::Sendgrid,
        Preset::Ses,
        Preset::Postmark,
        Preset::Mailgun,
        Preset::Resend,
        Preset::Microsoft365,
    ];

    #[test]
    fn every_preset_is_encrypted_and_refuses_a_region_that_it_does_not_have() {
        for preset in ALL {
            let region = (preset == Preset::Ses).then_some("eu-central-1");
            let shape = preset.shape(region).unwrap();
            assert_ne!(shape.tls, TlsMode::None, "{preset:?}");
            assert!(preset.shape(Some("the moon/../")).is_err(), "{preset:?}");
        }
    }

    #[test]
    fn a_region_names_the_host() {
        let host = |preset: Preset, region| preset.shape(Some(region)).unwrap().host;
        assert_eq!(
            host(Preset::Ses, "us-east-1"),
            "email-smtp.us-east-1.amazonaws.com"
        );
        assert_eq!(host(Preset::Mailgun, "eu"), "smtp.eu.mailgun.org");
        assert!(Preset::Ses.shape(None).is_err());
        for region in ["eu-west-3", "us-gov-west-1", "ap-southeast-10"] {
            assert!(Preset::Ses.shape(Some(region)).is_ok(), "{region}");
        }
        for region in [
            "nowhere",
            "eu",
            "eu-1",
            "EU-west-1",
            "eu-west",
            "eu-west-1.a",
            "-west-1",
            "",
        ] {
            assert!(Preset::Ses.shape(Some(region)).is_err(), "{region}");
        }
    }

    #[test]
    fn a_well_known_provider_is_recognised_by_its_host() {
        for preset in ALL {
            let region = (preset == Preset::Ses).then_some("eu-central-1");
            let host = preset.shape(region).unwrap().host;
            assert_eq!(Preset::at(&host.to_uppercase()), Some(preset));
        }
        for other in [
            "evilsendgrid.net",
            "s3.amazonaws.com",
            "127.0.0.1",
            "resend.com",
        ] {
            assert_eq!(Preset::at(other), None, "{other}");
        }
    }

    #[test]
    fn postmark_behind_another_host_is_recognised_by_its_login() {
        let provider = |username: Option<&str>, password: bool| MailProvider {
            name: "main".to_owned(),
            position: 0,
            host: "relay.example.com".to_owned(),
            port: 587,
            tls: TlsMode::StartTls,
            username: username.map(str::to_owned),
            password: password.then(|| Sealed {
                kid: 1,
                bytes: Vec::new(),
            }),
            oauth: None,
            from: "login@example.com".to_owned(),
            reply_to: None,
            connections: None,
            per_minute: None,
        };
        let postmark = Some(Preset::Postmark);
        assert_eq!(Preset::of(&provider(None, true)), postmark);
        assert_eq!(Preset::of(&provider(Some("mailer"), true)), None);
        assert_eq!(Preset::of(&provider(None, false)), None);
        let at_home = MailProvider {
            host: "smtp.postmarkapp.com.".to_owned(),
            ..provider(Some("access-key"), true)
        };
        assert_eq!(Preset::of(&at_home), postmark);
    }

    #[test]
    fn a_tenant_cannot_change_the_path_of_the_token_url() {
        for evil in ["../evil", "..", ".", "acme..example", ""] {
            assert!(microsoft_token_url(evil).is_err(), "{evil}");
        }
        let url = microsoft_token_url("acme.example").unwrap();
        assert!(url.ends_with("/acme.example/oauth2/v2.0/token"), "{url}");
    }
}
