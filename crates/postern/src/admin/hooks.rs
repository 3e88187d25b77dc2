//! Callbacks of mail providers.

use postern_core::model::{HookProvider, SecretText};

use super::command::Revealed;
use super::execute::{Admin, Refusal};
use super::reply::{AdminReply, HookRow};
use crate::hooks::check_secret;

impl Admin {
    /// Takes a provider's callbacks from now on.
    pub(super) async fn set_hook(
        &self,
        provider: &str,
        secret: &Revealed,
    ) -> Result<AdminReply, Refusal> {
        let provider = known(provider)?;
        let text = secret.expose().trim();
        check_secret(provider, text).map_err(Refusal)?;
        self.postern
            .put_hook(provider, SecretText::new(text))
            .await?;
        Ok(AdminReply::HookSet {
            path: path(provider),
        })
    }

    /// Whose callbacks are taken.
    pub(super) async fn hooks(&self) -> Result<AdminReply, Refusal> {
        let held = self.now_held().await?;
        let row = |provider: HookProvider| HookRow {
            provider: provider.as_str().to_owned(),
            path: path(provider),
        };
        let rows = held.hooks.iter().map(|hook| row(hook.provider));
        Ok(AdminReply::Hooks(rows.collect()))
    }

    /// Takes a provider's callbacks no more.
    pub(super) async fn remove_hook(&self, provider: String) -> Result<AdminReply, Refusal> {
        self.postern.drop_hook(known(&provider)?).await?;
        Ok(AdminReply::HookRemoved { provider })
    }
}

fn known(name: &str) -> Result<HookProvider, Refusal> {
    HookProvider::parse(name).ok_or_else(|| {
        let names = HookProvider::ALL.map(HookProvider::as_str).join(", ");
        Refusal(format!(
            "no callbacks are known of {name:?}: choose one of {names}"
        ))
    })
}

fn path(provider: HookProvider) -> String {
    format!("/hooks/mail/{}", provider.as_str())
}
