//! The form of a token request and the client that sent it (RFC 6749 §2.3.1, §3.2).

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{HeaderMap, header::AUTHORIZATION};
use postern_core::model::SecretText;

use crate::present::oauth::Refusal;

/// The parameters that we read. A parameter without a value counts as absent.
#[derive(Debug, Default)]
pub(super) struct Form {
    pub(super) grant_type: Option<String>,
    client_id: Option<String>,
    client_secret: Option<SecretText>,
}

impl Form {
    /// Reads a body; unknown parameters are ignored, repeated ones refused.
    pub(super) fn parse(body: &[u8]) -> Result<Self, Refusal> {
        let mut form = Self::default();
        for (name, value) in form_urlencoded::parse(body) {
            if value.is_empty() {
                continue;
            }
            let repeated = match &*name {
                "grant_type" => form.grant_type.replace(value.into_owned()).is_some(),
                "client_id" => form.client_id.replace(value.into_owned()).is_some(),
                "client_secret" => {
                    let secret = SecretText::new(value.into_owned());
                    form.client_secret.replace(secret).is_some()
                }
                _ => false,
            };
            if repeated {
                return Err(Refusal::InvalidRequest("a parameter is given twice"));
            }
        }
        Ok(form)
    }

    /// The client's id and secret, from the body or from HTTP Basic. Another scheme, such as a
    /// stale bearer token, is none of our business (contract §1.8).
    pub(super) fn credentials(self, headers: &HeaderMap) -> Result<Credentials, Refusal> {
        match (basic(headers), self.client_secret) {
            (Basic::Absent, Some(secret)) => {
                let id = self
                    .client_id
                    .ok_or(Refusal::InvalidRequest("client_id is required"))?;
                Ok(Credentials {
                    id,
                    secret,
                    basic: false,
                })
            }
            (Basic::Absent, None) => Err(Refusal::InvalidClient { basic: false }),
            (Basic::Broken, None) => Err(Refusal::InvalidClient { basic: true }),
            (Basic::Read(credentials), None) => Ok(credentials),
            (_, Some(_)) => Err(Refusal::InvalidRequest(
                "the client authenticates twice: use the body or HTTP Basic, not both",
            )),
        }
    }
}

/// What a client proves itself with.
#[derive(Debug)]
pub(super) struct Credentials {
    pub(super) id: String,
    pub(super) secret: SecretText,
    /// Whether it came by HTTP Basic.
    pub(super) basic: bool,
}

/// The `authorization` header as far as it is HTTP Basic.
enum Basic {
    Absent,
    Broken,
    Read(Credentials),
}

fn basic(headers: &HeaderMap) -> Basic {
    let values = headers.get_all(AUTHORIZATION).into_iter();
    let mut schemes = values.filter_map(|value| value.to_str().ok()?.trim().split_once(' '));
    let found = schemes.find(|(scheme, _)| scheme.eq_ignore_ascii_case("basic"));
    match found.map(|(_, encoded)| read_basic(encoded)) {
        None => Basic::Absent,
        Some(None) => Basic::Broken,
        Some(Some(credentials)) => Basic::Read(credentials),
    }
}

/// Both halves are form-encoded before they are joined.
fn read_basic(encoded: &str) -> Option<Credentials> {
    let text = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (id, secret) = text.split_once(':')?;
    Some(Credentials {
        id: form_decoded(id),
        secret: SecretText::new(form_decoded(secret)),
        basic: true,
    })
}

fn form_decoded(text: &str) -> String {
    // Not every client encodes: what would end the name is kept as part of it.
    let one_name = text.replace('=', "%3D").replace('&', "%26");
    let decoded = form_urlencoded::parse(one_name.as_bytes()).next();
    decoded
        .map(|(name, _)| name.into_owned())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn read(body: &str, authorization: &[&str]) -> Result<(String, String), Refusal> {
        let mut headers = HeaderMap::new();
        for value in authorization {
            headers.append(AUTHORIZATION, HeaderValue::from_str(value).unwrap());
        }
        let found = Form::parse(body.as_bytes())?.credentials(&headers)?;
        Ok((found.id, found.secret.expose().to_owned()))
    }

    #[test]
    fn credentials_come_from_the_body_or_from_basic() {
        let wanted = ("skc_1".to_owned(), "a b:%".to_owned());
        assert_eq!(
            read("client_id=skc_1&client_secret=a+b%3A%25", &[]).unwrap(),
            wanted
        );
        let basic = format!("Basic {}", STANDARD.encode("skc_1:a+b%3A%25"));
        assert_eq!(read("", &["Bearer stale", &basic]).unwrap(), wanted);
    }

    #[test]
    fn a_bearer_token_beside_the_body_is_ignored() {
        assert!(read("client_id=a&client_secret=b", &["Bearer stale"]).is_ok());
    }

    #[test]
    fn no_double_authentication_and_no_repeated_parameters() {
        let basic = format!("Basic {}", STANDARD.encode("a:b"));
        let both = read("client_id=a&client_secret=b", &[&basic]);
        assert!(matches!(both, Err(Refusal::InvalidRequest(_))));
        let twice = read("client_id=a&client_secret=b&client_secret=c", &[]);
        assert!(matches!(twice, Err(Refusal::InvalidRequest(_))));
    }

    #[test]
    fn no_secret_and_a_broken_basic_are_failed_authentication() {
        assert!(matches!(
            read("client_id=a", &[]),
            Err(Refusal::InvalidClient { basic: false })
        ));
        let broken = read("", &["Basic !!"]);
        assert!(matches!(
            broken,
            Err(Refusal::InvalidClient { basic: true })
        ));
    }
}
