use super::Postern;
use super::open::{MailInput, unreadable};
use crate::error::Error;
use crate::keyring::Binding;
use crate::model::{AuthRequestId, DeliveryId, Email, LinkUri, MailKind, SecretText};
use crate::rules::{PageEnd, page_end};

/// The page between a mail and the app, as it is to be shown at this moment.
#[derive(Debug)]
pub struct LinkPage {
    /// Which request it belongs to.
    pub request: AuthRequestId,
    /// The address that is being proved.
    pub address: Email,
    /// Which mail led here.
    pub kind: MailKind,
    /// The caller's branding and the person's language.
    pub input: MailInput,
    /// Where the app's page is.
    pub uri: LinkUri,
    /// The magic link itself, or why there is none any more.
    pub onward: Result<SecretText, PageEnd>,
}

impl Postern {
    /// Reads what the page of `token` shows; `None` for a token that is forged, of a request that is
    /// gone, or of one whose link may no longer be followed. Whatever it finds, it changes nothing:
    /// mail scanners open every link, some of them many times.
    ///
    /// # Errors
    /// The store does not answer, or what was sealed does not open.
    pub async fn find_link_page(&self, token: &str) -> Result<Option<LinkPage>, Error> {
        let (snapshot, keyring) = (self.snapshot(), self.keyring());
        let Some(page) = keyring.read_page(token) else {
            return Ok(None);
        };
        let first = DeliveryId {
            request: page.id(),
            ordinal: 0,
        };
        let Some(found) = self.store.find_outgoing(first).await? else {
            return Ok(None);
        };
        let request = found.request;
        let input = MailInput::open(&keyring, request.id, found.input.as_ref());
        let mut input = input.map_err(unreadable)?;
        let uri = input.uri.take();
        let admitted = |uri: &LinkUri| uri.check(&snapshot.settings).is_ok();
        let fits = request.method.has_link() && keyring.page_belongs(&page, &request);
        let Some(uri) = uri.filter(|uri| fits && admitted(uri)) else {
            return Ok(None);
        };
        let binding = Binding::new(&request, page.generation());
        let Some(link) = keyring.link_token(&binding) else {
            return Ok(None);
        };
        let end = page_end(&request, page.generation(), &snapshot.settings, self.now());
        Ok(Some(LinkPage {
            request: request.id,
            kind: MailKind::of(request.method, request.template),
            onward: end.map_or_else(|| Ok(SecretText::new(uri.with_token(&link))), Err),
            address: request.address,
            input,
            uri,
        }))
    }
}
