//! The walk that `postern dev` prints: paste it into a shell, and it signs somebody in, with whatever
//! the settings have mailed.
//!
//! Needs curl, sed and a POSIX shell.

use std::path::Path;

/// The walk as a shell script for the server of this data directory.
pub(super) fn script(data: &Path, url: &str, ca: Option<&Path>) -> String {
    let curl = ca.map_or("curl -s".to_owned(), |ca| {
        format!("curl -s --cacert {}", quoted(&ca.to_string_lossy()))
    });
    let env = quoted(&data.join(crate::config::DEVELOPMENT_FILE).to_string_lossy());
    let api = format!("{url}/api/v1/passwordless/email");
    format!(
        r#". {env}
EMAIL="ada.$(date +%s)@example.com"
TOKEN=$({curl} {url}/oauth/token -d grant_type=client_credentials \
  -d client_id="$SCALEKIT_CLIENT_ID" -d client_secret="$SCALEKIT_CLIENT_SECRET" |
  sed 's/.*"access_token":"\([^"]*\)".*/\1/')
SENT=$({curl} {api}/send -H "Authorization: Bearer $TOKEN" \
  -H 'Content-Type: application/json' \
  -d "{{\"email\":\"$EMAIL\",\"magiclink_auth_uri\":\"http://localhost:3000/in\"}}"); echo "$SENT"
REQUEST=$(echo "$SENT" | sed 's/.*"auth_request_id":"\([^"]*\)".*/\1/')
MAIL=$({curl} "{url}/dev/inbox/messages?to=$EMAIL&wait=10")
PROOF=$(printf %s "$MAIL" | sed -n 's/.*"otp":\("[^"]*"\).*/"code":\1/p')
[ "$PROOF" ] || PROOF=$(printf %s "$MAIL" | sed -n 's/.*\("link_token":"[^"]*"\).*/\1/p')
{curl} {api}/verify -H "Authorization: Bearer $TOKEN" \
  -H 'Content-Type: application/json' -d "{{\"auth_request_id\":\"$REQUEST\",$PROOF}}"; echo
"#
    )
}

/// What each SDK needs to trust the private CA (contract §2).
pub(super) fn trust(ca: &Path) -> String {
    let ca = quoted(&ca.to_string_lossy());
    format!(
        "To trust the private CA:\n\
         \x20 Node    export NODE_EXTRA_CA_CERTS={ca}\n\
         \x20 Python  export REQUESTS_CA_BUNDLE={ca} GRPC_DEFAULT_SSL_ROOTS_FILE_PATH={ca}\n\
         \x20 Go      export SSL_CERT_FILE={ca}\n\
         \x20 Java    keytool -importcert -noprompt -alias postern -file {ca} -keystore postern.jks -storepass changeit\n\
         \x20         java -Djavax.net.ssl.trustStore=postern.jks -Djavax.net.ssl.trustStorePassword=changeit …\n\
         \x20         (the Java SDK speaks to port 443 only)\n\
         \x20 curl    --cacert {ca}\n"
    )
}

/// A word that a shell takes as it is.
fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+=:,@%".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_readme_shows_the_same_walk() {
        let readme = include_str!("../../../../README.md");
        let walk = script(Path::new("postern-data"), "http://127.0.0.1:8080", None);
        assert!(readme.contains(&walk), "{walk}");
    }

    #[test]
    fn a_word_with_a_space_or_a_quote_is_quoted_for_the_shell() {
        assert_eq!(quoted("/tmp/data/dev.env"), "/tmp/data/dev.env");
        assert_eq!(quoted("/tmp/it's here"), r"'/tmp/it'\''s here'");
    }
}
