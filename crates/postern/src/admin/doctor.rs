//! Looking at what stands between a mail and its reader.

use std::net::SocketAddr;

use super::execute::{Admin, Refusal};
use super::reply::AdminReply;
use crate::doctor::Patient;

impl Admin {
    /// Runs every check, asking this DNS server or the system's.
    pub(super) async fn examine(&self, dns: Option<SocketAddr>) -> Result<AdminReply, Refusal> {
        // A store that does not answer is a finding; what is known of it is looked at all the same.
        let _ = self.postern.refresh().await;
        let patient = Patient {
            postern: &self.postern,
            data: &self.data,
            root_keys_file: &self.root_keys_file,
            url: &self.url,
            serving: self.serving,
            dns,
        };
        Ok(AdminReply::Examined(patient.examine().await))
    }
}
