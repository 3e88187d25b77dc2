//! The steps of an auth request in words.

use postern_core::model::{Event, EventKind, Method, UsedBy};
use postern_core::rules::{DomainRule, is_bad_mailbox};

use crate::dashboard::shown;

/// One step as a timeline shows it.
pub(super) struct Step {
    /// When.
    pub(super) at: String,
    /// What happened.
    pub(super) title: String,
    /// More about it.
    pub(super) detail: String,
    /// `good`, `bad`, or nothing.
    pub(super) tone: &'static str,
}

/// The steps of these events.
pub(super) fn of(events: &[Event]) -> Vec<Step> {
    events.iter().map(step).collect()
}

fn step(event: &Event) -> Step {
    let (title, detail, tone) = told(&event.what);
    Step {
        at: shown::at(event.at),
        title,
        detail,
        tone,
    }
}

/// What an event's name means, for lists.
pub(super) fn name(kind: &str) -> String {
    let text = kind.replace('_', " ");
    let mut letters = text.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}

/// How good an event's name is to see.
pub(super) fn tone(kind: &str) -> &'static str {
    match kind {
        "verified" | "mail_sent" | "mail_delivered" => "good",
        "mail_bounced" | "mail_complained" | "suppressed" | "mail_failed" | "locked"
        | "expired" | "throttled" | "mail_abandoned" => "bad",
        "mail_deferred" | "wrong_code" | "domain_flagged" | "budget_passed" => "warn",
        _ => "",
    }
}

/// Title, more about it, and its tone.
type Told = (String, String, &'static str);

fn told(what: &EventKind) -> Told {
    let told = of_mail(what)
        .or_else(|| of_fate(what))
        .or_else(|| of_request(what))
        .or_else(|| of_limit(what));
    told.unwrap_or_else(|| (name(what.name()), String::new(), tone(what.name())))
}

fn of_request(what: &EventKind) -> Option<Told> {
    Some(match what {
        EventKind::Initiated {
            method,
            hardened,
            expires_in,
            ..
        } => (
            "Sign-in requested".into(),
            initiated(*method, *hardened, *expires_in),
            "",
        ),
        EventKind::Person { ip, agent } => (
            "Asked for by a person".into(),
            [ip.as_deref(), agent.as_deref()]
                .into_iter()
                .flatten()
                .collect::<Vec<_>>()
                .join(", "),
            "",
        ),
        EventKind::Resent { regenerated, .. } => {
            let detail = if *regenerated {
                "With new credentials; the older ones are worth nothing now."
            } else {
                "With the same credentials."
            };
            ("Mail asked for again".into(), detail.into(), "")
        }
        EventKind::WrongCode { attempts_left, .. } => {
            ("Wrong code".into(), tries_left(*attempts_left), "warn")
        }
        EventKind::Verified { by } => {
            let by = match by {
                UsedBy::Code => "By the code.",
                UsedBy::Link => "By the link.",
            };
            ("Verified".into(), by.into(), "good")
        }
        EventKind::TestIdentity => (
            "A test identity".into(),
            "It gets no mail; its code is the one in the settings.".into(),
            "",
        ),
        EventKind::Expired => ("Expired unused".into(), String::new(), "bad"),
        _ => return None,
    })
}

fn of_limit(what: &EventKind) -> Option<Told> {
    Some(match what {
        EventKind::DomainFlagged { rule } => {
            let rule = match rule {
                DomainRule::NotAllowed => "The domain is not on the list of those allowed.",
                DomainRule::Blocked => "The domain is on the list of those blocked.",
                DomainRule::Disposable => "The domain is known for disposable mailboxes.",
            };
            (
                "A domain rule speaks against it".into(),
                format!("{rule} The rules only write down what they would do."),
                "warn",
            )
        }
        EventKind::Locked => (
            "Ended by wrong codes".into(),
            "Nothing opens it any more; the person has to begin again.".into(),
            "bad",
        ),
        EventKind::BudgetPassed => (
            "Too many wrong codes for this address".into(),
            "Its next codes are longer ones, or none, as the settings say.".into(),
            "warn",
        ),
        EventKind::Throttled { what, count } => (
            "Refused by a limit".into(),
            format!("{count} calls: too many {what}."),
            "bad",
        ),
        _ => return None,
    })
}

/// What a provider told of a mail afterwards.
fn of_fate(what: &EventKind) -> Option<Told> {
    Some(match what {
        EventKind::MailDelivered { provider, .. } => (
            "Delivered".into(),
            format!("{provider} says that the recipient's server took it."),
            "good",
        ),
        EventKind::MailBounced {
            provider,
            bad_mailbox,
            reason,
            ..
        } => {
            let title = if *bad_mailbox {
                "Came back: there is no such mailbox"
            } else {
                "Came back"
            };
            (title.into(), format!("{provider} says: {reason}"), "bad")
        }
        EventKind::MailComplained { provider, .. } => (
            "Called spam".into(),
            format!("{provider} says that the person called the mail spam."),
            "bad",
        ),
        EventKind::Suppressed { reason, .. } => (
            "Put on the suppression list".into(),
            format!("It {reason}: no mail goes there while it is on the list."),
            "bad",
        ),
        _ => return None,
    })
}

fn of_mail(what: &EventKind) -> Option<Told> {
    Some(match what {
        EventKind::MailQueued { delivery } => (
            "Mail queued".into(),
            format!("Mail {} of this request.", delivery + 1),
            "",
        ),
        EventKind::TemplateFailed {
            template, reason, ..
        } => (
            "Sent with the built-in template".into(),
            format!("The custom template {template} could not be filled: {reason}"),
            "warn",
        ),
        EventKind::MailSent {
            attempts,
            provider,
            reply,
            ..
        } => (
            format!("Mail taken by {provider}"),
            format!("At attempt {attempts}. It said: {}", said(reply)),
            "good",
        ),
        EventKind::MailDeferred {
            attempts,
            provider,
            reason,
            ..
        } => deferred(*attempts, provider.as_deref(), reason),
        EventKind::MailFailed {
            bounced,
            provider,
            reason,
            ..
        } => failed(*bounced, provider.as_deref(), reason),
        EventKind::MailAbandoned { reason, .. } => (
            "Mail not sent".into(),
            format!("Its credential was {reason} by then."),
            "bad",
        ),
        _ => return None,
    })
}

fn failed(bounced: bool, provider: Option<&str>, reason: &str) -> Told {
    let (title, detail) = if bounced {
        ("The recipient was refused", refused(provider, reason))
    } else {
        ("The mail could not be sent in time", reason.to_owned())
    };
    (title.into(), detail, "bad")
}

fn deferred(attempts: u16, provider: Option<&str>, reason: &str) -> Told {
    let (title, detail) = match provider {
        Some(provider) => (
            format!("Attempt {attempts} failed, will be tried again"),
            format!("{provider}: {reason}"),
        ),
        None => (
            "Put off without a try".to_owned(),
            format!("The mail waits: {reason}."),
        ),
    };
    (title, detail, "warn")
}

/// What a provider said, without the stage at which it says so.
pub(super) fn said(reply: &str) -> &str {
    let staged = ["end of data: ", "rcpt: ", "mail: ", "data: "];
    let rest = staged.iter().find_map(|stage| reply.strip_prefix(stage));
    rest.unwrap_or(reply)
}

/// What a refusal of the recipient means, by the rule that puts an address on the suppression list.
pub(super) fn refused(provider: Option<&str>, reply: &str) -> String {
    let provider = provider.unwrap_or("the provider");
    let reply = said(reply);
    let meaning = if is_bad_mailbox(reply) {
        "There is no such mailbox"
    } else {
        "The recipient was refused"
    };
    format!(
        "{meaning}: {provider} answered “{}”.",
        reply.trim_end_matches('.')
    )
}

fn tries_left(left: u8) -> String {
    match left {
        0 => "No attempt is left.".to_owned(),
        1 => "1 attempt left.".to_owned(),
        left => format!("{left} attempts left."),
    }
}

fn initiated(method: Method, hardened: bool, expires_in: u64) -> String {
    let what = match method {
        Method::Otp => "A code",
        Method::Link => "A link",
        Method::LinkOtp => "A code and a link",
    };
    let longer = if hardened {
        " The code is a long one, because too many wrong codes were tried for this address."
    } else {
        ""
    };
    format!(
        "{what}, good for {}.{longer}",
        shown::whole_span(expires_in)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_recipient_is_told_plainly_and_by_whom() {
        let told = refused(Some("relay"), "rcpt: 550 5.1.1 No such user.");
        let plain = "There is no such mailbox: relay answered “550 5.1.1 No such user”.";
        assert_eq!(told, plain);
        let told = refused(None, "rcpt: 554 5.7.1 Not from you");
        let plain = "The recipient was refused: the provider answered “554 5.7.1 Not from you”.";
        assert_eq!(told, plain);
        let other = refused(None, "rcpt: 550-5.1.1 The account does not exist");
        assert!(other.starts_with("There is no such mailbox"), "{other}");
        let sender = refused(None, "rcpt: 553 5.1.8 The sender's domain does not exist");
        assert!(sender.starts_with("The recipient was refused"), "{sender}");
    }

    #[test]
    fn a_flagged_domain_is_told_with_the_rule_that_speaks_against_it() {
        let told =
            DomainRule::ALL.map(|rule| of_limit(&EventKind::DomainFlagged { rule }).unwrap().1);
        let words = ["allowed", "blocked", "disposable"];
        assert!(
            told.iter()
                .zip(words)
                .all(|(told, word)| told.contains(word)),
            "{told:?}"
        );
    }
}
