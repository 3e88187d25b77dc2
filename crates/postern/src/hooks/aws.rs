//! What verifies a message of Amazon SNS: the topic that we expect, and the certificates of its region.
//!
//! A message says where its certificate is. Of that we take nothing but the file's name: host and
//! scheme follow from the topic that the operator pinned, so nobody can have us fetch anything else.

use std::sync::Arc;

use async_trait::async_trait;
use postern_core::model::Timestamp;
use webpki::EndEntityCert;

use super::Distrust;
use super::certificates::Certificates;

/// Gets a file over HTTPS: the outside world.
#[async_trait]
pub trait Fetch: Send + Sync {
    /// `GET https://{host}{path}`: a body of at most 64 KiB, answered with 200; follows nothing.
    async fn get(&self, host: &str, path: &str) -> Result<Vec<u8>, String>;
}

/// The name of an SNS topic: `arn:PARTITION:sns:REGION:ACCOUNT:NAME`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicArn {
    text: String,
    host: String,
}

impl TopicArn {
    /// Reads a topic's name.
    pub fn parse(text: &str) -> Option<Self> {
        let parts: Vec<&str> = text.trim().split(':').collect();
        let ["arn", partition, "sns", region, account, name] = parts[..] else {
            return None;
        };
        let plain = |part: &str, more: &str| {
            !part.is_empty()
                && part.len() <= 256
                && part
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || more.contains(c))
        };
        let fits = plain(region, "-")
            && plain(name, "-_.")
            && account.len() == 12
            && account.bytes().all(|b| b.is_ascii_digit());
        let ending = match partition {
            "aws" | "aws-us-gov" => "",
            "aws-cn" => ".cn",
            _ => return None,
        };
        fits.then(|| Self {
            text: text.trim().to_owned(),
            host: format!("sns.{}.amazonaws.com{ending}", region.to_ascii_lowercase()),
        })
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The host that speaks for the topic.
    pub fn host(&self) -> &str {
        &self.host
    }
}

/// What verifies messages of SNS, and answers one kind of them.
pub struct SnsKeys {
    fetch: Arc<dyn Fetch>,
    certificates: Certificates,
}

impl SnsKeys {
    /// Certificates that come through `fetch`.
    pub fn new(fetch: Arc<dyn Fetch>) -> Self {
        Self {
            certificates: Certificates::new(Arc::clone(&fetch)),
            fetch,
        }
    }

    /// Checks an RSA signature with SHA-256 by the certificate that `url` names.
    pub(super) async fn verify(
        &self,
        topic: &TopicArn,
        url: &str,
        (text, signature): (&str, &[u8]),
        now: Timestamp,
    ) -> Result<(), Distrust> {
        let path = certificate_path(topic, url).ok_or(Distrust::Unverified(
            "its certificate is not of its topic's region",
        ))?;
        let found = self
            .certificates
            .find(topic.host(), path, now.unix_seconds());
        let der = found.await?;
        let broken = |_| Distrust::Unverified("its certificate does not read");
        let certificate = EndEntityCert::try_from(&der).map_err(broken)?;
        certificate
            .verify_signature(
                webpki::aws_lc_rs::RSA_PKCS1_2048_8192_SHA256,
                text.as_bytes(),
                signature,
            )
            .map_err(|_| Distrust::Unverified("its signature is wrong"))?;
        self.certificates.proven(topic.host(), path);
        Ok(())
    }

    /// Whether there is a certificate for this URL at this moment.
    #[cfg(test)]
    pub(super) async fn held(&self, topic: &str, url: &str, now: i64) -> bool {
        let topic = TopicArn::parse(topic).expect("a topic");
        let path = certificate_path(&topic, url).expect("a certificate of its region");
        let found = self.certificates.find(topic.host(), path, now).await;
        found.is_ok()
    }

    /// Confirms a subscription at the topic's own host; of the message nothing but the token is used.
    pub(super) async fn confirm(&self, topic: &TopicArn, token: &str) -> Result<(), Distrust> {
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("Action", "ConfirmSubscription")
            .append_pair("TopicArn", topic.as_str())
            .append_pair("Token", token)
            .finish();
        let answer = self.fetch.get(topic.host(), &format!("/?{query}")).await;
        answer.map(drop).map_err(Distrust::NotNow)
    }
}

/// The file that a certificate's URL names, if it is one of the topic's own host.
fn certificate_path<'u>(topic: &TopicArn, url: &'u str) -> Option<&'u str> {
    let path = url.strip_prefix("https://")?.strip_prefix(topic.host())?;
    let name = path
        .strip_prefix("/SimpleNotificationService-")?
        .strip_suffix(".pem")?;
    let plain = (1..=128).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric());
    plain.then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOPIC: &str = "arn:aws:sns:eu-central-1:123456789012:mail";

    #[test]
    fn a_topic_names_the_host_that_speaks_for_it() {
        let host = |text| TopicArn::parse(text).map(|topic| topic.host().to_owned());
        assert_eq!(host(TOPIC).unwrap(), "sns.eu-central-1.amazonaws.com");
        let china = "arn:aws-cn:sns:cn-north-1:123456789012:mail";
        assert_eq!(host(china).unwrap(), "sns.cn-north-1.amazonaws.com.cn");
        for bad in [
            "",
            "arn:aws:sqs:eu-central-1:123456789012:mail",
            "arn:aws:sns:evil.example/:123456789012:mail",
            "arn:aws:sns:eu-central-1:12345678901x:mail",
            "arn:aws:sns:eu-central-1:123456789012:mail:sub",
            "arn:evil:sns:eu-central-1:123456789012:mail",
        ] {
            assert_eq!(host(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_certificate_is_a_file_of_the_topics_own_host_and_nothing_else() {
        let topic = TopicArn::parse(TOPIC).unwrap();
        let path = |url| certificate_path(&topic, url);
        let good = "https://sns.eu-central-1.amazonaws.com/SimpleNotificationService-0a1b.pem";
        assert_eq!(path(good), Some("/SimpleNotificationService-0a1b.pem"));
        for bad in [
            "http://sns.eu-central-1.amazonaws.com/SimpleNotificationService-0a1b.pem",
            "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-0a1b.pem",
            "https://sns.eu-central-1.amazonaws.com.evil.example/SimpleNotificationService-0a1b.pem",
            "https://sns.eu-central-1.amazonaws.com@evil.example/SimpleNotificationService-0a1b.pem",
            "https://sns.eu-central-1.amazonaws.com:8443/SimpleNotificationService-0a1b.pem",
            "https://sns.eu-central-1.amazonaws.com/../SimpleNotificationService-0a1b.pem",
            "https://sns.eu-central-1.amazonaws.com/SimpleNotificationService-a/../../x.pem",
            "https://sns.eu-central-1.amazonaws.com/SimpleNotificationService-a.pem?x=.pem",
            "https://169.254.169.254/SimpleNotificationService-0a1b.pem",
        ] {
            assert_eq!(path(bad), None, "{bad}");
        }
    }
}
