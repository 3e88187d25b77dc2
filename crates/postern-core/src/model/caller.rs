use super::ClientId;

/// The authenticated API party of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The client whose token came with the call.
    pub client: ClientId,
    /// For whom it calls, where it told.
    pub person: Option<Box<Person>>,
}

impl Caller {
    /// A client that tells of nobody.
    pub fn new(client: ClientId) -> Self {
        Self {
            client,
            person: None,
        }
    }
}

/// The person at the browser, as the calling app tells: hearsay, for the timeline only.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Person {
    /// Their network address.
    pub ip: Option<String>,
    /// Their browser, at most [`Person::AGENT_CHARS`].
    pub agent: Option<String>,
}

impl Person {
    /// Characters of a browser's name that are kept.
    pub const AGENT_CHARS: usize = 200;

    /// What an app told; nothing when neither is of use.
    pub fn told(ip: Option<&str>, agent: Option<&str>) -> Option<Box<Self>> {
        let ip = ip.and_then(|text| text.trim().parse::<std::net::IpAddr>().ok());
        let kept = |text: &str| -> String {
            let plain = text.chars().filter(|letter| !letter.is_control());
            plain.take(Self::AGENT_CHARS).collect()
        };
        let person = Self {
            ip: ip.map(|ip| ip.to_string()),
            agent: agent.map(kept).filter(|text| !text.is_empty()),
        };
        (person != Self::default()).then(|| Box::new(person))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_an_address_and_what_is_plain_is_kept() {
        let told = Person::told(Some(" 2001:db8::1 "), Some("Fire\nfox")).unwrap();
        assert_eq!(told.ip.as_deref(), Some("2001:db8::1"));
        assert_eq!(told.agent.as_deref(), Some("Firefox"));
        assert_eq!(Person::told(Some("<script>"), Some("")), None);
        let long = "x".repeat(1000);
        let told = Person::told(None, Some(&long)).unwrap();
        assert_eq!(told.agent.unwrap().len(), Person::AGENT_CHARS);
    }
}
