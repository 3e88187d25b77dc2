use std::collections::BTreeMap;

use super::*;
use crate::model::{AuthRequest, AuthRequestId, CodeAlphabet, CodeShape, Email, Method, Slot};
use crate::rules::fixtures::{keyring, request};

fn code(request: &AuthRequest, generation: u16) -> String {
    keyring()
        .passcode(&Binding::new(request, generation))
        .unwrap()
        .expose()
        .to_owned()
}

fn link(request: &AuthRequest, generation: u16) -> String {
    keyring()
        .link_token(&Binding::new(request, generation))
        .unwrap()
        .expose()
        .to_owned()
}

#[test]
fn handles_and_links_have_the_stated_lengths_and_read_back() {
    let handle = keyring().handle(1, request().id).unwrap();
    assert_eq!(handle.expose().len(), HANDLE_CHARS);
    assert_eq!(keyring().read_handle(handle.expose()), Some(request().id));
    let token = link(&request(), 5);
    assert_eq!(token.len(), LINK_TOKEN_CHARS);
    let offered = keyring().read_link(&token).unwrap();
    assert_eq!(
        (offered.kid, offered.id, offered.generation),
        (1, request().id, 5)
    );
    assert!(keyring().link_belongs(&offered, &request()));
}

#[test]
fn a_handle_or_link_with_any_bit_changed_is_not_ours() {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as B64};
    let handle = B64
        .decode(keyring().handle(1, request().id).unwrap().expose())
        .unwrap();
    let token = B64
        .decode(link(&request(), 0).trim_end_matches("_l"))
        .unwrap();
    for bit in 0..handle.len() * 8 {
        let mut forged = handle.clone();
        forged[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(
            keyring().read_handle(&B64.encode(&forged)),
            None,
            "bit {bit}"
        );
    }
    for bit in 0..token.len() * 8 {
        let mut forged = token.clone();
        forged[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(
            keyring().read_link(&format!("{}_l", B64.encode(&forged))),
            None,
            "bit {bit}"
        );
    }
}

#[test]
fn a_row_whose_address_client_or_type_was_changed_yields_other_credentials() {
    let stolen = [
        AuthRequest {
            address: Email::parse("eve@example.com").unwrap(),
            ..request()
        },
        AuthRequest {
            client: crate::model::ClientId::parse("skc_2").unwrap(),
            ..request()
        },
        AuthRequest {
            method: Method::Otp,
            ..request()
        },
        AuthRequest {
            id: AuthRequestId::from_bytes([9; 16]),
            ..request()
        },
    ];
    let offered = keyring().read_link(&link(&request(), 0)).unwrap();
    for changed in stolen {
        assert_ne!(code(&changed, 0), code(&request(), 0));
        assert!(!keyring().link_belongs(&offered, &changed));
    }
}

#[test]
fn credentials_depend_on_generation_and_root_but_not_on_how_the_address_was_typed() {
    assert_ne!(code(&request(), 0), code(&request(), 1));
    assert_ne!(
        code(
            &AuthRequest {
                kid: 2,
                ..request()
            },
            0
        ),
        code(&request(), 0)
    );
    let typed = AuthRequest {
        address: Email::parse("ADA@Example.com").unwrap(),
        ..request()
    };
    assert_eq!(code(&typed, 0), code(&request(), 0));
}

#[test]
fn an_unknown_root_yields_nothing() {
    let foreign = AuthRequest {
        kid: 9,
        ..request()
    };
    assert!(keyring().passcode(&Binding::new(&foreign, 0)).is_none());
    assert!(keyring().handle(9, request().id).is_none());
}

#[test]
fn codes_are_uniform_over_their_alphabet() {
    for alphabet in [CodeAlphabet::Numeric, CodeAlphabet::Alphanumeric] {
        let shape = CodeShape {
            length: 6,
            alphabet,
        };
        let mut counts: BTreeMap<(usize, u8), f64> = BTreeMap::new();
        let drawn = 6000;
        let keyring = keyring();
        for n in 0..drawn {
            let mut id = [0; 16];
            id[..4].copy_from_slice(&u32::to_be_bytes(n));
            let request = AuthRequest {
                id: AuthRequestId::from_bytes(id),
                shape,
                ..request()
            };
            let code = keyring.passcode(&Binding::new(&request, 0)).unwrap();
            assert!(shape.admits(code.expose()));
            for (place, symbol) in code.expose().bytes().enumerate() {
                *counts.entry((place, symbol)).or_default() += 1.0;
            }
        }
        let symbols = u32::try_from(alphabet.symbols().len()).unwrap();
        let expected = f64::from(drawn) / f64::from(symbols);
        for place in 0..6 {
            let chi2: f64 = alphabet
                .symbols()
                .iter()
                .map(|s| (counts.get(&(place, *s)).unwrap_or(&0.0) - expected).powi(2) / expected)
                .sum();
            // Far past the 0.9999 quantile of either distribution (33.7 and 66.2).
            assert!(chi2 < 80.0, "place {place}: {chi2}");
        }
    }
}

#[test]
fn a_sealed_value_opens_only_in_its_own_slot_and_unchanged() {
    let slot = Slot {
        table: "auth_requests",
        column: "state",
        id: &[1; 16],
    };
    let sealed = keyring().seal(&slot, b"secret", [5; 12]);
    assert_eq!(&**keyring().open(&slot, &sealed).unwrap(), b"secret");
    assert!(!sealed.bytes.windows(6).any(|w| w == b"secret"));
    for other in [
        Slot {
            id: &[2; 16],
            ..slot
        },
        Slot {
            column: "input",
            ..slot
        },
        Slot {
            table: "mail_inputs",
            ..slot
        },
    ] {
        assert!(matches!(
            keyring().open(&other, &sealed),
            Err(SealProblem::Broken)
        ));
    }
    let mut changed = sealed.clone();
    *changed.bytes.last_mut().unwrap() ^= 1;
    assert!(matches!(
        keyring().open(&slot, &changed),
        Err(SealProblem::Broken)
    ));
    changed.kid = 9;
    assert!(matches!(
        keyring().open(&slot, &changed),
        Err(SealProblem::NoRoot(9))
    ));
}

#[test]
fn a_list_of_roots_must_be_sound() {
    let root = |n| RootSecret::new([n; 32]);
    assert!(matches!(
        Keyring::new(&[(0, root(1))], 0),
        Err(KeyringProblem::Zero)
    ));
    assert!(matches!(
        Keyring::new(&[(1, root(1)), (1, root(2))], 1),
        Err(KeyringProblem::Twice(1))
    ));
    assert!(matches!(
        Keyring::new(&[(1, root(1))], 2),
        Err(KeyringProblem::NoCurrent(2))
    ));
}

#[test]
fn nothing_secret_prints() {
    let shown = format!(
        "{:?} {:?} {:?} {:?}",
        keyring(),
        RootSecret::new([65; 32]),
        keyring().passcode(&Binding::new(&request(), 0)).unwrap(),
        keyring().handle(1, request().id).unwrap()
    );
    assert_eq!(
        shown,
        "Keyring(kids [1, 2], current 1) RootSecret(…) Passcode(…) RequestHandle(…)"
    );
}
