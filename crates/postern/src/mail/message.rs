//! A mail as it is, and as it travels (RFC 5322, RFC 2046).

use std::fmt;
use std::time::{Duration, SystemTime};

use lettre::address::Envelope;
use lettre::message::header::{
    self, ContentTransferEncoding, ContentType, HeaderName, HeaderValue, Headers,
};
use lettre::message::{Body, Mailbox, Mailboxes, MultiPart, SinglePart};
use lettre::{Address, address::AddressError};
use memchr::memchr;
use postern_core::model::{
    DeliveryId, Email, LinkToken, PageToken, Passcode, RequestHandle, SecretText, Timestamp,
};

use super::mark;
use super::preset::Preset;
use super::sender::Sender;
use super::templates::Parts;

/// A mail with everything that any transport needs. Its `Debug` shows which delivery it is and
/// nothing else: the rest holds addresses and credentials.
#[derive(Clone)]
pub struct Mail {
    /// The delivery that this mail is.
    pub delivery: DeliveryId,
    /// Who sends it.
    pub from: Sender,
    /// Whom it is for, as the caller gave it.
    pub to: Email,
    /// Subject, text and HTML.
    pub parts: Parts,
    /// When it was asked for. A repeat carries the same date, so that it is the same message.
    pub dated: Timestamp,
    /// What it opens.
    pub credentials: Credentials,
}

/// The credentials in a mail.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// The passcode, if the mail has one.
    pub passcode: Option<Passcode>,
    /// The magic link, if the mail has one.
    pub link: Option<SecretText>,
    /// What the link ends up giving to the app, also where it leads over our own page.
    pub link_token: Option<LinkToken>,
    /// The token of our own page, where the link leads to it.
    pub page_token: Option<PageToken>,
    /// The `auth_request_id` of the wire. Never in the mail itself: only the development inbox shows it.
    pub handle: RequestHandle,
}

/// The longest line of a mail, without its end (RFC 5322 §2.1.1).
const LINE: usize = 998;

/// Why a mail cannot be put into a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MessageError {
    /// The recipient is not one that mail software takes.
    #[error("the address is not one that can be mailed")]
    Recipient,
}

impl Mail {
    /// The `Message-ID` with its angle brackets: a function of the delivery, on the sender's domain.
    pub fn message_id(&self) -> String {
        format!("<{}@{}>", self.delivery, self.from.id_domain())
    }

    /// The headers that do not depend on how the message is encoded, as text.
    pub fn headers(&self) -> Vec<(&'static str, String)> {
        let mut headers = vec![
            ("Message-ID", self.message_id()),
            ("Date", date(self.dated)),
            ("From", self.from.to_string()),
            ("To", self.to.as_given().to_owned()),
            ("Subject", self.parts.subject.clone()),
            ("Auto-Submitted", "auto-generated".to_owned()),
            ("X-Auto-Response-Suppress", "All".to_owned()),
        ];
        if let Some(reply_to) = self.from.reply_to() {
            headers.push(("Reply-To", reply_to.to_string()));
        }
        headers
    }

    /// What a server might repeat of this mail and must not reach an event or a log.
    pub fn secrets(&self) -> Vec<&str> {
        let held = &self.credentials;
        let link = held.link_token.as_ref().map(LinkToken::expose);
        let page = held.page_token.as_ref().map(PageToken::expose);
        held.passcode
            .as_ref()
            .map(Passcode::expose)
            .into_iter()
            .chain(link)
            .chain(page)
            .collect()
    }

    /// The envelope and the message, with CRLF line ends.
    ///
    /// # Errors
    /// When the recipient is not one that mail software takes.
    pub fn encode(&self) -> Result<(Envelope, Vec<u8>), MessageError> {
        self.encode_for(None)
    }

    /// The same, with the mark that a well-known provider needs to name the mail again.
    ///
    /// # Errors
    /// As [`Self::encode`].
    pub fn encode_for(&self, preset: Option<Preset>) -> Result<(Envelope, Vec<u8>), MessageError> {
        let to = recipient(&self.to).map_err(|_| MessageError::Recipient)?;
        let envelope = Envelope::new(Some(self.from.address().clone()), vec![to.clone()]);
        let envelope = envelope.map_err(|_| MessageError::Recipient)?;
        let mut headers = Headers::new();
        if let Some(reply_to) = self.from.reply_to() {
            headers.set(header::ReplyTo::from(only(reply_to.clone())));
        }
        if let Some((name, value)) = mark::header(preset, self.delivery) {
            headers.insert_raw(raw(name, &value));
        }
        headers.set(header::MessageId::from(self.message_id()));
        headers.set(header::Date::new(system_time(self.dated)));
        headers.set(header::From::from(only(self.from.mailbox().clone())));
        headers.set(header::To::from(only(Mailbox::new(None, to))));
        headers.set(header::Subject::from(self.parts.subject.clone()));
        headers.insert_raw(raw("Auto-Submitted", "auto-generated"));
        headers.insert_raw(raw("X-Auto-Response-Suppress", "All"));
        let parts = (self.parts.text.as_str(), self.parts.html.as_str());
        let message = formatted(headers, &boundary(self.delivery), parts);
        Ok((envelope, message))
    }
}

/// A message from nobody to nobody, for looking at.
pub fn message_of(at: Timestamp, subject: &str, text: &str, html: &str) -> Vec<u8> {
    let nobody: Mailbox = "Preview <preview@postern.localhost>"
        .parse()
        .expect("the address is well formed");
    let mut headers = Headers::new();
    headers.set(header::Date::new(system_time(at)));
    headers.set(header::From::from(only(nobody.clone())));
    headers.set(header::To::from(only(nobody)));
    headers.set(header::Subject::from(subject.to_owned()));
    formatted(headers, "=_preview", (text, html))
}

/// A message with these headers, whose text and HTML say the same. They are made one multipart here: the
/// crate's message asks its headers what it was told, which is to read them all again.
fn formatted(mut headers: Headers, boundary: &str, (text, html): (&str, &str)) -> Vec<u8> {
    headers.set(header::MIME_VERSION_1_0);
    let kind = format!("multipart/alternative; boundary=\"{boundary}\"");
    headers.insert_raw(raw("Content-Type", &kind));
    let mut whole = MultiPart::builder()
        .build()
        .singlepart(part(ContentType::TEXT_PLAIN, text))
        .singlepart(part(ContentType::TEXT_HTML, html));
    *whole.headers_mut() = headers;
    whole.formatted()
}

fn only(mailbox: Mailbox) -> Mailboxes {
    Mailboxes::from(mailbox)
}

impl fmt::Debug for Mail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mail")
            .field("delivery", &self.delivery)
            .finish_non_exhaustive()
    }
}

/// A body part. What can travel as it is does: the SMTP crate would encode whatever has a line of
/// over 76 bytes, which markup always has, and make it longer and slower to read for every filter
/// on its way.
fn part(kind: ContentType, text: &str) -> SinglePart {
    let wire = Wire::of(text);
    let body = match wire.encoding() {
        ContentTransferEncoding::SevenBit => {
            Body::dangerous_pre_encoded(wire.bytes, ContentTransferEncoding::SevenBit)
        }
        encoding => Body::new_with_encoding(wire.bytes, encoding)
            .expect("every text can be encoded as quoted-printable or base64"),
    };
    SinglePart::builder().header(kind).body(body)
}

/// A text whose lines end as on the wire, and what was seen of it on the way there.
struct Wire {
    bytes: Vec<u8>,
    /// Bytes that may not travel as they are: all but printable ASCII and tabs.
    foreign: usize,
    /// Whether every line is one on the wire: not too long, and without a carriage return that ends
    /// nothing.
    fits: bool,
}

impl Wire {
    fn of(text: &str) -> Self {
        let mut wire = Self {
            bytes: Vec::with_capacity(text.len() + text.len() / 16),
            foreign: foreign(text),
            fits: true,
        };
        let returns = memchr(b'\r', text.as_bytes()).is_some();
        let mut rest = text.as_bytes();
        while let Some(end) = memchr(b'\n', rest) {
            let line = &rest[..end];
            wire.line(line.strip_suffix(b"\r").unwrap_or(line), returns);
            wire.bytes.extend_from_slice(b"\r\n");
            rest = &rest[end + 1..];
        }
        wire.line(rest, returns);
        wire
    }

    /// Adds a line, whose end is not in it.
    fn line(&mut self, line: &[u8], returns: bool) {
        self.fits &= line.len() <= LINE && !(returns && line.contains(&b'\r'));
        self.bytes.extend_from_slice(line);
    }

    /// The encoding that every server takes, and that is shorter.
    fn encoding(&self) -> ContentTransferEncoding {
        if self.foreign == 0 && self.fits {
            ContentTransferEncoding::SevenBit
        } else if self.foreign <= self.bytes.len() / 3 {
            ContentTransferEncoding::QuotedPrintable
        } else {
            ContentTransferEncoding::Base64
        }
    }
}

/// How many bytes of a text may not travel as they are: all but printable ASCII, tabs and line ends.
fn foreign(text: &str) -> usize {
    let (words, rest) = text.as_bytes().as_chunks::<8>();
    let suspects = words.iter().filter(|word| !is_printable(**word));
    let bytes = suspects.flatten().chain(rest);
    bytes.filter(|byte| is_foreign(**byte)).count()
}

fn is_foreign(byte: u8) -> bool {
    !matches!(byte, b'\t' | b'\n' | b'\r' | b' '..=b'~')
}

/// Whether eight bytes are printable ASCII, by arithmetic on all of them at once.
fn is_printable(word: [u8; 8]) -> bool {
    const EACH: u64 = u64::from_ne_bytes([1; 8]);
    let word = u64::from_ne_bytes(word);
    let below = word.wrapping_sub(EACH * 0x20) & !word;
    let delete = word ^ (EACH * 0x7f);
    let delete = delete.wrapping_sub(EACH) & !delete;
    (below | delete | word) & (EACH * 0x80) == 0
}

/// The address on the envelope. An international domain goes in its ASCII form when the local
/// part is ASCII, so that it needs no SMTPUTF8 on the way (RFC 6531 §3.2).
pub(super) fn recipient(to: &Email) -> Result<Address, AddressError> {
    let domain = if to.local().is_ascii() {
        to.domain()
    } else {
        domain_as_given(to)
    };
    Address::new(to.local(), domain)
}

fn domain_as_given(to: &Email) -> &str {
    to.as_given()
        .rsplit_once('@')
        .map_or(to.domain(), |(_, domain)| domain)
}

/// A boundary that no text holds by accident and that is the same in a repeat.
fn boundary(delivery: DeliveryId) -> String {
    format!("=_{delivery}")
}

fn raw(name: &'static str, value: &str) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned())
}

fn system_time(at: Timestamp) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(u64::try_from(at.unix_seconds()).unwrap_or(0))
}

fn date(at: Timestamp) -> String {
    let mut headers = Headers::new();
    headers.set(header::Date::new(system_time(at)));
    headers.get_raw("Date").unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_ends_as_on_the_wire_once() {
        let of = |text| String::from_utf8(Wire::of(text).bytes).unwrap();
        assert_eq!(of("a\nb\r\n\nc"), "a\r\nb\r\n\r\nc");
        assert_eq!(of("\n"), "\r\n");
        assert_eq!(of(""), "");
    }

    #[test]
    fn a_text_is_encoded_only_where_it_has_to_be() {
        let of = |text: &str| Wire::of(text).encoding();
        let long = |length| "x".repeat(length);
        assert_eq!(of("short\nlines"), ContentTransferEncoding::SevenBit);
        assert_eq!(of(&long(998)), ContentTransferEncoding::SevenBit);
        assert_eq!(of(&long(999)), ContentTransferEncoding::QuotedPrintable);
        for stray in ["one\rtwo", "one\r\r\ntwo", "one\r"] {
            assert_eq!(of(stray), ContentTransferEncoding::QuotedPrintable);
        }
        assert_eq!(of("a line\0"), ContentTransferEncoding::QuotedPrintable);
        for byte in 0..=0x7f_u8 {
            for place in 0..9 {
                let mut text = [b'x'; 9];
                text[place] = byte;
                let counted = foreign(str::from_utf8(&text).unwrap());
                assert_eq!(counted, usize::from(is_foreign(byte)), "{byte} at {place}");
            }
        }
        assert_eq!(of("Viele Grüße"), ContentTransferEncoding::QuotedPrintable);
        assert_eq!(of("コード"), ContentTransferEncoding::Base64);
    }
}
