//! `postern store …`

use clap::{Args, Subcommand};

/// `postern store …`
#[derive(Debug, Subcommand)]
#[command(
    after_help = "Examples:\n  postern store copy --from /var/lib/postern --to postgres://postern@db/postern\n  postern store lift /var/lib/postern"
)]
pub(crate) enum StoreCommand {
    /// Copy a store into an empty one of the other engine, verified; the source is fenced at the end.
    #[command(
        after_help = "Examples:\n  postern store copy --from /var/lib/postern --to postgres://postern@db/postern\n  postern store copy --from postgres://postern@db/postern --to /var/lib/postern-new\n\nThe source may be served until it is fenced: from then on its servers answer UNAVAILABLE. A copy that was\nbroken off goes on when the command is given again. Both stores need the same root keys."
    )]
    Copy(CopyArgs),
    /// Take the fence off a store that was copied away, and serve it again.
    #[command(after_help = "Example:\n  postern store lift /var/lib/postern")]
    Lift {
        /// The store.
        #[arg(value_name = "DIR|URL")]
        store: String,
    },
    /// End every open auth request, admin session and invitation.
    #[command(
        after_help = "For after a PostgreSQL was put back to an earlier state by its own means: a backup, a recovery to a\npoint in time, a failover that lost commits. What was used since would otherwise work once more.\n\nExample:\n  postern store end-open postgres://postern@db/postern"
    )]
    EndOpen {
        /// The store.
        #[arg(value_name = "DIR|URL")]
        store: String,
    },
}

/// Flags of `postern store copy`.
#[derive(Debug, Args)]
pub(crate) struct CopyArgs {
    /// The data directory or the PostgreSQL to copy.
    #[arg(long, value_name = "DIR|URL")]
    pub(crate) from: String,
    /// The empty PostgreSQL or data directory to fill.
    #[arg(long, value_name = "URL|DIR")]
    pub(crate) to: String,
}
