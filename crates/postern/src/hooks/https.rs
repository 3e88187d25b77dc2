//! The one request that callbacks lead to: a small file from Amazon.

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::Full;

use super::Fetch;
use crate::https::Https;

#[async_trait]
impl Fetch for Https {
    async fn get(&self, host: &str, path: &str) -> Result<Vec<u8>, String> {
        let request = Request::get(format!("https://{host}{path}"))
            .body(Full::<Bytes>::default())
            .map_err(|error| format!("{host}: {error}"))?;
        let answer = self.request(request).await.map_err(|none| none.told)?;
        if answer.status != StatusCode::OK {
            return Err(format!("{host} answered {}", answer.status));
        }
        Ok(answer.body)
    }
}
