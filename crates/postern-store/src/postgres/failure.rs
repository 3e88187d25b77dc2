use postern_core::ports::StoreError;
use tokio_postgres::error::SqlState;

/// Why something asked of the database failed. Says nothing of what rows hold: the database's details
/// and hints, which quote them, are left out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Failure {
    /// The database refused it.
    #[error("the database says {code}: {message}")]
    Said {
        /// The SQLSTATE.
        code: String,
        /// The first line of what it said.
        message: String,
    },
    /// The connection is gone, or never was.
    #[error("no connection to the database: {0}")]
    Lost(String),
    /// It took too long.
    #[error("the database did not answer in time")]
    Late,
    /// The commit's wait for its standby was given up: it may be lost with the primary.
    #[error("the commit is not known to be on the standby: {0}")]
    NotReplicated(String),
    /// Somebody else changed what was decided on.
    #[error("the row was changed meanwhile")]
    Raced,
    /// A caller stopped waiting before the commit.
    #[error("a caller stopped waiting")]
    GivenUp,
    /// Nothing is written to this store any more.
    #[error("{0}")]
    Fenced(String),
    /// A row that no release of ours wrote.
    #[error("a row does not read: {0}")]
    Unreadable(&'static str),
    /// A fault of ours that writing again cannot mend.
    #[error("{0}")]
    Ours(String),
}

/// What to do about a failure before the commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Remedy {
    /// Judge and write again.
    Again,
    /// The same on another connection.
    Reconnect,
    /// The caller may repeat it later.
    Later,
    /// None: repeating it fails again.
    None,
}

impl Failure {
    /// What helps against it, when nothing was committed.
    pub(super) fn remedy(&self) -> Remedy {
        match self {
            Self::Said { code, .. } => match (code.as_str(), code.get(..2)) {
                (_, Some("40")) => Remedy::Again,
                // Read-only: the server was demoted. A session ended by the server is gone.
                ("25006" | "25P03" | "57P01" | "57P02" | "57P03" | "57P04" | "57P05", _)
                | (_, Some("08")) => Remedy::Reconnect,
                // What follows a failed statement that travelled with it: the cause is told of the other.
                ("55P03" | "25P02", _) | (_, Some("53" | "57" | "58")) => Remedy::Later,
                _ => Remedy::None,
            },
            Self::Lost(_) => Remedy::Reconnect,
            Self::Late | Self::Fenced(_) => Remedy::Later,
            Self::Raced | Self::GivenUp | Self::NotReplicated(_) => Remedy::Again,
            Self::Unreadable(_) | Self::Ours(_) => Remedy::None,
        }
    }

    /// Whether the connection it came over must not be used again.
    pub(super) fn spoils(&self) -> bool {
        matches!(self, Self::Late | Self::NotReplicated(_)) || self.remedy() == Remedy::Reconnect
    }

    /// What a caller is told of a failure before the commit.
    pub(super) fn not_done(self) -> StoreError {
        if self.remedy() == Remedy::None {
            StoreError::Broken(self.into())
        } else {
            StoreError::NotDone(self.into())
        }
    }

    /// What a caller is told of a failure of the commit itself. Only a rollback that the server tells of,
    /// and a session that it ended while it waited for the commit, are certain.
    pub(super) fn at_commit(self) -> StoreError {
        match &self {
            Self::Said { code, .. } if code.starts_with("40") || code == "25P03" => {
                StoreError::NotDone(self.into())
            }
            _ => StoreError::Unknown(self.into()),
        }
    }
}

impl From<tokio_postgres::Error> for Failure {
    fn from(error: tokio_postgres::Error) -> Self {
        match (error.as_db_error(), error.is_closed()) {
            (Some(said), _) => Self::Said {
                code: said.code().code().to_owned(),
                message: said.message().to_owned(),
            },
            (None, true) => Self::Lost("it was closed".to_owned()),
            (None, false) => from_driver(&error),
        }
    }
}

/// The driver's own errors: all but those of values are the connection's.
fn from_driver(error: &tokio_postgres::Error) -> Failure {
    let told = error.to_string();
    let values = ["error serializing parameter", "error deserializing column"];
    let shape = [
        "parameters but got",
        "unexpected number of rows",
        "invalid column",
    ];
    if values
        .iter()
        .chain(&shape)
        .any(|start| told.contains(start))
    {
        Failure::Ours(told)
    } else {
        let cause = std::error::Error::source(error).map(|cause| format!(": {cause}"));
        Failure::Lost(format!("{told}{}", cause.unwrap_or_default()))
    }
}

/// What became of statements that travelled together. Those that follow a failed one tell only that the
/// transaction is over, and may be looked at before it: one that had to be prepared first follows.
pub(super) fn together<const N: usize>(ended: [Result<(), Failure>; N]) -> Result<(), Failure> {
    let follows = |failure: &Failure| {
        let over = SqlState::IN_FAILED_SQL_TRANSACTION;
        matches!(failure, Failure::Said { code, .. } if code == over.code())
    };
    let mut told = Ok(());
    for failure in ended.into_iter().filter_map(Result::err) {
        if !follows(&failure) {
            return Err(failure);
        }
        told = Err(failure);
    }
    told
}

/// Whether the failure says that a table is not there.
pub(super) fn is_missing_table(failure: &Failure) -> bool {
    matches!(failure, Failure::Said { code, .. } if code == SqlState::UNDEFINED_TABLE.code())
}

#[cfg(test)]
mod tests {
    use Remedy::{Again, Later, None, Reconnect};

    use super::*;

    #[test]
    fn of_statements_that_failed_together_the_one_that_failed_by_itself_is_told() {
        let said = |code: &str| Failure::Said {
            code: code.to_owned(),
            message: String::new(),
        };
        let (over, deadlock) = (said("25P02"), said("40P01"));
        let told = together::<3>;
        assert_eq!(told([Ok(()), Ok(()), Ok(())]), Ok(()));
        assert_eq!(
            told([Err(over.clone()), Ok(()), Err(deadlock.clone())]),
            Err(deadlock.clone())
        );
        assert_eq!(
            told([Err(Failure::Raced), Err(deadlock), Ok(())]),
            Err(Failure::Raced)
        );
        assert_eq!(told([Ok(()), Err(over.clone()), Ok(())]), Err(over));
    }

    fn said(code: &str) -> Failure {
        Failure::Said {
            code: code.into(),
            message: "as the test wants".into(),
        }
    }

    #[test]
    fn lost_races_run_again_lost_sessions_reconnect_and_faults_of_ours_do_neither() {
        let remedies = [
            "40001", "40P01", "57P01", "25006", "55P03", "25P02", "53100", "57014", "23505",
        ]
        .map(|code| said(code).remedy());
        assert_eq!(
            remedies,
            [
                Again, Again, Reconnect, Reconnect, Later, Later, Later, Later, None
            ]
        );
    }

    #[test]
    fn a_failed_commit_is_unknown_unless_the_server_says_that_it_was_rolled_back() {
        for (code, certain) in [
            ("40001", true),
            ("25P03", true),
            ("57P01", false),
            ("57014", false),
        ] {
            let told = said(code).at_commit();
            assert_eq!(matches!(told, StoreError::NotDone(_)), certain, "{code}");
        }
        for failure in [
            Failure::Lost(String::new()),
            Failure::Late,
            Failure::NotReplicated(String::new()),
        ] {
            assert!(matches!(failure.at_commit(), StoreError::Unknown(_)));
        }
    }
}
