use super::Postern;
use crate::error::{Error, Violation};
use crate::model::{Email, MailProvider, SecretText, TlsMode, is_mailable};
use crate::ports::{Amendment, random};

/// A mail provider as the operator describes it.
#[derive(Clone, Debug)]
pub struct ProviderInput {
    /// The operator's name for it.
    pub name: String,
    /// Host name or address.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// How the connection is protected.
    pub tls: TlsMode,
    /// The login name, where one is needed.
    pub username: Option<String>,
    /// The password; goes with the login name.
    pub password: Option<SecretText>,
    /// The sender, as `Name <address>` or a bare address.
    pub from: String,
}

impl Postern {
    /// Adds or replaces the mail provider. One at a time for now: another name is refused while one
    /// is there.
    ///
    /// # Errors
    /// Every broken field by name.
    pub async fn put_provider(&self, input: ProviderInput) -> Result<(), Error> {
        let wrong = problems(&input);
        if !wrong.is_empty() {
            return Err(Error::Invalid(wrong));
        }
        let provider = self.provider(input);
        self.amend(Box::new(move |snapshot, _| {
            if let Some(other) = snapshot
                .providers
                .iter()
                .find(|held| held.name != provider.name)
            {
                let told = format!(
                    "only one provider for now: give the name {:?} to replace it, or remove it first",
                    other.name
                );
                return Err(Error::invalid("name", "one", told));
            }
            Ok(vec![Amendment::PutProvider(provider.clone())])
        }))
        .await
        .map(drop)
    }

    fn provider(&self, input: ProviderInput) -> MailProvider {
        let slot = MailProvider::password_slot(&input.name);
        let seal = |password: &SecretText| {
            self.keyring()
                .seal(&slot, password.expose().as_bytes(), random(&*self.entropy))
        };
        let password = input.password.as_ref().map(seal);
        MailProvider {
            name: input.name,
            position: 0,
            host: input.host,
            port: input.port,
            tls: input.tls,
            username: input.username,
            password,
            from: input.from,
        }
    }

    /// Removes a mail provider.
    ///
    /// # Errors
    /// No such provider.
    pub async fn drop_provider(&self, name: &str) -> Result<(), Error> {
        let name = name.to_owned();
        self.amend(Box::new(move |snapshot, _| {
            if snapshot.providers.iter().any(|held| held.name == name) {
                return Ok(vec![Amendment::DropProvider(name.clone())]);
            }
            Err(Error::invalid(
                "name",
                "exists",
                format!("there is no mail provider {name:?}"),
            ))
        }))
        .await
        .map(drop)
    }
}

fn problems(input: &ProviderInput) -> Vec<Violation> {
    let mut wrong = Vec::new();
    let mut check = |fine: bool, field: &'static str, told: &str| {
        if !fine {
            wrong.push(Violation::new(field, "value", told));
        }
    };
    check(
        plain(&input.name, 64),
        "name",
        "a provider's name has 1 to 64 letters, digits, '-', '_' or '.'",
    );
    let address = input.host.parse::<std::net::IpAddr>().is_ok();
    check(
        address || plain(&input.host, 253),
        "host",
        "host must be a host name or an IP address",
    );
    check(input.port > 0, "port", "port must be from 1 to 65535");
    check(
        sender_of(&input.from).is_some(),
        "from",
        "from must be an address, or 'Name <address>'",
    );
    check(
        input.username.is_some() == input.password.is_some(),
        "password",
        "username and password go together",
    );
    let loopback = is_loopback(&input.host);
    check(
        input.tls != TlsMode::None || loopback,
        "tls",
        "tls may be none only to loopback: use implicit or starttls",
    );
    wrong
}

/// The name and address of a sender text.
pub(crate) fn sender_of(from: &str) -> Option<(String, Email)> {
    if !is_mailable(from) || from.chars().count() > 400 {
        return None;
    }
    let Some((name, rest)) = from.rsplit_once('<') else {
        return Some((String::new(), Email::parse(from.trim()).ok()?));
    };
    let address = Email::parse(rest.trim_end().strip_suffix('>')?).ok()?;
    Some((name.trim().trim_matches('"').to_owned(), address))
}

fn plain(text: &str, most: usize) -> bool {
    let fits = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
    (1..=most).contains(&text.len()) && text.bytes().all(fits)
}

fn is_loopback(host: &str) -> bool {
    host == "localhost"
        || host
            .parse::<std::net::IpAddr>()
            .is_ok_and(|ip| ip.is_loopback())
}
