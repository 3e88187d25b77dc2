use super::Postern;
use crate::error::{Error, Violation};
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

    /// [`Self::change_settings`], unless one of them is no longer what the admin saw: each change is
    /// a name, the new value and the value that was seen.
    ///
    /// # Errors
    /// As there; and every setting that somebody else changed meanwhile, with the constraint `stale`.
    pub async fn change_seen_settings(
        &self,
        changes: Vec<(String, String, String)>,
    ) -> Result<Settings, Error> {
        let after = self
            .amend(Box::new(move |snapshot, _| {
                let held = |name: &str| snapshot.settings.value(name).unwrap_or_default();
                let stale = changes.iter().filter(|(name, _, seen)| held(name) != *seen);
                let stale: Vec<_> = stale
                    .map(|(name, ..)| overtaken(name, &held(name)))
                    .collect();
                if !stale.is_empty() {
                    return Err(Error::Invalid(stale));
                }
                let pairs = changes.iter().map(|(name, value, _)| (&**name, &**value));
                let next = snapshot.settings.with(pairs).map_err(Error::Invalid)?;
                let put = |(name, ..): &(String, String, String)| Amendment::PutSetting {
                    name: name.clone(),
                    value: next.value(name).unwrap_or_default(),
                };
                Ok(changes.iter().map(put).collect())
            }))
            .await?;
        Ok(after.settings.clone())
    }
}

fn overtaken(name: &str, held: &str) -> Violation {
    let told = format!("somebody else has set this to {held:?} since you opened the page");
    Violation::new(name, "stale", told)
}
