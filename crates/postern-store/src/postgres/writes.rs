use postern_core::model::NodeId;

use super::auth_request::{Changed, Opened};
use super::delivery::{Ended, Queued};
use super::event::Told;
use super::failure::{Failure, together};
use super::ledger::Counts;
use super::revival::Revived;
use super::session::Session;

/// What a batch writes, table by table.
#[derive(Default)]
pub(super) struct Writes {
    pub(super) counts: Counts,
    pub(super) changed: Changed,
    pub(super) ended: Ended,
    pub(super) opened: Opened,
    pub(super) queued: Queued,
    pub(super) revived: Revived,
    pub(super) told: Told,
}

impl Writes {
    /// Whether nothing is to be written.
    pub(super) fn is_empty(&self) -> bool {
        self.counts.is_empty()
            && self.changed.is_empty()
            && self.ended.0.is_empty()
            && self.opened.is_empty()
            && self.queued.is_empty()
            && self.told.is_empty()
    }

    /// Sends everything at once; the guarded tables come first, in the order in which all lock them.
    pub(super) async fn write(&mut self, session: &Session, node: NodeId) -> Result<(), Failure> {
        let guarded = async {
            let (counts, changed, ended) = futures_util::future::join3(
                self.counts.write(session),
                self.changed.update(session),
                self.ended.update(session),
            )
            .await;
            together([counts, changed, ended])
        };
        let added = async {
            let (opened, queued, revived, told) = futures_util::future::join4(
                self.opened.insert(session),
                self.queued.insert(session, node),
                self.revived.insert(session),
                self.told.insert(session),
            )
            .await;
            together([opened, queued, revived, told])
        };
        let (guarded, added) = futures_util::future::join(guarded, added).await;
        together([guarded, added])
    }
}
