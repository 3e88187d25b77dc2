//! Admins, their invitations and sessions, and the audit.

use std::time::Duration;

use postern_core::model::{
    AdminAccount, AdminSession, AuditEntry, Client, ClientId, ClientSecret, Email, Invite, Role,
    Snapshot, Timestamp,
};
use postern_core::ports::{Amendment, Clock as _, Engine};

use super::{address, race};
use crate::testing::TempStore;

const HOUR: Duration = Duration::from_hours(1);

/// An admin's session that began then.
pub fn session_of(digest: u8, email: Email, at: Timestamp) -> AdminSession {
    AdminSession {
        digest: [digest; 32],
        email,
        created_at: at,
        seen_at: at,
        proved_at: at,
        agent: "Firefox".into(),
    }
}

/// One of many who race gets it, and nobody once it is over.
pub async fn an_invitation_is_taken_once_and_in_time(store: TempStore) {
    let invite = |digest| Invite {
        digest: [digest; 32],
        email: address("ada"),
        role: Role::Owner,
        expires_at: store.clock.now().plus(HOUR),
    };
    for digest in [1, 2] {
        store.engine.put_invite(invite(digest)).await.unwrap();
    }
    let found = store.engine.find_invite([1; 32]).await.unwrap();
    assert_eq!(found, Some(invite(1)));
    let taken = race(
        &store,
        8,
        |engine, _| async move { accept(&*engine, 1).await },
    );
    assert_eq!(taken.await.iter().flatten().count(), 1);
    store.clock.advance(HOUR);
    assert_eq!(store.engine.find_invite([2; 32]).await.unwrap(), None);
    assert_eq!(accept(&*store.engine, 2).await, None);
}

/// Takes the invitation with this digest and makes its person an admin.
async fn accept(engine: &dyn Engine, digest: u8) -> Option<Invite> {
    let accept = |invite: &Invite, _: &Snapshot, now| {
        vec![Amendment::PutAdmin(AdminAccount {
            email: invite.email.clone(),
            role: invite.role,
            created_at: now,
        })]
    };
    let taken = engine.accept_invite([digest; 32], Box::new(accept)).await;
    let (invite, after) = taken.unwrap()?;
    assert!(after.admin(&invite.email).is_some());
    Some(invite)
}

async fn put_admin(engine: &dyn Engine, name: &str, role: Role) {
    let email = address(name);
    let put = move |_: &Snapshot, now| {
        Ok(vec![Amendment::PutAdmin(AdminAccount {
            email: email.clone(),
            role,
            created_at: now,
        })])
    };
    engine.amend(Box::new(put)).await.unwrap().unwrap();
}

/// Whichever of the two is first: the removal ends an invitation, or ends who came by it.
pub async fn who_is_removed_does_not_come_back_by_an_invitation_that_is_being_taken(
    store: TempStore,
) {
    for _ in 0..8 {
        let now = store.clock.now();
        let invite = Invite {
            digest: [1; 32],
            email: address("eve"),
            role: Role::Owner,
            expires_at: now.plus(HOUR),
        };
        store.engine.put_invite(invite).await.unwrap();
        put_admin(&*store.engine, "eve", Role::Owner).await;
        race(&store, 2, |engine, n| async move {
            if n == 0 {
                accept(&*engine, 1).await;
            } else {
                let drop = |_: &_, _| Ok(vec![Amendment::DropAdmin(address("eve"))]);
                engine.amend(Box::new(drop)).await.unwrap().unwrap();
            }
        })
        .await;
        let left = store.engine.snapshot().await.unwrap();
        assert!(left.admin(&address("eve")).is_none());
    }
}

/// A session tells the role of now, and nothing of who is no admin any more.
pub async fn a_session_is_found_with_whose_it_is_now(store: TempStore) {
    let now = store.clock.now();
    let session = session_of(1, address("ADA"), now);
    store.engine.put_session(session, now).await.unwrap();
    let role = async || {
        let found = store.engine.find_session([1; 32]).await.unwrap();
        found.map(|(_, whose)| whose.role)
    };
    assert_eq!(role().await, None);
    for given in [Role::Owner, Role::Viewer] {
        put_admin(&*store.engine, "ada", given).await;
        assert_eq!(role().await, Some(given));
    }
}

/// Read back, replaced, ended; those of a removed admin go with the admin.
pub async fn sessions_live_until_they_are_ended(store: TempStore) {
    let now = store.clock.now();
    let session = |digest, name| session_of(digest, address(name), now);
    put_admin(&*store.engine, "ada", Role::Owner).await;
    for (digest, name) in [(1, "ada"), (2, "ada"), (3, "bob")] {
        store
            .engine
            .put_session(session(digest, name), now)
            .await
            .unwrap();
    }
    let used = AdminSession {
        seen_at: now.plus(HOUR),
        ..session(1, "ada")
    };
    store.engine.put_session(used.clone(), now).await.unwrap();
    let found = store.engine.find_session([1; 32]).await.unwrap();
    assert_eq!(found.map(|(session, _)| session), Some(used));
    assert!(store.engine.end_session([1; 32]).await.unwrap());
    assert!(!store.engine.end_session([1; 32]).await.unwrap());
    let drop = |_: &_, _| Ok(vec![Amendment::DropAdmin(address("ADA"))]);
    store.engine.amend(Box::new(drop)).await.unwrap().unwrap();
    let left = store.engine.sessions().await.unwrap();
    assert_eq!(left.iter().map(|s| s.digest[0]).collect::<Vec<_>>(), [3]);
    store
        .engine
        .put_session(session(4, "eve"), now.plus(HOUR))
        .await
        .unwrap();
    let left = store.engine.sessions().await.unwrap();
    assert_eq!(left.len(), 1, "what was opened too long ago goes");
}

/// Also those that name the admin in another spelling, and nobody else's.
pub async fn a_removed_admin_comes_back_by_no_session_and_no_invitation(store: TempStore) {
    let now = store.clock.now();
    let spelled = |text: &str| Email::parse(text).unwrap();
    let (unicode, ascii) = ("ada@bücher.example", "ADA@xn--bcher-kva.example");
    let held = [(1, unicode), (2, ascii), (3, "bob@bücher.example")];
    for (digest, email) in held {
        let email = spelled(email);
        let session = session_of(digest, email.clone(), now);
        store.engine.put_session(session, now).await.unwrap();
        let invite = Invite {
            digest: [digest; 32],
            email,
            role: Role::Owner,
            expires_at: now.plus(HOUR),
        };
        store.engine.put_invite(invite).await.unwrap();
    }
    let drop = move |_: &_, _| Ok(vec![Amendment::DropAdmin(spelled(unicode))]);
    store.engine.amend(Box::new(drop)).await.unwrap().unwrap();
    for (digest, email) in held {
        let stays = email.starts_with("bob");
        let sessions = store.engine.sessions().await.unwrap();
        let session = sessions.iter().any(|one| one.digest == [digest; 32]);
        assert_eq!(session, stays, "the session of {email}");
        let invite = store.engine.find_invite([digest; 32]).await.unwrap();
        assert_eq!(invite.is_some(), stays, "the invitation of {email}");
    }
}

/// Whoever was let in a moment before a session was ended does not write it anew.
pub async fn an_ended_session_is_not_brought_back_by_its_use(store: TempStore) {
    let now = store.clock.now();
    let session = session_of(1, address("ada"), now);
    store.engine.put_session(session, now).await.unwrap();
    put_admin(&*store.engine, "ada", Role::Owner).await;
    let later = now.plus(HOUR);
    assert!(store.engine.see_session([1; 32], later).await.unwrap());
    assert!(store.engine.see_session([1; 32], now).await.unwrap());
    let (seen, _) = store.engine.find_session([1; 32]).await.unwrap().unwrap();
    assert_eq!(seen.seen_at, later, "it never moves backwards");
    assert!(store.engine.end_session([1; 32]).await.unwrap());
    assert!(!store.engine.see_session([1; 32], later).await.unwrap());
    assert_eq!(store.engine.find_session([1; 32]).await.unwrap(), None);
}

/// Noted for secrets that are there; gone with them.
pub async fn each_secret_has_its_own_last_use(store: TempStore) {
    let now = store.clock.now();
    let secret = |digest| ClientSecret {
        digest: [digest; 32],
        created_at: now,
        expires_at: None,
    };
    let client = |secrets| Client {
        id: ClientId::parse("skc_00000000000000000001").unwrap(),
        name: "Shop".into(),
        created_at: now,
        secrets,
    };
    let put = |secrets| {
        let client = client(secrets);
        let amend = move |_: &_, _| Ok(vec![Amendment::PutClient(client.clone())]);
        store.engine.amend(Box::new(amend))
    };
    put(vec![secret(2), secret(1)]).await.unwrap().unwrap();
    let (later, engine) = (now.plus(HOUR), &store.engine);
    for (digest, at) in [(1, later), (1, now), (2, now), (3, now)] {
        engine.see_secret([digest; 32], at).await.unwrap();
    }
    let mut seen = engine.secrets_seen().await.unwrap();
    seen.sort_unstable();
    assert_eq!(seen, [([1; 32], later), ([2; 32], now)]);
    put(vec![secret(2)]).await.unwrap().unwrap();
    engine.see_secret([2; 32], later).await.unwrap();
    assert_eq!(engine.secrets_seen().await.unwrap(), [([2; 32], later)]);
}

/// In the snapshot, with their role as it is now.
pub async fn admins_are_part_of_the_registry(store: TempStore) {
    let admin = |role| AdminAccount {
        email: address("Ada"),
        role,
        created_at: store.clock.now(),
    };
    for role in [Role::Owner, Role::Viewer] {
        let put = admin(role);
        let amend = move |_: &_, _| Ok(vec![Amendment::PutAdmin(put.clone())]);
        store.engine.amend(Box::new(amend)).await.unwrap().unwrap();
    }
    let held = store.engine.snapshot().await.unwrap();
    assert_eq!(held.admins, [admin(Role::Viewer)]);
    assert_eq!(held.admin(&address("ADA")), Some(&admin(Role::Viewer)));
}

/// Newest first, page by page; in the same commit as what it tells of.
pub async fn the_audit_is_read_from_the_newest(store: TempStore) {
    let entry = |target: &str| AuditEntry {
        at: store.clock.now(),
        actor: "ada@example.com".into(),
        action: "setting.put".into(),
        target: target.into(),
        before: "a".into(),
        after: "b".into(),
    };
    for target in ["1", "2"] {
        store.engine.note(entry(target)).await.unwrap();
    }
    let third = entry("3");
    let amend = move |_: &_, _| Ok(vec![Amendment::Note(third.clone())]);
    store.engine.amend(Box::new(amend)).await.unwrap().unwrap();
    let page = store.engine.audit(None, 2).await.unwrap();
    let targets = |page: &[(_, AuditEntry)]| -> Vec<String> {
        page.iter().map(|(_, entry)| entry.target.clone()).collect()
    };
    assert_eq!(targets(&page), ["3", "2"]);
    let rest = store.engine.audit(Some(page[1].0), 9).await.unwrap();
    assert_eq!(
        (targets(&rest), &rest[0].1),
        (vec!["1".to_owned()], &entry("1"))
    );
}
