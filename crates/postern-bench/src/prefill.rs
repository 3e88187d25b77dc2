//! Live requests put into a store beforehand.

use crate::spawn::Home;

/// Puts `count` live requests into the stopped server's store.
pub(crate) async fn fill(home: &Home, count: u64) -> anyhow::Result<()> {
    home.command(&["bench-fill", "--requests", &count.to_string()])
        .await
}
