//! The suppression list.

use std::time::Duration;

use postern_core::model::Suppression;

use super::execute::{Admin, Refusal, parse_address};
use super::reply::{AdminReply, SuppressionRow};

/// Entries shown at once.
const SHOWN: u16 = 1000;

impl Admin {
    /// The list, or what it says of one address.
    pub(super) async fn suppressions(&self, address: Option<&str>) -> Result<AdminReply, Refusal> {
        let (found, more) = if let Some(address) = address {
            let found = self.postern.suppression(&parse_address(address)?).await?;
            (found.into_iter().collect(), false)
        } else {
            let mut found = self.postern.suppressions(None, SHOWN + 1).await?;
            let more = found.len() > usize::from(SHOWN);
            found.truncate(SHOWN.into());
            (found, more)
        };
        let entries = found.iter().map(row).collect();
        Ok(AdminReply::Suppressions {
            address: address.map(str::to_owned),
            entries,
            more,
        })
    }

    /// Lists an address.
    pub(super) async fn suppress(
        &self,
        address: &str,
        for_seconds: Option<u64>,
        note: &str,
    ) -> Result<AdminReply, Refusal> {
        let address = parse_address(address)?;
        let lasts = for_seconds.map(Duration::from_secs);
        let entry = self.postern.suppress(&address, note, lasts).await?;
        Ok(AdminReply::Suppressed(row(&entry)))
    }

    /// Takes an address off.
    pub(super) async fn unsuppress(&self, address: String) -> Result<AdminReply, Refusal> {
        if self.postern.unsuppress(&parse_address(&address)?).await? {
            return Ok(AdminReply::Unsuppressed { address });
        }
        Err(Refusal(format!(
            "{address:?} is not on the suppression list"
        )))
    }
}

fn row(entry: &Suppression) -> SuppressionRow {
    SuppressionRow {
        address: entry.address.as_given().to_owned(),
        reason: entry.reason.as_str().to_owned(),
        detail: entry.detail.clone(),
        since: entry.at.rfc3339(),
        until: entry.until.map(postern_core::model::Timestamp::rfc3339),
    }
}
