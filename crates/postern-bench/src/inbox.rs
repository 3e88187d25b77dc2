//! The development inbox of the server.

use std::{collections::HashMap, net::SocketAddr};

use anyhow::{Context, ensure};
use serde::Deserialize;

use crate::http1;

/// How many mails one answer holds: few, because what the server makes of them is in its memory.
const PAGE: usize = 500;

/// Reads mails in the order in which they came.
pub(crate) struct Inbox {
    connection: http1::Connection,
    after: Option<String>,
}

/// What a mail carries, as far as it is needed here.
#[derive(Debug, Deserialize)]
pub(crate) struct Mail {
    id: String,
    pub(crate) to: String,
    pub(crate) otp: Option<String>,
}

impl Inbox {
    pub(crate) async fn open(address: SocketAddr) -> anyhow::Result<Self> {
        Ok(Self {
            connection: http1::Connection::open(address).await?,
            after: None,
        })
    }

    /// Leaves out every mail that is there already.
    pub(crate) async fn skip_to_end(&mut self) -> anyhow::Result<()> {
        while self.page(0).await?.len() == PAGE {}
        Ok(())
    }

    /// The next mails, after waiting up to so many seconds for the first. None come when the
    /// wait is over.
    pub(crate) async fn page(&mut self, wait: u8) -> anyhow::Result<Vec<Mail>> {
        let after = self.after.as_ref();
        let after = after.map(|id| format!("&after={id}")).unwrap_or_default();
        let path = format!("/dev/inbox/messages?limit={PAGE}&wait={wait}{after}");
        let mails = self.get(&path).await?;
        if let Some(last) = mails.last() {
            self.after = Some(last.id.clone());
        }
        Ok(mails)
    }

    /// The codes of the next `count` mails, by address.
    pub(crate) async fn codes(&mut self, count: usize) -> anyhow::Result<HashMap<String, String>> {
        const PATIENCE_SECONDS: u8 = 20;
        let mut codes = HashMap::with_capacity(count);
        while codes.len() < count {
            let mails = self.page(PATIENCE_SECONDS).await?;
            ensure!(
                !mails.is_empty(),
                "{} of {count} mails never came",
                count - codes.len()
            );
            for mail in mails {
                codes.insert(mail.to, mail.otp.context("a mail without a code")?);
            }
        }
        Ok(codes)
    }

    /// The code of the newest mail to one address, once there is one.
    pub(crate) async fn code_for(&mut self, address: &str) -> anyhow::Result<String> {
        let path = format!("/dev/inbox/messages?wait=20&to={address}");
        let mut mails = self.get(&path).await?;
        let newest = mails
            .pop()
            .with_context(|| format!("no mail to {address} came"))?;
        newest.otp.context("the mail carries no code")
    }

    async fn get(&mut self, path: &str) -> anyhow::Result<Vec<Mail>> {
        let head = http1::Head {
            method: "GET",
            path,
            content_type: "",
            authorization: "",
        };
        let answer = self.connection.call(&head, b"").await?;
        ensure!(
            answer.status == 200,
            "the inbox answered HTTP {}: only `postern dev` has one",
            answer.status
        );
        Ok(serde_json::from_slice(answer.body)?)
    }
}
