use std::time::Duration;

use crate::error::Error;
use crate::model::{Email, Suppression, SuppressionReason, Timestamp};
use crate::ports::Ledger;
use crate::settings::Settings;

/// Refuses a mail to an address that is on the suppression list at `now`.
///
/// # Errors
/// [`Error::AddressSuppressed`] with the reason and the dates.
pub fn check_suppression(ledger: &Ledger, now: Timestamp) -> Result<(), Error> {
    match &ledger.suppressed {
        Some(held) if held.holds(now) => Err(Error::AddressSuppressed {
            reason: held.reason,
            since: held.at,
            until: held.until,
        }),
        Some(_) | None => Ok(()),
    }
}

/// The entry for an address that bounced or complained, for as long as the settings say.
pub fn suppress(
    address: &Email,
    reason: SuppressionReason,
    detail: &str,
    settings: &Settings,
    now: Timestamp,
) -> Suppression {
    listed(address, reason, detail, (now, Some(settings.suppress_for)))
}

/// An entry that holds from a moment for a while, or until it is removed.
pub(crate) fn listed(
    address: &Email,
    reason: SuppressionReason,
    detail: &str,
    (at, lasts): (Timestamp, Option<Duration>),
) -> Suppression {
    Suppression {
        address: address.clone(),
        reason,
        detail: Suppression::detail(detail),
        at,
        until: lasts.map(|lasts| at.plus(lasts)),
    }
}

/// Whether a refusal says that there is no such mailbox: an enhanced status code 5.1.x (RFC 3463
/// §3.2) in what the server said, but for those that speak of the sender (5.1.7 to 5.1.9).
pub fn is_bad_mailbox(said: &str) -> bool {
    said.split(|c: char| !(c.is_ascii_digit() || c == '.'))
        .filter_map(|word| word.trim_end_matches('.').strip_prefix("5.1."))
        .filter_map(|detail| detail.parse::<u16>().ok())
        .any(|detail| !(7..=9).contains(&detail))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::fixtures::at;

    #[test]
    fn only_a_5_1_x_about_the_recipient_names_a_bad_mailbox() {
        for bad in [
            "550 5.1.1 <address> no such user",
            "550-5.1.1 The email account does not exist",
            "rcpt: 550 5.1.10 null MX",
            "smtp; 550 #5.1.0 Address rejected.",
            "5.1.1.",
        ] {
            assert!(is_bad_mailbox(bad), "{bad}");
        }
        for other in [
            "550 5.7.1 blocked",
            "552 5.2.2 mailbox full",
            "553 5.1.8 sender's domain does not exist",
            "553 5.1.7 bad sender",
            "450 4.1.1 try again",
            "550 no such user",
            "from 15.1.1.2",
            "10.5.1.1",
            "",
        ] {
            assert!(!is_bad_mailbox(other), "{other}");
        }
    }

    #[test]
    fn an_entry_holds_until_its_end_and_one_without_end_for_good() {
        let ada = Email::parse("ada@example.com").unwrap();
        let week = suppress(
            &ada,
            SuppressionReason::Bounced,
            "5.1.1",
            &Settings::default(),
            at(0),
        );
        let ledger = |held| Ledger {
            suppressed: Some(held),
            ..Ledger::default()
        };
        let days = |days: i64| at(days * 86_400);
        assert!(
            check_suppression(&ledger(week.clone()), days(7).minus(Duration::from_secs(1)))
                .is_err()
        );
        assert!(check_suppression(&ledger(week), days(7)).is_ok());
        let good = listed(&ada, SuppressionReason::Manual, "", (at(0), None));
        assert!(check_suppression(&ledger(good), days(9999)).is_err());
        assert!(check_suppression(&Ledger::default(), at(0)).is_ok());
    }

    #[test]
    fn what_was_said_is_kept_on_one_line_and_cut() {
        let ada = Email::parse("ada@example.com").unwrap();
        let said = format!("a\r\nb{}", "é".repeat(999));
        let kept = listed(&ada, SuppressionReason::Manual, &said, (at(0), None)).detail;
        assert!(kept.starts_with("abé") && kept.chars().count() == Suppression::MAX_DETAIL);
    }
}
