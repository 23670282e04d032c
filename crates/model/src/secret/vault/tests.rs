//! What is sealed, what opens it, and what shows none of it.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::{SeededEntropy, Timestamp};

fn key(seed: u64) -> VaultKey {
    VaultKey::generate(&SeededEntropy::new(seed * 1000))
}

fn owner(seed: u64) -> ConnectorId {
    ConnectorId::new(Timestamp::from_millis(1), &SeededEntropy::new(seed))
}

fn vault(seed: u64) -> Vault {
    Vault::new(key(seed), [])
}

proptest! {
    #[test]
    fn what_was_sealed_opens_as_it_was(text: String, pointer: String) {
        let sealed = vault(1).seal(&SeededEntropy::new(1), owner(1), &pointer, &json!(text));
        let stored: Sealed = sealed.to_string().parse().unwrap();
        prop_assert_eq!(&stored, &sealed);
        prop_assert_eq!(vault(1).open(owner(1), &pointer, &stored), Ok(json!(text)));
    }

    #[test]
    fn a_changed_bit_is_noticed(at: prop::sample::Index, bit in 0..8_u8) {
        let mut sealed = vault(1).seal(&SeededEntropy::new(1), owner(1), "/password", &json!("swordfish"));
        let at = at.index(sealed.bytes.len());
        sealed.bytes[at] ^= 1 << bit;
        prop_assert_eq!(vault(1).open(owner(1), "/password", &sealed), Err(Unreadable::Damaged));
    }

    #[test]
    fn no_text_is_a_sealed_secret_by_chance(text: String) {
        prop_assert!(text.parse::<Sealed>().is_err());
        prop_assert!(text.parse::<VaultKey>().is_err());
    }
}

#[test]
fn any_json_value_may_be_a_secret() {
    for value in [json!("ü\u{1f600}"), json!(""), json!(42), json!(true), json!({"a": ["b", null]})] {
        let sealed = vault(1).seal(&SeededEntropy::new(1), owner(1), "/x", &value);
        assert_eq!(vault(1).open(owner(1), "/x", &sealed), Ok(value));
    }
}

#[test]
fn a_secret_opens_only_as_its_own_field_of_its_own_connector() {
    let sealed = vault(1).seal(&SeededEntropy::new(1), owner(1), "/password", &json!("swordfish"));
    assert_eq!(vault(1).open(owner(2), "/password", &sealed), Err(Unreadable::Damaged));
    assert_eq!(vault(1).open(owner(1), "/host", &sealed), Err(Unreadable::Damaged));
    let webhook = WebhookId::from_u128(owner(1).as_u128());
    assert_eq!(vault(1).open(webhook, "/password", &sealed), Err(Unreadable::Damaged));
    assert_eq!(vault(1).open(SecretOwner::Server, "/password", &sealed), Err(Unreadable::Damaged));
}

#[test]
fn a_secret_of_the_server_opens_as_nobody_elses() {
    let sealed = vault(1).seal(&SeededEntropy::new(1), SecretOwner::Server, "/password", &json!("swordfish"));
    assert_eq!(vault(1).open(SecretOwner::Server, "/password", &sealed), Ok(json!("swordfish")));
    assert_eq!(vault(1).open(owner(0), "/password", &sealed), Err(Unreadable::Damaged));
    assert_eq!(vault(1).open(ConnectorId::from_u128(0), "/password", &sealed), Err(Unreadable::Damaged));
    assert_eq!(vault(1).open(SecretOwner::Server, "/host", &sealed), Err(Unreadable::Damaged));
}

#[test]
fn a_key_that_is_not_here_is_named() {
    let sealed = vault(1).seal(&SeededEntropy::new(1), owner(1), "/password", &json!("swordfish"));
    assert_eq!(vault(2).open(owner(1), "/password", &sealed), Err(Unreadable::NoKey(key(1).id())));
    let ring = Vault::new(key(2), [key(1)]);
    assert_eq!(ring.open(owner(1), "/password", &sealed), Ok(json!("swordfish")));
    assert_eq!(ring.seal(&SeededEntropy::new(1), owner(1), "/x", &json!(1)).key(), key(2).id());
    assert!(ring.has(key(1).id()) && !ring.has(key(3).id()));
}

#[test]
fn what_is_sealed_tells_neither_length_nor_equality() {
    let entropy = SeededEntropy::new(1);
    let seal = |text: &str| vault(1).seal(&entropy, owner(1), "/password", &json!(text));
    assert_eq!(seal("a").bytes.len(), seal("a much longer password than the other").bytes.len());
    assert_ne!(seal("a"), seal("a"), "the nonce is drawn anew");
}

#[test]
fn a_key_is_written_as_hexadecimal_digits() {
    assert_eq!(key(1).to_text().parse(), Ok(key(1)));
    assert_eq!(key(1).to_text().to_uppercase().parse(), Ok(key(1)));
    for bad in ["", "00", &"0".repeat(63), &"0".repeat(66), &"g".repeat(64), &format!(" {}", "0".repeat(63))]
    {
        assert_eq!(bad.parse::<VaultKey>(), Err(VaultKeyError), "{bad}");
    }
}

#[test]
fn a_ring_is_written_in_lines_or_with_commas() {
    let (one, two) = (key(1).to_text(), key(2).to_text());
    for good in [format!("{one},{two}"), format!("{one}\n{two}\n"), format!("# old\r\n {one} , {two}\r\n")] {
        assert_eq!(VaultKey::parse_ring(&good), Ok(vec![key(1), key(2)]), "{good}");
    }
    for bad in ["", ",", "# nothing", "swordfish", &format!("{one},x"), &format!("{one}{two}")] {
        assert_eq!(VaultKey::parse_ring(bad), Err(VaultKeyError), "{bad}");
    }
}

#[test]
fn no_debug_shows_a_key_or_a_secret() {
    let sealed = vault(1).seal(&SeededEntropy::new(1), owner(1), "/password", &json!("swordfish"));
    let id = key(1).id();
    assert_eq!(
        format!("{sealed:?} {:?}", vault(1)),
        format!("Sealed({id}) Vault {{ ring: [VaultKey({id})] }}")
    );
}

#[test]
fn a_config_is_sealed_and_opened_whole() {
    let plain = PlainConfig::new(
        json!({"host": "db", "password": "swordfish", "ssl": {"key": "pem", "mode": "full"}}),
        vec!["/password".to_owned(), "/ssl/key".to_owned()],
    );
    let sealed = vault(1).seal_config(&SeededEntropy::new(1), owner(1), &plain, None);
    assert_eq!(*sealed.open(), json!({"host": "db", "ssl": {"mode": "full"}}));
    assert_eq!(vault(1).open_config(owner(1), &sealed), Ok(plain));
    let lost = vault(2).open_config(owner(1), &sealed).unwrap_err();
    assert_eq!((lost.pointer.as_str(), lost.reason), ("/password", Unreadable::NoKey(key(1).id())));
}

#[test]
fn a_secret_that_stays_the_same_stays_sealed_as_it_is() {
    let (entropy, pointers) = (SeededEntropy::new(1), vec!["/a".to_owned(), "/b".to_owned()]);
    let before = PlainConfig::new(json!({"a": "one", "b": "two"}), pointers.clone());
    let before = vault(1).seal_config(&entropy, owner(1), &before, None);
    let after = PlainConfig::new(json!({"a": "one", "b": "three"}), pointers);
    let after = vault(1).seal_config(&entropy, owner(1), &after, Some(&before));
    assert_eq!(after.secrets()["/a"], before.secrets()["/a"]);
    assert_ne!(after.secrets()["/b"], before.secrets()["/b"]);
}

#[test]
fn renewed_secrets_are_under_the_key_in_use_and_no_other() {
    let entropy = SeededEntropy::new(1);
    let plain = PlainConfig::new(json!({"a": "one"}), vec!["/a".to_owned()]);
    let old = vault(1).seal_config(&entropy, owner(1), &plain, None);
    let ring = Vault::new(key(2), [key(1)]);
    let renewed = ring.renewed(&entropy, owner(1), old.secrets()).unwrap().unwrap();
    assert_eq!(vault(2).open(owner(1), "/a", &renewed["/a"]), Ok(json!("one")));
    assert_eq!(ring.renewed(&entropy, owner(1), &renewed), Ok(None));
    assert!(vault(3).renewed(&entropy, owner(1), &renewed).is_err());
}

#[test]
fn each_context_and_each_key_derive_other_bytes() {
    assert_eq!(vault(1).derive("a"), vault(1).derive("a"));
    assert_ne!(vault(1).derive("a"), vault(1).derive("b"));
    assert_ne!(vault(1).derive("a"), vault(2).derive("a"));
}
