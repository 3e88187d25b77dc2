//! Servers that cannot be believed.

use super::*;
use crate::mail::Matter;
use crate::trust::Distrust;

#[tokio::test]
async fn a_certificate_that_cannot_be_trusted_stops_the_mail() {
    for (certificate, why, told) in [
        (
            Certificate::WrongName,
            Distrust::Name,
            "not for 127.0.0.1: it names",
        ),
        (
            Certificate::UnknownAuthority,
            Distrust::Issuer,
            "issuer is not trusted here",
        ),
        (
            Certificate::SelfSigned,
            Distrust::SelfSigned,
            "is self-signed",
        ),
        (Certificate::Expired, Distrust::Ended, "has expired"),
    ] {
        for (encryption, tls) in [
            (Encryption::Implicit, TlsMode::Implicit),
            (Encryption::StartTls, TlsMode::StartTls),
        ] {
            let builder = SmtpServer::builder()
                .encryption(encryption)
                .certificate(certificate);
            // The testkit's unknown authority is not the one it hands out.
            let world = World::new(builder, tls).await;
            let outcome = world.send().await;
            assert!(
                matches!(&outcome, Outcome::ProviderTrouble(r) if r.stage == Stage::Tls),
                "{certificate:?}: {outcome:?}"
            );
            let reply = outcome.reply();
            assert_eq!(reply.matter, Some(Matter::Certificate(why)), "{outcome:?}");
            assert!(reply.text.contains(told), "{outcome:?}");
            assert_eq!(world.server.count(), 0);
        }
    }
}
