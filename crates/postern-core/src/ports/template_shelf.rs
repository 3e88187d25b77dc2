use async_trait::async_trait;

use super::StoreError;
use crate::model::{TemplateEntry, TemplateKey, TemplateVersion};

/// Keeps the versions of custom mail templates. Which of them is in force is in the registry, whose
/// amendments also write them.
#[async_trait]
pub trait TemplateShelf: Send + Sync {
    /// One version.
    async fn template_version(
        &self,
        key: &TemplateKey,
        number: u32,
    ) -> Result<Option<TemplateVersion>, StoreError>;

    /// The versions that are kept, newest first, without their sources.
    async fn template_history(&self, key: &TemplateKey) -> Result<Vec<TemplateEntry>, StoreError>;
}
