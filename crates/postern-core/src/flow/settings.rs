use super::Postern;
use crate::error::Error;
use crate::ports::Amendment;
use crate::settings::Settings;

impl Postern {
    /// Changes settings, all or none; in force on this node at once and on every node within 2 s.
    ///
    /// # Errors
    /// Every unknown key and broken rule by name.
    pub async fn change_settings(&self, changes: Vec<(String, String)>) -> Result<Settings, Error> {
        let after = self
            .amend(Box::new(move |snapshot, _| {
                let pairs = changes
                    .iter()
                    .map(|(name, value)| (name.as_str(), value.as_str()));
                let next = snapshot.settings.with(pairs).map_err(Error::Invalid)?;
                let named = changes.iter().map(|(name, _)| name);
                let put = |name: &String| {
                    let value = next.value(name).unwrap_or_default();
                    Amendment::PutSetting {
                        name: name.clone(),
                        value,
                    }
                };
                Ok(named.map(put).collect())
            }))
            .await?;
        Ok(after.settings.clone())
    }
}
