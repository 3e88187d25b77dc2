//! From a delivery to a mail: credentials are derived here, at the moment of sending, and put
//! into the template of the request's kind.

use postern_core::flow::{MailInput, is_dashboard};
use postern_core::keyring::{Binding, Keyring};
use postern_core::model::{Language, LinkUri, Outgoing, SecretText, Timestamp};
use postern_core::settings::Settings;

use super::Kind;
use super::message::{Credentials, Mail};
use super::sender::Sender;
use super::templates::{Chosen, FellBack, Fields, TemplateError, Templates};
use super::wording::Wording;
use crate::confirm;

/// Why a mail cannot be made. No repeat mends it, except after an operator acted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RenderError {
    /// The request names a root that the keyring does not hold.
    #[error("the keyring does not hold the root key of this request")]
    NoRoot,
    /// The request is of a link type and has no link URI.
    #[error("the request has no magiclink_auth_uri")]
    NoLink,
    /// The template cannot be filled.
    #[error(transparent)]
    Template(#[from] TemplateError),
}

/// Renders mails in the name of one sender.
#[derive(Debug, Clone, Copy)]
pub struct Renderer<'a> {
    /// The templates in force.
    pub templates: &'a Templates,
    /// What credentials are derived from.
    pub keyring: &'a Keyring,
    /// The branding in force.
    pub settings: &'a Settings,
    /// Who the mail is from.
    pub from: &'a Sender,
    /// Our own origin, without a slash at the end, for links to our own page.
    pub public_url: &'a str,
}

impl Renderer<'_> {
    /// The mail of one delivery, as it reads at `now`.
    ///
    /// # Errors
    /// When a root, a link or a template variable is missing.
    pub fn render(
        &self,
        outgoing: &Outgoing,
        input: &MailInput,
        now: Timestamp,
    ) -> Result<Mail, RenderError> {
        self.render_telling(outgoing, input, now)
            .map(|(mail, _)| mail)
    }

    /// [`Self::render`], telling whether it had to do without the custom template.
    ///
    /// # Errors
    /// As there.
    pub fn render_telling(
        &self,
        outgoing: &Outgoing,
        input: &MailInput,
        now: Timestamp,
    ) -> Result<(Mail, Option<FellBack>), RenderError> {
        let credentials = self.derive(outgoing, input)?;
        let request = &outgoing.request;
        let chosen = self.choose(outgoing, input);
        let fields = self.fields(outgoing, input, &credentials, &chosen, now);
        let (parts, fell_back) = chosen.fill(&fields)?;
        let mail = Mail {
            delivery: outgoing.delivery.id,
            from: self.from.clone(),
            to: request.address.clone(),
            parts,
            dated: outgoing.delivery.queued_at,
            credentials,
        };
        Ok((mail, fell_back))
    }

    fn choose(&self, outgoing: &Outgoing, input: &MailInput) -> Chosen {
        let request = &outgoing.request;
        let kind = Kind::of(request.method, request.template);
        let (wanted, settings) = (input.wanted(), self.settings);
        if is_dashboard(&request.client) {
            return self.templates.choose_built_in(kind, &wanted, settings);
        }
        self.templates.choose(kind, &wanted, settings)
    }

    fn derive(&self, outgoing: &Outgoing, input: &MailInput) -> Result<Credentials, RenderError> {
        let request = &outgoing.request;
        let binding = Binding::new(request, outgoing.delivery.generation);
        let method = request.method;
        let handle = self
            .keyring
            .handle(request.kid, request.id)
            .ok_or(RenderError::NoRoot)?;
        let mut credentials = Credentials {
            passcode: None,
            link: None,
            link_token: None,
            page_token: None,
            handle,
        };
        if method.has_code() {
            credentials.passcode =
                Some(self.keyring.passcode(&binding).ok_or(RenderError::NoRoot)?);
        }
        if method.has_link() {
            let token = self
                .keyring
                .link_token(&binding)
                .ok_or(RenderError::NoRoot)?;
            let uri = input.uri.as_ref().ok_or(RenderError::NoLink)?;
            let mut link = uri.with_token(&token);
            if self.settings.confirm_page {
                let page = self.keyring.page_token(&binding);
                let page = page.ok_or(RenderError::NoRoot)?;
                link = confirm::address(self.public_url, &page);
                credentials.page_token = Some(page);
            }
            credentials.link = Some(SecretText::new(link));
            credentials.link_token = Some(token);
        }
        Ok(credentials)
    }

    fn fields(
        &self,
        outgoing: &Outgoing,
        input: &MailInput,
        credentials: &Credentials,
        chosen: &Chosen,
        now: Timestamp,
    ) -> Fields {
        let (request, asked) = (&outgoing.request, outgoing.delivery.queued_at);
        let mut fields = branded(self.settings);
        for (name, value) in input.variables.pairs() {
            // An empty optional string counts as absent, and a mail has to say who it is from.
            if name != "app_name" || !value.is_empty() {
                fields.set(name, value.as_str());
            }
        }
        fields.set("app_color", self.settings.app_color.as_str());
        fields.set("user_email", request.address.as_given());
        set_language(&mut fields, &chosen.language);
        set_times(
            &mut fields,
            chosen.wording,
            (asked, request.expires_at, now),
        );
        if let Some(passcode) = &credentials.passcode {
            fields.set("otp", passcode.expose());
            fields.set("code_domain", self.code_domain(input));
        }
        if let Some(link) = &credentials.link {
            fields.set("link", link.expose());
        }
        fields
    }

    /// The domain that mail clients match a code with: that of the page that the app gave, else the
    /// configured one.
    fn code_domain(&self, input: &MailInput) -> String {
        let host = input.uri.as_ref().and_then(LinkUri::web_host);
        host.unwrap_or_else(|| self.settings.app_domain.clone())
    }
}

/// What the caller may override, as the settings say it.
pub(super) fn branded(settings: &Settings) -> Fields {
    let mut fields = Fields::default();
    for (name, value) in [
        ("app_name", settings.app_name.as_str()),
        ("app_logo_url", &settings.app_logo_url),
        ("app_support_email", &settings.app_support_email),
        ("app_color", &settings.app_color),
        ("app_organization_meta_name", ""),
        ("organization_name", ""),
        ("user_name", ""),
    ] {
        fields.set(name, value);
    }
    fields
}

/// The language of the mail, and which way it runs.
pub(super) fn set_language(fields: &mut Fields, language: &Language) {
    let rtl = language.is_rtl();
    fields.set("language", language.to_string());
    fields.set("direction", if rtl { "rtl" } else { "ltr" });
    fields.set("start", if rtl { "right" } else { "left" });
}

/// When it was asked for, when it expires, and what is left of that now.
pub(super) fn set_times(
    fields: &mut Fields,
    wording: &Wording,
    (asked, expires_at, now): (Timestamp, Timestamp, Timestamp),
) {
    let (expires, left) = (wording.moment(expires_at), expires_at.since(now));
    fields.set("expiry_time", expires.as_str());
    fields.set("expire_time", expires);
    fields.set("expiry_time_relative", wording.span(left));
    fields.set("expiry_within", wording.within(left));
    fields.set("requested_at", wording.moment(asked));
}

#[cfg(test)]
mod tests;
