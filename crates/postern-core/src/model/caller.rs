use super::ClientId;

/// The authenticated API party of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The client whose token came with the call.
    pub client: ClientId,
}
