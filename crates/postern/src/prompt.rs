//! What an app needs to know to sign people in: code for each stack, and the prompt that makes an
//! assistant build it in.

/// What an app is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Stack {
    /// Node.js, with the official SDK.
    Node,
    /// Python, with the official SDK.
    Python,
    /// Go, with the official SDK.
    Go,
    /// Java, with the official SDK.
    Java,
    /// Rust, with Postern's own SDK.
    Rust,
    /// Anything that speaks HTTP.
    Curl,
}

impl Stack {
    /// Every stack, in the order in which they are offered.
    pub const ALL: [Self; 6] = [
        Self::Node,
        Self::Python,
        Self::Go,
        Self::Java,
        Self::Rust,
        Self::Curl,
    ];

    /// The stack with this name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|stack| stack.as_str() == text)
    }

    /// Its name in addresses.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Node => "node",
            Self::Python => "python",
            Self::Go => "go",
            Self::Java => "java",
            Self::Rust => "rust",
            Self::Curl => "curl",
        }
    }

    /// Its name for people.
    pub fn title(self) -> &'static str {
        match self {
            Self::Node => "Node.js",
            Self::Python => "Python",
            Self::Go => "Go",
            Self::Java => "Java",
            Self::Rust => "Rust",
            Self::Curl => "curl",
        }
    }

    /// Send, resend and verify in it, with everything read from the environment.
    pub fn code(self) -> String {
        self.filled(None, None, SOMEBODY)
    }

    /// The same for this server and this client, of which only the secret is read, and for a person
    /// whose mail the reader sees.
    pub fn code_for(self, url: &str, client_id: Option<&str>, email: &str) -> String {
        let inert = |byte: u8| byte.is_ascii_alphanumeric() || b"@.+-_".contains(&byte);
        let email = if !email.is_empty() && email.bytes().all(inert) {
            email
        } else {
            SOMEBODY
        };
        self.filled(Some(url), client_id, email)
    }

    fn filled(self, url: Option<&str>, client_id: Option<&str>, email: &str) -> String {
        let given = |known: Option<&str>, name| match known {
            Some(text) => self.quoted(text),
            None => self.read_from_environment(name),
        };
        self.source()
            .replace("@URL@", &given(url, "SCALEKIT_ENVIRONMENT_URL"))
            .replace("@ID@", &given(client_id, "SCALEKIT_CLIENT_ID"))
            .replace("@SECRET@", &given(None, "SCALEKIT_CLIENT_SECRET"))
            .replace("@EMAIL@", email)
    }

    fn quoted(self, text: &str) -> String {
        match self {
            Self::Node => format!("'{text}'"),
            Self::Python | Self::Go | Self::Java | Self::Rust => format!("\"{text}\""),
            // It stands in quotes already.
            Self::Curl => text.to_owned(),
        }
    }

    fn read_from_environment(self, name: &str) -> String {
        match self {
            Self::Node => format!("process.env.{name}"),
            Self::Python => format!("os.environ[\"{name}\"]"),
            Self::Go => format!("os.Getenv(\"{name}\")"),
            Self::Java => format!("System.getenv(\"{name}\")"),
            // The URL is taken as a `&str`.
            Self::Rust if name.ends_with("URL") => format!("&std::env::var(\"{name}\")?"),
            Self::Rust => format!("std::env::var(\"{name}\")?"),
            Self::Curl => format!("${name}"),
        }
    }

    fn source(self) -> &'static str {
        match self {
            Self::Node => include_str!("../assets/prompts/node.txt"),
            Self::Python => include_str!("../assets/prompts/python.txt"),
            Self::Go => include_str!("../assets/prompts/go.txt"),
            Self::Java => include_str!("../assets/prompts/java.txt"),
            Self::Rust => include_str!("../assets/prompts/rust.txt"),
            Self::Curl => include_str!("../assets/prompts/curl.txt"),
        }
    }

    /// How one gets the SDK.
    pub fn install(self) -> &'static str {
        match self {
            Self::Node => "npm install @scalekit-sdk/node",
            Self::Python => "pip install scalekit-sdk-python",
            Self::Go => "go get github.com/scalekit-inc/scalekit-sdk-go/v2",
            Self::Java => "Maven: com.scalekit:scalekit-sdk-java",
            Self::Rust => "the crate postern-client of the Postern repository, and tokio",
            Self::Curl => "nothing to install; any HTTP client will do",
        }
    }

    /// Whether its SDK calls over TLS only.
    pub fn needs_tls(self) -> bool {
        matches!(self, Self::Python | Self::Java)
    }

    /// The file that its code is saved as.
    pub fn file(self) -> &'static str {
        match self {
            Self::Node => "signin.mjs",
            Self::Python => "signin.py",
            Self::Go => "signin.go",
            Self::Java => "src/main/java/SignIn.java",
            Self::Rust => "src/main.rs",
            Self::Curl => "signin.sh",
        }
    }

    /// The command that runs it.
    pub fn start(self) -> &'static str {
        match self {
            Self::Node => "node signin.mjs",
            Self::Python => "python3 signin.py",
            Self::Go => "go run signin.go",
            Self::Java => "mvn compile exec:java -Dexec.mainClass=SignIn",
            Self::Rust => "cargo run",
            Self::Curl => "bash signin.sh",
        }
    }

    /// How it speaks to the server.
    fn by(self) -> &'static str {
        match self {
            Self::Node | Self::Python | Self::Go | Self::Java => "use the official SDK as it is",
            Self::Rust => "use Postern's own SDK",
            Self::Curl => "call its REST form with the HTTP client that the code base has",
        }
    }

    /// What it is called where the code base is spoken of.
    fn written_in(self) -> &'static str {
        match self {
            Self::Curl => "a language without an SDK",
            named => named.title(),
        }
    }

    /// What this stack's SDK is particular about.
    pub fn particular(self) -> &'static str {
        match self {
            Self::Python => "The SDK's calls always use TLS: the server's URL must be https.",
            Self::Java => {
                "The SDK speaks to https on port 443 only, with no port or path in the URL."
            }
            Self::Go => {
                "With an http URL the SDK speaks gRPC over HTTP/1.1; the server answers that too."
            }
            Self::Node | Self::Rust => "http is fine for loopback; use https everywhere else.",
            Self::Curl => {
                "An access token lives for 24 hours: keep it, and fetch a new one when a call answers 401."
            }
        }
    }
}

/// Whom the code mails where nobody's address is known, or it is not sure to stand in quotes.
const SOMEBODY: &str = "ada@example.com";

/// The prompt for an AI-powered IDE, for an app in this stack and this server.
pub fn prompt(stack: Stack, url: &str) -> String {
    include_str!("../assets/prompts/prompt.md")
        .replace("{{stack}}", stack.written_in())
        .replace("{{by}}", stack.by())
        .replace("{{install}}", stack.install())
        .replace("{{particular}}", stack.particular())
        .replace("{{code}}", stack.code().trim_end())
        .replace("{{facts}}", FACTS.trim_end())
        .replace("{{url}}", url)
}

/// What an assistant that reads `/llms.txt` is told.
pub fn llms(url: &str) -> String {
    let links = Stack::ALL.map(|stack| {
        format!(
            "- [{}]({url}/prompts/{}.md): how to add it to an app in {}\n",
            stack.title(),
            stack.as_str(),
            stack.title()
        )
    });
    format!(
        "# Postern\n\n> A self-hosted server that mails people a one-time code, a magic link, or both, and later says \
         whether what they typed or clicked is right. The official Scalekit SDKs speak to it unchanged.\n\n\
         {}\n\n## Prompts\n\n{}\n## Reference\n\n- [OpenAPI]({url}/openapi.json): the REST form\n",
        FACTS.trim_end(),
        links.concat()
    )
}

const FACTS: &str = include_str!("../assets/prompts/facts.md");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_names_this_server_and_this_client_and_never_the_secret() {
        for stack in Stack::ALL {
            let code = stack.code_for(
                "https://auth.example.com",
                Some("skc_123"),
                "me@example.com",
            );
            for part in [
                "https://auth.example.com",
                "skc_123",
                "SCALEKIT_CLIENT_SECRET",
                "me@example.com",
            ] {
                assert!(code.contains(part), "{}: {part}", stack.as_str());
            }
            for token in ["@URL@", "@ID@", "@SECRET@", "@EMAIL@"] {
                assert!(!code.contains(token), "{code}");
            }
            assert!(stack.code().contains("SCALEKIT_ENVIRONMENT_URL"));
        }
    }

    #[test]
    fn an_address_that_could_end_a_quotation_is_not_written_into_code() {
        for odd in [
            "o'brien@example.com",
            "\"a$(id)\"@example.com",
            "ü@example.com",
        ] {
            let code = Stack::Curl.code_for("https://auth.example.com", None, odd);
            assert!(!code.contains(odd) && code.contains(SOMEBODY), "{code}");
        }
    }

    #[test]
    fn the_rust_code_is_the_example_that_is_built_and_run() {
        let example = include_str!("../../postern-client/examples/signin.rs");
        assert_eq!(Stack::Rust.code(), example);
    }

    #[test]
    fn every_prompt_is_whole_and_names_this_server() {
        for stack in Stack::ALL {
            let text = prompt(stack, "https://auth.example.com");
            assert!(!text.contains("{{"), "{text}");
            for fact in [
                "https://auth.example.com",
                stack.written_in(),
                "auth_request_id",
                "TOO_MANY_ATTEMPTS",
                "Retry-After",
                "button",
            ] {
                assert!(text.contains(fact), "{}: {fact}", stack.as_str());
            }
        }
        let curl = prompt(Stack::Curl, "https://auth.example.com");
        let first = curl.lines().next().unwrap();
        assert!(
            !first.contains("official SDK") && first.contains("REST"),
            "{first}"
        );
        assert!(llms("https://a.example").contains("https://a.example/prompts/go.md"));
    }
}
