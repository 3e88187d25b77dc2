//! Whether bounces and answers find their way back (RFC 5321 §5.1).

use super::finding::Finding;
use super::names::{Missing, Names};

const CHECK: &str = "mx";

/// Looks at who takes mail for a domain that mails are sent from, or answered at.
pub(super) async fn check(names: &Names, domain: &str) -> Finding {
    match names.exchanges(domain).await {
        Ok(found) if found.iter().any(|one| one.host.is_empty()) => Finding::warning(
            CHECK,
            domain,
            "it says that it takes no mail (RFC 7505): some receivers refuse mail from such domains, and no bounce comes back",
            format!("publish MX at {domain}, or send from a domain that takes mail"),
        ),
        Ok(found) => {
            let hosts: Vec<&str> = found.iter().map(|one| one.host.as_str()).take(3).collect();
            Finding::ok(
                CHECK,
                domain,
                format!("mail for it goes to {}", hosts.join(", ")),
            )
        }
        Err(Missing::Absent) => by_address(names, domain).await,
        Err(Missing::Unknown(why)) => unknown(domain, &why),
    }
}

/// Without MX, mail goes to the domain's own address.
async fn by_address(names: &Names, domain: &str) -> Finding {
    match names.addresses(domain).await {
        Ok(_) => Finding::warning(
            CHECK,
            domain,
            "it has no MX record: answers and bounces go to the address of the domain itself",
            format!("publish MX at {domain} with the server that takes its mail"),
        ),
        Err(Missing::Absent) => Finding::failed(
            CHECK,
            domain,
            "it has neither MX nor an address: many receivers refuse mail from such domains",
            format!("publish MX at {domain}, or send from a domain that takes mail"),
        ),
        Err(Missing::Unknown(why)) => unknown(domain, &why),
    }
}

fn unknown(domain: &str, why: &str) -> Finding {
    Finding::warning(
        CHECK,
        domain,
        format!("who takes its mail could not be looked up: {why}"),
        "see that this machine can ask DNS, or name a server with --dns",
    )
}
