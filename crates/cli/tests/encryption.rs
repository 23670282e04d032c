//! The keys that seal secrets: where they come from, how they change, and what becomes of secrets without them.

use std::path::Path;

use inlet_model::secret::{PlainConfig, Vault, VaultKey};
use inlet_model::{ConnectorId, SystemClock, SystemEntropy, Timestamp};
use inlet_store::SqlCatalog;
use inlet_store::catalog::{Collections, Connector, Connectors, SealedSecrets};
use inlet_store::sqlite::open_catalog;
use serde_json::{Value, json};

use super::harness::{Home, Ran, Server};

const PASSWORD: &str = "swordfish-7c1d";

/// The keys that a data directory keeps.
pub(crate) fn kept(data: &Path) -> Vec<VaultKey> {
    VaultKey::parse_ring(&std::fs::read_to_string(data.join("encryption.key")).unwrap()).unwrap()
}

fn opened(data: &Path) -> SqlCatalog {
    open_catalog(&data.join("catalog.db"), &SystemClock, &SystemEntropy).unwrap()
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

/// Puts connectors with a secret each into a catalog, under this key: no connector type of the binary has any.
pub(crate) fn plant(data: &Path, key: &VaultKey, count: usize) {
    let (catalog, vault) = (opened(data), Vault::new(key.clone(), []));
    runtime().block_on(async {
        let (space_id, collection_id) = ("default".parse().unwrap(), "default".parse().unwrap());
        let collection = catalog.collection_get(&space_id, &collection_id).await.unwrap().unwrap();
        for _ in 0..count {
            let id = ConnectorId::new(Timestamp::from_millis(1), &SystemEntropy);
            let plain =
                PlainConfig::new(json!({"host": "db", "password": PASSWORD}), vec!["/password".to_owned()]);
            let connector = Connector {
                id,
                space_id: space_id.clone(),
                collection_id: collection_id.clone(),
                store_id: collection.store_id,
                name: "secret".to_owned(),
                kind: "none".to_owned(),
                config: vault.seal_config(&SystemEntropy, id, &plain, None),
                streams: None,
                schedule: Default::default(),
                policy: Default::default(),
                status: Default::default(),
                version: 1,
                created_at: Timestamp::from_millis(1),
                updated_at: Timestamp::from_millis(1),
                next_sync_at: None,
                failures: 0,
                notice: None,
            };
            catalog.connector_create(connector, None).await.unwrap();
        }
    });
}

/// How many connectors have a secret that these keys open; all others panic.
pub(crate) fn readable(data: &Path, keys: &[VaultKey]) -> usize {
    let (current, others) = keys.split_first().unwrap();
    let vault = Vault::new(current.clone(), others.to_vec());
    let held = runtime().block_on(opened(data).secret_list(None, 10_000)).unwrap();
    for held in &held {
        let sealed = &held.secrets["/password"];
        assert_eq!(vault.open(held.owner, "/password", sealed).unwrap(), PASSWORD);
    }
    held.len()
}

/// A folder with a data directory in it that has `count` secrets under a key of its own.
pub(crate) fn with_secrets(count: usize) -> Home {
    let home = Home::new();
    home.write("a.jsonl", "{\"id\":1}\n");
    home.inlet_well("sync a.jsonl --into default");
    let data = home.join("inlet-data");
    plant(&data, &kept(&data)[0], count);
    home
}

fn with_keys(home: &Home, line: &str, keys: &[&VaultKey]) -> Ran {
    let keys: Vec<String> = keys.iter().map(|key| key.to_text()).collect();
    let mut command = home.command(line.split(' '));
    Ran::from(command.env("INLET_ENCRYPTION_KEY", keys.join(",")).output().unwrap())
}

fn new_key() -> VaultKey {
    VaultKey::generate(&SystemEntropy)
}

#[cfg(unix)]
#[test]
fn a_data_directory_makes_a_key_of_its_own_and_keeps_it() {
    use std::os::unix::fs::PermissionsExt;

    let home = with_secrets(0);
    let data = home.join("inlet-data");
    let mode = std::fs::metadata(data.join("encryption.key")).unwrap().permissions().mode();
    let keys = kept(&data);
    assert_eq!((mode & 0o777, keys.len()), (0o600, 1));
    assert_eq!(home.inlet("records default").stderr, "");
    assert_eq!(kept(&data), keys);
    std::fs::set_permissions(data.join("encryption.key"), PermissionsExt::from_mode(0o640)).unwrap();
    let warned = home.inlet("records default").stderr;
    assert!(warned.contains("others may read the encryption key"), "{warned}");
}

#[test]
fn a_key_that_is_given_is_written_nowhere() {
    let home = Home::new();
    home.write("a.jsonl", "{\"id\":1}\n");
    let ran = with_keys(&home, "sync a.jsonl --into default", &[&new_key()]);
    assert_eq!(ran.code, Some(0), "{ran}");
    assert!(!home.join("inlet-data/encryption.key").exists());
}

#[test]
fn a_rotation_encrypts_every_secret_anew_and_forgets_the_old_key() {
    let home = with_secrets(250);
    let data = home.join("inlet-data");
    let old = kept(&data);
    let told: Value = serde_json::from_str(&home.inlet_well("keys rotate-encryption --output json")).unwrap();
    let new = kept(&data);
    assert_eq!(
        told,
        json!({"encryption_key": new[0].id().to_string(), "renewed": 250, "unchanged": 0, "unreadable": 0})
    );
    assert!(new.len() == 1 && new != old);
    assert_eq!(readable(&data, &new), 250);
    home.inlet_well("keys rotate-encryption");
    assert_ne!(kept(&data), new, "each rotation is one");
    assert_eq!(readable(&data, &kept(&data)), 250);
}

#[test]
fn keys_that_are_given_rotate_from_the_directorys_own_and_from_one_to_the_next() {
    let home = with_secrets(3);
    let data = home.join("inlet-data");
    let (first, second) = (new_key(), new_key());
    let ran = with_keys(&home, "keys rotate-encryption", &[&first]);
    assert_eq!(
        ran.stdout,
        format!(
            "the secrets of 3 configs were encrypted anew under the key {}, 0 were already\n",
            first.id()
        )
    );
    assert_eq!(readable(&data, std::slice::from_ref(&first)), 3);
    let file =
        home.write("keys", &format!("# the new one first\n{}\n{}\n", second.to_text(), first.to_text()));
    let line = format!("keys rotate-encryption --encryption-key-file {}", file.display());
    assert!(home.inlet_well(&line).contains("of 3 configs were"));
    assert!(home.inlet_well(&line).contains("of 0 configs were"), "there is nothing left to do");
    assert_eq!(readable(&data, &[second]), 3);
}

#[test]
fn what_cannot_be_read_is_told_and_stays_as_it_is() {
    let home = with_secrets(2);
    let data = home.join("inlet-data");
    let lost = new_key();
    plant(&data, &lost, 1);
    let ran = home.inlet("keys rotate-encryption");
    assert_eq!(ran.code, Some(0), "{ran}");
    assert!(ran.stderr.contains(&format!("its encryption key {} is not here", lost.id())), "{ran}");
    assert_eq!(readable(&data, &[kept(&data).remove(0), lost]), 3);
}

#[test]
fn beside_a_server_nothing_is_rotated() {
    let home = with_secrets(1);
    let keys = kept(&home.join("inlet-data"));
    let server = Server::start(&home, "--auth none");
    let ran = home.inlet("keys rotate-encryption");
    assert_eq!(ran.code, Some(1));
    assert!(ran.stderr.contains("code: data_dir.in_use\nhint: stop it first"), "{ran}");
    drop(server);
    assert_eq!(kept(&home.join("inlet-data")), keys);
}

#[test]
fn a_server_starts_without_a_lost_key_and_says_so() {
    let home = with_secrets(2);
    let data = home.join("inlet-data");
    let lost = kept(&data).remove(0);
    std::fs::remove_file(data.join("encryption.key")).unwrap();
    let server = Server::start(&home, "--auth none");
    let connectors = server.get("/v1/spaces/default/collections/default/connectors");
    let masked = |connector: &&Value| connector["config"]["password"] == "********";
    assert_eq!(connectors["data"].as_array().unwrap().iter().filter(masked).count(), 2);
    let log = server.stop().stderr;
    let id = lost.id().to_string();
    assert!(log.lines().any(|line| line.contains("cannot be read") && line.contains(&id)), "{log}");
    assert!(!log.contains(PASSWORD) && !log.contains(&lost.to_text()));
}

#[test]
fn what_is_no_key_is_bad_input() {
    let home = with_secrets(0);
    let mut command = home.command(["records", "default"]);
    let ran = Ran::from(command.env("INLET_ENCRYPTION_KEY", "swordfish").output().unwrap());
    assert_eq!(ran.code, Some(2));
    assert!(ran.stderr.contains("code: input.encryption_key") && !ran.stderr.contains("swordfish"), "{ran}");
    let ran = home.inlet("records default --encryption-key-file nowhere");
    assert_eq!(ran.code, Some(1), "{ran}");
    std::fs::write(home.join("inlet-data/encryption.key"), "").unwrap();
    let ran = home.inlet("records default");
    assert!(ran.code == Some(2) && ran.stderr.contains("code: data_dir.unusable"), "{ran}");
    let nowhere = home.inlet("keys rotate-encryption --data-dir nowhere");
    assert!(nowhere.code == Some(2) && nowhere.stderr.contains("code: input.data_dir"), "{nowhere}");
}
