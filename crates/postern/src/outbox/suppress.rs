//! What a refused mail says about its address.

use postern_core::flow::Postern;
use postern_core::model::{Outgoing, Settlement};
use tracing::{info, warn};

/// Lists the address of a mail that was refused because there is no such mailbox. A store without
/// room is not asked again: the next mail to the address will tell the same.
pub(super) async fn note(postern: &Postern, outgoing: &Outgoing, settlement: &Settlement) {
    let Settlement::Bounced { reply, .. } = settlement else {
        return;
    };
    let id = outgoing.delivery.id;
    match postern
        .suppress_bounced(&outgoing.request.address, reply)
        .await
    {
        Ok(true) => {
            info!(delivery = %id, "no such mailbox: the address is sent no mail for a while");
        }
        Ok(false) => {}
        Err(error) => warn!(delivery = %id, %error, "a bad mailbox could not be listed"),
    }
}
