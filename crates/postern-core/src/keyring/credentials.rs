use aws_lc_rs::{constant_time, hmac};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use super::Keyring;
use super::roots::Root;
use crate::model::{
    AuthRequest, AuthRequestId, CodeShape, Email, LinkToken, PageToken, Passcode, RequestHandle,
};

/// Characters of an `auth_request_id`: kid, id and a 16-byte tag in base64url.
pub const HANDLE_CHARS: usize = 44;
/// Characters of a `link_token`: kid, id, generation and a 16-byte tag in base64url, then `_l`.
pub const LINK_TOKEN_CHARS: usize = 49;

const HANDLE_BYTES: usize = 1 + 16 + 16;
const LINK_BYTES: usize = 1 + 16 + 2 + 16;

/// What a token is for, in its derivation.
const LINK: u8 = b'l';
const PAGE: u8 = b'p';

/// What a request's code and link are bound to. Change one of them in the store, and other
/// credentials fall out.
#[derive(Clone, Copy, Debug)]
pub struct Binding<'a> {
    request: &'a AuthRequest,
    generation: u16,
}

impl<'a> Binding<'a> {
    /// The credentials of `request` in `generation`.
    pub fn new(request: &'a AuthRequest, generation: u16) -> Self {
        Self {
            request,
            generation,
        }
    }

    /// The fixed-length encoding under every derivation: purpose, id, generation, client, type,
    /// address.
    fn encode(&self, purpose: u8, address: &[u8; 32]) -> [u8; 116] {
        let mut out = [0; 116];
        out[0] = purpose;
        out[1..17].copy_from_slice(self.request.id.as_bytes());
        out[17..19].copy_from_slice(&self.generation.to_be_bytes());
        out[19] = self.request.method.number();
        let client = self.request.client.as_str().as_bytes();
        out[20..20 + client.len()].copy_from_slice(client);
        out[84..].copy_from_slice(address);
        out
    }
}

/// A link token whose outer tag is right: it was made by this keyring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OfferedLink {
    /// The root that it names.
    pub kid: u8,
    /// The request that it names.
    pub id: AuthRequestId,
    /// The generation that it names.
    pub generation: u16,
    bound: [u8; 8],
}

/// A page's token whose outer tag is right: it was made by this keyring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OfferedPage(OfferedLink);

impl OfferedPage {
    /// The request that it names.
    pub fn id(&self) -> AuthRequestId {
        self.0.id
    }

    /// The generation that it names.
    pub fn generation(&self) -> u16 {
        self.0.generation
    }
}

impl Keyring {
    /// The `auth_request_id` of the wire.
    pub fn handle(&self, kid: u8, id: AuthRequestId) -> Option<RequestHandle> {
        let root = self.root(kid)?;
        let mut bytes = [0; HANDLE_BYTES];
        bytes[0] = kid;
        bytes[1..17].copy_from_slice(id.as_bytes());
        let tag = hmac::sign(&root.request, &bytes[..17]);
        bytes[17..].copy_from_slice(&tag.as_ref()[..16]);
        Some(RequestHandle::new(URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// Reads an `auth_request_id`; `None` when it is not one that this keyring made.
    pub fn read_handle(&self, text: &str) -> Option<AuthRequestId> {
        let bytes: [u8; HANDLE_BYTES] = decode(text, HANDLE_CHARS)?;
        let root = self.root(bytes[0])?;
        let tag = hmac::sign(&root.request, &bytes[..17]);
        same(&tag.as_ref()[..16], &bytes[17..])?;
        Some(AuthRequestId::from_bytes(bytes[1..17].try_into().ok()?))
    }

    /// The passcode of a request in a generation.
    ///
    /// 128 bits of the MAC, modulo the number of codes: the bias is below 2^-78.
    pub fn passcode(&self, binding: &Binding<'_>) -> Option<Passcode> {
        let request = binding.request;
        let root = self.root(request.kid)?;
        let mac = hmac::sign(&root.code, &binding.encode(b'c', &address_of(request)));
        let number = u128::from_be_bytes(mac.as_ref()[..16].try_into().ok()?);
        Some(Passcode::new(spell(number, request.shape)))
    }

    /// The link token of a request in a generation.
    ///
    /// Its 16-byte tag is two halves. The inner binds request, generation, client, type and address;
    /// the outer covers everything before it, so that a forged token is known without the store.
    pub fn link_token(&self, binding: &Binding<'_>) -> Option<LinkToken> {
        let root = self.root(binding.request.kid)?;
        Some(LinkToken::new(format!(
            "{}_l",
            token(&root.link, LINK, binding)
        )))
    }

    /// Reads a link token; `None` when it is not one that this keyring made.
    pub fn read_link(&self, text: &str) -> Option<OfferedLink> {
        self.read_token(text.strip_suffix("_l")?, |root| &root.link)
    }

    /// Whether the link was made for this request as it is now: same root, client, type, address.
    pub fn link_belongs(&self, link: &OfferedLink, request: &AuthRequest) -> bool {
        self.belongs(link, request, LINK, |root| &root.link)
    }

    /// The token of the page between a mail and the app: made as a link's is, under a key of its own,
    /// so that neither serves for the other.
    pub fn page_token(&self, binding: &Binding<'_>) -> Option<PageToken> {
        let root = self.root(binding.request.kid)?;
        Some(PageToken::new(format!(
            "{}_p",
            token(&root.page, PAGE, binding)
        )))
    }

    /// Reads a page's token; `None` when it is not one that this keyring made.
    pub fn read_page(&self, text: &str) -> Option<OfferedPage> {
        let read = self.read_token(text.strip_suffix("_p")?, |root| &root.page);
        read.map(OfferedPage)
    }

    /// Whether the page was made for this request as it is now: same root, client, type, address.
    pub fn page_belongs(&self, page: &OfferedPage, request: &AuthRequest) -> bool {
        self.belongs(&page.0, request, PAGE, |root| &root.page)
    }

    fn read_token(&self, text: &str, key: fn(&Root) -> &hmac::Key) -> Option<OfferedLink> {
        let bytes: [u8; LINK_BYTES] = decode(text, LINK_TOKEN_CHARS - 2)?;
        let root = self.root(bytes[0])?;
        same(&outer_tag(key(root), &bytes[..27]), &bytes[27..])?;
        Some(OfferedLink {
            kid: bytes[0],
            id: AuthRequestId::from_bytes(bytes[1..17].try_into().ok()?),
            generation: u16::from_be_bytes(bytes[17..19].try_into().ok()?),
            bound: bytes[19..27].try_into().ok()?,
        })
    }

    fn belongs(
        &self,
        offered: &OfferedLink,
        request: &AuthRequest,
        purpose: u8,
        key: fn(&Root) -> &hmac::Key,
    ) -> bool {
        let Some(root) = self.root(offered.kid) else {
            return false;
        };
        let binding = Binding::new(request, offered.generation);
        offered.kid == request.kid
            && offered.id == request.id
            && same(&inner_tag(key(root), purpose, &binding), &offered.bound).is_some()
    }

    /// The digest by which a wrong code is recognised when it comes again.
    pub fn wrong_digest(&self, request: &AuthRequest, code: &str) -> Option<[u8; 16]> {
        let mut context = hmac::Context::with_key(&self.root(request.kid)?.wrong);
        context.update(request.id.as_bytes());
        context.update(&request.generation.to_be_bytes());
        context.update(code.as_bytes());
        context.sign().as_ref()[..16].try_into().ok()
    }

    /// The digest that stands for an address in logs: 12 characters, under the current root.
    pub fn address_digest(&self, address: &Email) -> String {
        let mac = hmac::sign(&self.current().address, address.normal().as_bytes());
        URL_SAFE_NO_PAD.encode(&mac.as_ref()[..9])
    }
}

/// Whether two codes are the same, in a time that does not depend on where they differ.
pub(crate) fn same_code(expected: &Passcode, offered: &str) -> bool {
    same(expected.expose().as_bytes(), offered.as_bytes()).is_some()
}

fn address_of(request: &AuthRequest) -> [u8; 32] {
    request.address.binding()
}

/// Kid, id, generation and a tag of two halves, in base64url.
fn token(key: &hmac::Key, purpose: u8, binding: &Binding<'_>) -> String {
    let request = binding.request;
    let mut bytes = [0; LINK_BYTES];
    bytes[0] = request.kid;
    bytes[1..17].copy_from_slice(request.id.as_bytes());
    bytes[17..19].copy_from_slice(&binding.generation.to_be_bytes());
    bytes[19..27].copy_from_slice(&inner_tag(key, purpose, binding));
    let outer = outer_tag(key, &bytes[..27]);
    bytes[27..].copy_from_slice(&outer);
    URL_SAFE_NO_PAD.encode(bytes)
}

fn inner_tag(key: &hmac::Key, purpose: u8, binding: &Binding<'_>) -> [u8; 8] {
    let mac = hmac::sign(key, &binding.encode(purpose, &address_of(binding.request)));
    mac.as_ref()[..8].try_into().expect("8 of 32 bytes")
}

fn outer_tag(key: &hmac::Key, header: &[u8]) -> [u8; 8] {
    let mut context = hmac::Context::with_key(key);
    context.update(b"o");
    context.update(header);
    context.sign().as_ref()[..8]
        .try_into()
        .expect("8 of 32 bytes")
}

fn spell(mut number: u128, shape: CodeShape) -> String {
    let symbols = shape.alphabet.symbols();
    let base = symbols.len() as u128;
    let mut text = vec![0; usize::from(shape.length)];
    for place in text.iter_mut().rev() {
        *place = symbols[usize::try_from(number % base).expect("a remainder is below the base")];
        number /= base;
    }
    String::from_utf8(text).expect("symbols are ASCII")
}

fn decode<const N: usize>(text: &str, chars: usize) -> Option<[u8; N]> {
    if text.len() != chars {
        return None;
    }
    URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()
}

fn same(a: &[u8], b: &[u8]) -> Option<()> {
    constant_time::verify_slices_are_equal(a, b).ok()
}
