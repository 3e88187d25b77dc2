//! JSON bodies as protobuf's JSON mapping reads them.

use http::{HeaderMap, header::CONTENT_TYPE};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::present::Problem;

/// Passes a body that says it is JSON, or says nothing.
pub(super) fn expect_json(headers: &HeaderMap) -> Result<(), Problem> {
    let Some(kind) = headers.get(CONTENT_TYPE) else {
        return Ok(());
    };
    let kind = kind.to_str().unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    let json = kind.eq_ignore_ascii_case("application/json") || kind.ends_with("+json");
    json.then_some(())
        .ok_or_else(|| Problem::wrong_media_type("application/json"))
}

/// Reads a message. An empty body is an empty message, and a `null` field an absent one.
pub(super) fn decode<M: DeserializeOwned>(body: &[u8]) -> Result<M, Problem> {
    let body = if body.is_empty() { b"{}" } else { body };
    serde_json::from_slice(body).or_else(|error| without_nulls(body, &error))
}

/// The mapping takes `null` for any field; the generated readers take it for optional ones only.
fn without_nulls<M: DeserializeOwned>(body: &[u8], why: &serde_json::Error) -> Result<M, Problem> {
    let Ok(Value::Object(mut fields)) = serde_json::from_slice(body) else {
        return Err(malformed(why));
    };
    let before = fields.len();
    fields.retain(|_, value| !value.is_null());
    if fields.len() == before {
        return Err(malformed(why));
    }
    serde_json::from_value(Value::Object(fields)).map_err(|error| malformed(&error))
}

/// Says what is wrong in the caller's terms; where the reader can only speak of its own types, where.
fn malformed(error: &serde_json::Error) -> Problem {
    let (line, column) = (error.line(), error.column());
    let said = error.to_string();
    if error.is_data() && (said.contains("untagged enum") || said.contains("struct ")) {
        return Problem::malformed(format_args!(
            "the body is not the JSON of this call: a value of another type is expected at line {line} column {column}"
        ));
    }
    Problem::malformed(format_args!(
        "the body is not the JSON of this call: {said}"
    ))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use postern_proto::scalekit::v1::auth::passwordless::SendPasswordlessRequest;

    use super::*;

    #[test]
    fn null_and_nothing_are_absence() {
        let read = decode::<SendPasswordlessRequest>;
        let all_null = br#"{"email":null,"template":null,"templateVariables":null}"#;
        assert_eq!(read(all_null).unwrap(), SendPasswordlessRequest::default());
        assert_eq!(read(b"").unwrap(), SendPasswordlessRequest::default());
        assert!(read(b"[]").is_err());
        assert!(read(br#"{"email":7,"state":null}"#).is_err());
        assert!(read(br#"{"email":"a@b.c""#).is_err());
    }

    #[test]
    fn json_by_name_or_suffix_or_without_a_name_is_taken() {
        let kind = |kind| HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(kind))]);
        assert!(expect_json(&HeaderMap::new()).is_ok());
        assert!(expect_json(&kind("application/json; charset=utf-8")).is_ok());
        assert!(expect_json(&kind("application/vnd.x+json")).is_ok());
        assert!(expect_json(&kind("application/x-www-form-urlencoded")).is_err());
    }
}
