//! What single providers do to our mails: marks by which one names a mail again when it does not
//! give back its Message-ID, and header fields that one writes anew.

use postern_core::model::DeliveryId;

use super::Preset;

/// The key of the metadata at Postmark, which answers with its own message ids alone.
pub const POSTMARK_MARK: &str = "postern-delivery";

/// The header that a well-known provider has to see with a mail.
pub(super) fn header(to: Option<Preset>, delivery: DeliveryId) -> Option<(&'static str, String)> {
    (to == Some(Preset::Postmark)).then(|| ("X-PM-Metadata-postern-delivery", delivery.to_string()))
}

/// Header fields that the provider at `host` writes anew, in lower case: Amazon SES gives every mail
/// a date and an id of its own, and asks that signatures leave them out.
pub(super) fn rewritten(host: &str) -> &'static [&'static str] {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    let amazon = host.ends_with(".amazonaws.com") || host.ends_with(".amazonaws.com.cn");
    if amazon { &["date", "message-id"] } else { &[] }
}

#[cfg(test)]
mod tests {
    use postern_core::model::AuthRequestId;

    use super::*;

    #[test]
    fn only_postmark_is_given_a_mark_and_its_key_is_the_one_that_comes_back() {
        let delivery = DeliveryId {
            request: AuthRequestId::from_bytes([7; 16]),
            ordinal: 0,
        };
        let (name, value) = header(Some(Preset::Postmark), delivery).unwrap();
        assert_eq!(name.strip_prefix("X-PM-Metadata-"), Some(POSTMARK_MARK));
        assert_eq!(DeliveryId::parse(&value), Some(delivery));
        for other in [None, Some(Preset::Sendgrid)] {
            assert_eq!(header(other, delivery), None, "{other:?}");
        }
    }

    #[test]
    fn only_amazon_writes_header_fields_anew() {
        assert_eq!(
            rewritten("email-smtp.eu-central-1.amazonaws.com"),
            ["date", "message-id"]
        );
        for other in ["smtp.postmarkapp.com", "notamazonaws.com", ""] {
            assert!(rewritten(other).is_empty(), "{other}");
        }
    }
}
