//! Keys that sign mails.

use std::sync::Arc;

use postern_core::flow::DkimName;
use postern_core::model::{DkimAlgorithm, DkimKey};

use super::command::{DkimCommand, NewDkim};
use super::execute::{Admin, Refusal};
use super::reply::{AdminReply, DkimRow};
use super::shown::rfc3339;
use crate::mail::make_dkim_key;

/// The selector of a domain's RSA key, unless another is asked for.
const SELECTOR: &str = "postern";

/// What the selector of an Ed25519 key ends with when both keys of a domain are made at once.
const ED25519_END: &str = "-ed25519";

impl Admin {
    /// Does one thing with the keys that sign mails.
    pub(super) async fn dkim(&self, command: DkimCommand) -> Result<AdminReply, Refusal> {
        match command {
            DkimCommand::Create(new) => self.create_dkim(new).await,
            DkimCommand::Show { domain, selector } => {
                self.show_dkim(&domain, selector.as_deref()).await
            }
            DkimCommand::List => self.list_dkim().await,
            DkimCommand::Remove { domain, selector } => self.remove_dkim(&domain, &selector).await,
        }
    }

    /// Makes the keys of a domain and shows their DNS records.
    async fn create_dkim(&self, new: NewDkim) -> Result<AdminReply, Refusal> {
        let wanted = wanted(&new)?;
        let (keyring, entropy, now) = (
            self.postern.keyring(),
            Arc::clone(&self.entropy),
            self.postern.now(),
        );
        let making = tokio::task::spawn_blocking(move || {
            let made = wanted
                .iter()
                .map(|(name, algorithm)| make_dkim_key(name, *algorithm, &keyring, &*entropy, now));
            made.collect::<Result<Vec<_>, _>>()
        });
        let made = making
            .await
            .ok()
            .and_then(Result::ok)
            .ok_or_else(|| Refusal("no DKIM key could be made".to_owned()))?;
        let rows = made.iter().map(row).collect();
        self.postern.add_dkim_keys(made).await?;
        Ok(AdminReply::DkimRecords(rows))
    }

    /// Shows the DNS records of a domain's keys, or of one of them.
    async fn show_dkim(&self, domain: &str, selector: Option<&str>) -> Result<AdminReply, Refusal> {
        let name = DkimName::parse(domain, selector.unwrap_or(SELECTOR))?;
        let held = self.now_held().await?;
        let meant = |key: &&DkimKey| selector.is_none() || key.selector == name.selector();
        let rows: Vec<_> = held
            .dkim_keys_of(name.domain())
            .filter(meant)
            .map(row)
            .collect();
        if rows.is_empty() {
            return Err(Refusal(format!(
                "there is no such DKIM key of {}: `postern mail dkim list` names all, `create` makes one",
                name.domain()
            )));
        }
        Ok(AdminReply::DkimRecords(rows))
    }

    /// Lists the keys.
    async fn list_dkim(&self) -> Result<AdminReply, Refusal> {
        self.list(|held, _| AdminReply::DkimKeys(held.dkim_keys.iter().map(row).collect()))
            .await
    }

    /// Removes a key.
    async fn remove_dkim(&self, domain: &str, selector: &str) -> Result<AdminReply, Refusal> {
        let name = DkimName::parse(domain, selector)?;
        let record = DkimKey::name_of(name.domain(), name.selector());
        self.postern.drop_dkim_key(name).await?;
        Ok(AdminReply::DkimRemoved { name: record })
    }
}

/// Which keys are to be made: without an algorithm one of each.
fn wanted(new: &NewDkim) -> Result<Vec<(DkimName, DkimAlgorithm)>, Refusal> {
    let selector = new.selector.as_deref().unwrap_or(SELECTOR);
    let beside = format!("{selector}{ED25519_END}");
    let wanted = match new.algorithm.as_deref() {
        None => vec![
            (selector, DkimAlgorithm::Rsa),
            (beside.as_str(), DkimAlgorithm::Ed25519),
        ],
        Some(name) => match DkimAlgorithm::parse(name) {
            Some(DkimAlgorithm::Ed25519) if new.selector.is_none() => {
                vec![(beside.as_str(), DkimAlgorithm::Ed25519)]
            }
            Some(algorithm) => vec![(selector, algorithm)],
            None => {
                return Err(Refusal(format!(
                    "{name:?} is not an algorithm: choose rsa or ed25519"
                )));
            }
        },
    };
    wanted
        .into_iter()
        .map(|(selector, algorithm)| Ok((DkimName::parse(&new.domain, selector)?, algorithm)))
        .collect()
}

fn row(key: &DkimKey) -> DkimRow {
    DkimRow {
        domain: key.domain.clone(),
        selector: key.selector.clone(),
        algorithm: key.algorithm.as_str().to_owned(),
        name: key.record_name(),
        record: key.record(),
        zone_line: format!("{}. IN TXT {}", key.record_name(), key.record_strings()),
        created_at: rfc3339(key.created_at),
    }
}
