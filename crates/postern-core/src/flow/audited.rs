//! What an amendment tells the audit.

use crate::model::{
    AuditEntry, DkimKey, Email, HookProvider, MailProvider, SigningState, Snapshot, Timestamp,
    TokenSource,
};
use crate::ports::Amendment;

/// One entry for each amendment that changes something, with what was before and what is after.
pub(super) fn entries(
    held: &Snapshot,
    amendments: &[Amendment],
    actor: &str,
    at: Timestamp,
) -> Vec<Amendment> {
    let told = amendments.iter().filter_map(|one| told(held, one));
    let changed = told.filter(|told| told.before != told.after);
    let note = changed.map(|told| {
        Amendment::Note(AuditEntry {
            at,
            actor: actor.to_owned(),
            action: told.action.to_owned(),
            target: told.target,
            before: told.before.unwrap_or_default(),
            after: told.after.unwrap_or_default(),
        })
    });
    note.collect()
}

struct Told {
    action: &'static str,
    target: String,
    before: Option<String>,
    after: Option<String>,
}

impl Told {
    fn new(
        action: &'static str,
        target: &str,
        before: Option<String>,
        after: Option<String>,
    ) -> Self {
        Self {
            action,
            target: target.to_owned(),
            before,
            after,
        }
    }
}

/// Never a secret: of those, that they are there and since when.
#[expect(clippy::too_many_lines, reason = "one arm for each kind of change")]
fn told(held: &Snapshot, amendment: &Amendment) -> Option<Told> {
    Some(match amendment {
        Amendment::PutSetting { name, value } => {
            let before = held.settings.value(name);
            // Viewers read the audit, and this opens the test identities.
            if name == "test_code" && before.as_ref() != Some(value) {
                let told = |text: &str| Some(text.to_owned());
                Told::new("setting.put", name, told("one code"), told("another"))
            } else {
                Told::new("setting.put", name, before, Some(value.clone()))
            }
        }
        Amendment::PutClient(client) => {
            let before = held.clients.get(&client.id);
            let mut after = of_client(client);
            if before.is_some_and(|before| has_new_secret(before, client)) {
                after.push_str(", secret replaced");
            }
            let before = before.map(of_client);
            Told::new("client.put", client.id.as_str(), before, Some(after))
        }
        Amendment::DropClient(id) => {
            let before = held.clients.get(id).map(of_client);
            Told::new("client.drop", id.as_str(), before, None)
        }
        Amendment::PutProvider(provider) => {
            let before = provider_of(held, &provider.name);
            let mut after = of_provider(provider);
            if is_new_password(held, provider) {
                after.push_str(", password replaced");
            }
            Told::new("provider.put", &provider.name, before, Some(after))
        }
        Amendment::DropProvider(name) => {
            Told::new("provider.drop", name, provider_of(held, name), None)
        }
        Amendment::PutHook(hook) => told_of_hook(held, hook.provider, true),
        Amendment::DropHook(provider) => told_of_hook(held, *provider, false),
        Amendment::PutDkimKey(key) => told_of_dkim(held, &key.record_name(), Some(key)),
        Amendment::DropDkimKey { domain, selector } => {
            told_of_dkim(held, &DkimKey::name_of(domain, selector), None)
        }
        Amendment::PutSigningKey(key) => {
            let after = Some(of_state(key.state));
            Told::new("signing_key.put", &key.kid, key_of(held, &key.kid), after)
        }
        Amendment::DropSigningKey(kid) => {
            Told::new("signing_key.drop", kid, key_of(held, kid), None)
        }
        Amendment::PutAdmin(admin) => {
            let (before, after) = (role_of(held, &admin.email), admin.role.as_str().to_owned());
            Told::new("admin.put", admin.email.as_given(), before, Some(after))
        }
        Amendment::DropAdmin(email) => {
            Told::new("admin.drop", email.as_given(), role_of(held, email), None)
        }
        Amendment::PutTemplateVersion(version) => {
            let (target, after) = (version.key.to_string(), of_version(version));
            Told::new("template.save", &target, None, Some(after))
        }
        Amendment::PutTemplateHead(next) => {
            let before = held.template(&next.key).and_then(|known| known.active);
            let (before, after) = (Some(in_force(before)), Some(in_force(next.active)));
            Told::new("template.use", &next.key.to_string(), before, after)
        }
        Amendment::PruneTemplate { .. } | Amendment::Note(_) => return None,
    })
}

fn of_version(version: &crate::model::TemplateVersion) -> String {
    let (number, note, bytes) = (version.number, &version.note, version.source.bytes());
    format!("version {number}, {note}, {bytes} bytes")
}

fn in_force(active: Option<u32>) -> String {
    active.map_or("the built-in template".to_owned(), |number| {
        format!("version {number}")
    })
}

fn role_of(held: &Snapshot, email: &Email) -> Option<String> {
    let admin = held.admin(email)?;
    Some(admin.role.as_str().to_owned())
}

fn key_of(held: &Snapshot, kid: &str) -> Option<String> {
    let key = held.signing_keys.iter().find(|key| key.kid == kid)?;
    Some(of_state(key.state))
}

fn told_of_hook(held: &Snapshot, provider: HookProvider, put: bool) -> Told {
    let before = held.hook(provider).map(|_| "set".to_owned());
    let after = if before.is_some() { "replaced" } else { "set" };
    let name = provider.as_str();
    if put {
        return Told::new("mail_hook.put", name, before, Some(after.to_owned()));
    }
    Told::new("mail_hook.drop", name, before, None)
}

fn told_of_dkim(held: &Snapshot, record_name: &str, after: Option<&DkimKey>) -> Told {
    let mut keys = held.dkim_keys.iter();
    let before = keys.find(|key| key.record_name() == record_name);
    let action = if after.is_some() {
        "dkim_key.put"
    } else {
        "dkim_key.drop"
    };
    Told::new(action, record_name, before.map(of_dkim), after.map(of_dkim))
}

fn of_dkim(key: &DkimKey) -> String {
    let (algorithm, made) = (key.algorithm.as_str(), key.created_at.unix_seconds());
    format!("{algorithm}, made at {made}")
}

fn of_client(client: &crate::model::Client) -> String {
    let newest = client
        .secrets
        .first()
        .map(|secret| secret.created_at.unix_seconds());
    format!(
        "{}; secrets: {}; newest made at {}",
        client.name,
        client.secrets.len(),
        newest.unwrap_or_default()
    )
}

/// Whether the newest secret is another one, whatever the clock says.
fn has_new_secret(before: &crate::model::Client, after: &crate::model::Client) -> bool {
    let newest = |client: &crate::model::Client| client.secrets.first().map(|secret| secret.digest);
    newest(before) != newest(after)
}

fn provider_of(held: &Snapshot, name: &str) -> Option<String> {
    let found = held
        .providers
        .iter()
        .find(|provider| provider.name == name)?;
    Some(of_provider(found))
}

/// Whether another password comes in the place of one.
fn is_new_password(held: &Snapshot, next: &MailProvider) -> bool {
    let found = held.providers.iter().find(|one| one.name == next.name);
    let before = found.and_then(|one| one.password.as_ref());
    before.is_some() && next.password.is_some() && before != next.password.as_ref()
}

/// Names every field, so that a new one is not forgotten here; of the password, that it is there.
fn of_provider(provider: &MailProvider) -> String {
    let MailProvider {
        name: _,
        position,
        host,
        port,
        tls,
        username,
        password,
        oauth,
        from,
        reply_to,
        connections,
        per_minute,
    } = provider;
    let tls = tls.as_str();
    let with = if password.is_some() {
        "with"
    } else {
        "without"
    };
    let place = position.saturating_add(1);
    let username = username.as_deref().unwrap_or("-");
    let main = format!(
        "{host}:{port} tls {tls} from {from} user {username} {with} a password, place {place}"
    );
    let parts = [
        Some(main),
        oauth.as_ref().map(of_tokens),
        reply_to.as_ref().map(|to| format!("answers to {to}")),
        connections.map(|most| format!("at most {most} connections")),
        per_minute.map(|most| format!("at most {most} mails a minute")),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn of_tokens(source: &TokenSource) -> String {
    let TokenSource {
        url,
        client_id,
        scope,
    } = source;
    let scope = scope.as_deref().unwrap_or("-");
    format!("tokens from {url} for {client_id} scope {scope}")
}

fn of_state(state: SigningState) -> String {
    match state {
        SigningState::Standby => "standby",
        SigningState::Active => "active",
        SigningState::Retired => "retired",
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Sealed, TlsMode};

    fn relay() -> MailProvider {
        MailProvider {
            name: "relay".into(),
            position: 0,
            host: "mail.example.com".into(),
            port: 465,
            tls: TlsMode::Implicit,
            username: None,
            password: Some(Sealed {
                kid: 1,
                bytes: vec![1],
            }),
            oauth: None,
            from: "a@example.com".into(),
            reply_to: None,
            connections: None,
            per_minute: None,
        }
    }

    /// The provider with another value in one field each; a new field stops this from compiling.
    #[expect(clippy::too_many_lines, reason = "names every field, three times")]
    fn varied() -> Vec<MailProvider> {
        let source = |client: &str, scope: Option<&str>| TokenSource {
            url: "https://tokens.example.com".into(),
            client_id: client.into(),
            scope: scope.map(Into::into),
        };
        let other = MailProvider {
            name: "relay".into(),
            position: 1,
            host: "other.example.com".into(),
            port: 587,
            tls: TlsMode::StartTls,
            username: Some("me".into()),
            password: Some(Sealed {
                kid: 1,
                bytes: vec![2],
            }),
            oauth: Some(source("a", None)),
            from: "b@example.com".into(),
            reply_to: Some("evil@example.net".into()),
            connections: Some(3),
            per_minute: Some(7),
        };
        let MailProvider {
            name: _,
            position,
            host,
            port,
            tls,
            username,
            password,
            oauth,
            from,
            reply_to,
            connections,
            per_minute,
        } = other;
        let one = |change: &dyn Fn(&mut MailProvider)| {
            let mut provider = relay();
            change(&mut provider);
            provider
        };
        vec![
            one(&|it| it.position = position),
            one(&|it| it.host.clone_from(&host)),
            one(&|it| it.port = port),
            one(&|it| it.tls = tls),
            one(&|it| it.username.clone_from(&username)),
            one(&|it| it.password.clone_from(&password)),
            one(&|it| it.password = None),
            one(&|it| it.oauth.clone_from(&oauth)),
            one(&|it| it.oauth = Some(source("b", None))),
            one(&|it| it.oauth = Some(source("a", Some("mail")))),
            one(&|it| it.from.clone_from(&from)),
            one(&|it| it.reply_to.clone_from(&reply_to)),
            one(&|it| it.connections = connections),
            one(&|it| it.per_minute = per_minute),
        ]
    }

    #[test]
    fn a_change_of_any_field_of_a_provider_leaves_an_entry_of_its_own() {
        let held = Snapshot {
            providers: vec![relay()],
            ..Snapshot::default()
        };
        let mut told = Vec::new();
        for provider in varied() {
            let put = [Amendment::PutProvider(provider.clone())];
            let noted = entries(&held, &put, "ada", Timestamp::from_micros(0));
            let [Amendment::Note(entry)] = &*noted else {
                panic!("no entry for {provider:?}");
            };
            assert!(!told.contains(&entry.after), "{}", entry.after);
            told.push(entry.after.clone());
        }
        let same = [Amendment::PutProvider(relay())];
        assert!(entries(&held, &same, "ada", Timestamp::from_micros(0)).is_empty());
    }
}
