//! JSON bodies as protobuf's JSON mapping reads them.

use std::fmt;

use http::{HeaderMap, header::CONTENT_TYPE};
use postern_core::error::{Error, Violation};
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, MapAccess, Visitor},
};
use serde_json::Value;

use crate::listen::RequestId;
use crate::present::Problem;

/// Fields that are looked at to find those of a wrong type; no message of ours has as many.
const LOOKED_AT: usize = 64;

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
pub(super) fn decode<M: DeserializeOwned>(body: &[u8], id: RequestId) -> Result<M, Problem> {
    let body = if body.is_empty() { b"{}" } else { body };
    serde_json::from_slice(body).or_else(|error| without_nulls(body, &error, id))
}

/// The mapping takes `null` for any field; the generated readers take it for optional ones only.
fn without_nulls<M: DeserializeOwned>(
    body: &[u8],
    why: &serde_json::Error,
    id: RequestId,
) -> Result<M, Problem> {
    let Ok(Fields(mut fields)) = serde_json::from_slice(body) else {
        return Err(malformed(why));
    };
    let before = fields.len();
    fields.retain(|(_, value)| !value.is_null());
    let read = serde_json::from_str(&written(&fields));
    read.map_err(|error| {
        let wrong = of_wrong_type::<M>(&fields);
        if wrong.is_empty() {
            let nulls = fields.len() < before;
            return malformed(if nulls { &error } else { why });
        }
        Problem::new(Error::Invalid(wrong), id)
    })
}

/// The fields that alone do not make a message either.
fn of_wrong_type<M: DeserializeOwned>(fields: &[(String, Value)]) -> Vec<Violation> {
    let alone = |field: &(String, Value)| {
        serde_json::from_str::<M>(&written(std::slice::from_ref(field))).is_err()
    };
    let violation = |(name, _): &(String, Value)| {
        let told = format!("{name} is of another type, or out of its range");
        Violation::new(name, "type", told)
    };
    let looked_at = fields.iter().take(LOOKED_AT);
    looked_at
        .filter(|field| alone(field))
        .map(violation)
        .collect()
}

/// The fields of an object in their order, those of one name too.
struct Fields(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Reading;
        impl<'de> Visitor<'de> for Reading {
            type Value = Fields;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Fields(fields))
            }
        }
        from.deserialize_map(Reading)
    }
}

/// The object again, as text: read from a map, the last field of a name would win in silence.
fn written(fields: &[(String, Value)]) -> String {
    let field = |(name, value): &(String, Value)| format!("{}:{value}", Value::from(name.as_str()));
    let fields: Vec<_> = fields.iter().map(field).collect();
    format!("{{{}}}", fields.join(","))
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
    use crate::listen::RequestContext;

    fn read(body: &[u8]) -> Result<SendPasswordlessRequest, Problem> {
        let id = RequestContext::of(&http::Extensions::new()).id;
        decode(body, id)
    }

    #[test]
    fn a_field_that_comes_twice_is_refused_beside_nulls_too() {
        for body in [
            r#"{"email":"a@b.c","email":"d@e.f"}"#,
            r#"{"email":"a@b.c","email":"d@e.f","template":null}"#,
            r#"{"templateVariables":null,"email":"a@b.c","email":"d@e.f"}"#,
            r#"{"email":null,"state":"1","state":"2"}"#,
        ] {
            let refused = format!("{:?}", read(body.as_bytes()).unwrap_err());
            assert!(refused.contains("duplicate field"), "{body}: {refused}");
        }
    }

    #[test]
    fn every_field_of_a_wrong_type_is_named() {
        let body = br#"{"email":7,"expiresIn":-1,"template":"NONE","state":"s","x":[],"template_variables":[]}"#;
        let refused = format!("{:?}", read(body).unwrap_err());
        for field in ["email", "expiresIn", "template", "template_variables"] {
            let told = format!("{field} is of another type, or out of its range");
            assert!(refused.contains(&told), "{field}: {refused}");
        }
        assert!(
            !refused.contains("state is") && !refused.contains("x is"),
            "{refused}"
        );
    }

    #[test]
    fn null_and_nothing_are_absence() {
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
