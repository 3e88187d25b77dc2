//! Which PostgreSQL a server says it is.

use super::session::Session;
use super::value::get;

/// The oldest that this is made for and tried on, in the form of `server_version_num`: 10,000 for each
/// major version.
const OLDEST: u32 = 150_000;

/// Tells the log of a server that is older than what this is made for. It is not refused: we know of nothing
/// used here that came with 15, and engines that are only compatible count their versions otherwise.
pub(super) async fn look(session: &Session) {
    let asked = session.in_time(session.ask("SHOW server_version_num", &[]));
    let told = asked.await.and_then(|rows| {
        rows.first()
            .map(|row| get(row, 0).map(is_older))
            .transpose()
    });
    match told {
        Ok(Some(Some(major))) => tracing::warn!(
            major,
            "the database says that it is PostgreSQL {major}, and this release is made for 15 or later: upgrade \
             it, or look whether it is a compatible engine that has passed the contract (docs/scaling.md)"
        ),
        Ok(_) => {}
        Err(failure) => tracing::debug!(error = %failure, "the database does not tell its version"),
    }
}

/// The major version that this number tells, if that is too old. A text that is no number tells nothing.
fn is_older(number: &str) -> Option<u32> {
    let number: u32 = number.trim().parse().ok()?;
    (number < OLDEST).then_some(number / 10_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_before_15_is_told_of_by_its_major_version_and_later_ones_are_not() {
        for (number, told) in [
            ("90624", Some(9)),
            ("130000", Some(13)),
            ("149999", Some(14)),
            ("140022\n", Some(14)),
            ("150000", None),
            ("150018", None),
            ("180001", None),
        ] {
            assert_eq!(is_older(number), told, "{number}");
        }
    }

    #[test]
    fn a_version_that_is_no_number_tells_nothing() {
        for text in ["", "15.2-YB-2.25", "-1", "v25.1", "99999999999"] {
            assert_eq!(is_older(text), None, "{text}");
        }
    }
}
