//! What is masked reaches the store in no other form.

use std::ops::Range;
use std::path::Path;
use std::time::Duration;

use inlet_model::mask::{MaskMethod, MaskPath, Masking};
use inlet_model::secret::{Vault, VaultKey};
use inlet_model::stream::StreamSettings;
use inlet_model::sync::{SyncMode, SyncStatus};
use inlet_model::{Rejection, Scope, SeededEntropy, SystemEntropy};
use inlet_source::{Message, Outlet, ReadRequest, SourceError};
use inlet_store::catalog::{masking_key, renew_secrets};
use inlet_store::collection::RejectedQuery;
use serde_json::Value;

use crate::fixture::{
    Fixture, batch, complete, delete_1, end, list_the_rest, list_three_and_hang, listing, stream,
};

fn masking(paths: &[(&str, MaskMethod)]) -> Masking {
    paths.iter().map(|(path, method)| (MaskPath::parse(path).unwrap(), *method)).collect()
}

/// A connector whose stream `s` has this key and masks `value` by a hash, and `id` too if that is the key's part.
async fn masked(primary_key: &[&str], masked: &[&str]) -> Fixture {
    let masking = masking(&masked.iter().map(|field| (*field, MaskMethod::Hash)).collect::<Vec<_>>());
    Fixture::set(|stream: &mut StreamSettings| {
        stream.primary_key = primary_key.iter().map(|field| (*field).to_owned()).collect();
        stream.masking = masking;
    })
    .await
}

const CLEAR: &str = "ada@example.com";

/// Lists the records `ids`, all with the clear value, and one that is refused, and says what was seen.
async fn list(
    request: ReadRequest,
    out: Outlet,
    ids: Range<i64>,
    certified: bool,
) -> Result<(), SourceError> {
    out.send(listing("s")).await.unwrap();
    let mut batch = batch(&request, "s", ids, CLEAR);
    for code in ["json.syntax", "csv.type"] {
        batch.reject(Rejection::new(9, code, format!("found {CLEAR}"), CLEAR.as_bytes()));
    }
    out.send(Message::Batch { batch, checkpoint: Some(CLEAR.into()) }).await.unwrap();
    let cursor = Some(CLEAR.into());
    let (stream, scope) = (stream("s"), Scope::whole());
    out.send(Message::Complete { stream, scope, cursor, certified }).await.unwrap();
    out.send(end("s")).await.unwrap();
    Ok(())
}

/// Whether a file below the folder holds the clear value.
fn is_on_disk(folder: &Path) -> bool {
    std::fs::read_dir(folder).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        if path.is_dir() {
            return is_on_disk(&path);
        }
        let bytes = std::fs::read(path).unwrap();
        memchr_of(&bytes, CLEAR.as_bytes())
    })
}

fn memchr_of(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|window| window == wanted)
}

#[tokio::test]
async fn a_clear_value_reaches_neither_record_nor_refusal_nor_checkpoint() {
    let fixture = masked(&["id"], &["value"]).await;
    fixture.script(|request, out| list(request, out, 0..3, true));
    let engine = fixture.engine().await;
    let sync = fixture.sync_to_the_end(&engine).await;
    assert_eq!((sync.status, sync.counts.created, sync.counts.rejected), (SyncStatus::Succeeded, 3, 2));
    let records = fixture.records().await;
    let hashes: Vec<Value> =
        records.values().map(|data| serde_json::from_str::<Value>(data).unwrap()["value"].clone()).collect();
    assert_eq!(hashes[0].as_str().unwrap().len(), 32);
    assert!(hashes.iter().all(|hash| *hash == hashes[0]), "equal values have equal hashes");
    assert_eq!(records.keys().collect::<Vec<_>>(), ["0", "1", "2"], "a key that is not masked stays");
    let rejected = fixture.store().await.rejected(sync.id, RejectedQuery::behind(0, 9)).await.unwrap();
    assert!(rejected.iter().all(|record| record.sample == "[redacted]"));
    assert_eq!(rejected[0].code, "json.syntax");
    assert!(!rejected[1].reason.contains(CLEAR), "of a reason that may repeat a value nothing is kept");
    let checkpoints = fixture.store().await.checkpoints(fixture.connector.id, None, None, 9).await.unwrap();
    assert!(checkpoints[0].cursor.as_ref().unwrap()["sealed"].is_string());
    engine.stop(Duration::from_secs(5)).await;
}

#[tokio::test]
async fn no_file_holds_a_clear_value() {
    let fixture = masked(&["id"], &["value"]).await;
    // One record: what is alone in a block is not compressed beyond recognition.
    fixture.script(|request, out| async move {
        out.send(listing("s")).await.unwrap();
        let batch = batch(&request, "s", 0..1, CLEAR);
        out.send(Message::Batch { batch, checkpoint: Some(CLEAR.into()) }).await.unwrap();
        out.send(complete("s", true)).await.unwrap();
        out.send(end("s")).await.unwrap();
        Ok(())
    });
    let engine = fixture.engine().await;
    fixture.sync_to_the_end(&engine).await;
    assert!(!is_on_disk(fixture.folder.path()));
    engine.stop(Duration::from_secs(5)).await;
    let open = Fixture::new(&["s"]).await;
    open.script(|request, out| list(request, out, 0..1, true));
    let engine = open.engine().await;
    open.sync_to_the_end(&engine).await;
    assert!(is_on_disk(open.folder.path()), "the search finds what is not masked");
}

#[tokio::test]
async fn the_source_is_given_its_checkpoints_as_it_sent_them() {
    let fixture = masked(&["id"], &["value"]).await;
    fixture.script(list_three_and_hang);
    let engine = fixture.engine().await;
    let id = fixture.trigger(&engine, SyncMode::Incremental).await;
    fixture.wait_for_records(3).await;
    engine.stop(Duration::from_secs(5)).await;
    fixture.script(list_the_rest);
    let _next = fixture.engine().await;
    let sync = fixture.wait(id, |sync| sync.status.is_final()).await;
    assert_eq!((sync.status, sync.counts.created), (SyncStatus::Succeeded, 5), "{:?}", sync.failure);
}

#[tokio::test]
async fn a_hashed_key_is_the_hash_in_the_record_and_is_found_again() {
    let fixture = masked(&["id"], &["id"]).await;
    fixture.script(|request, out| list(request, out, 0..3, true));
    let engine = fixture.engine().await;
    fixture.sync_to_the_end(&engine).await;
    for (key, data) in fixture.records().await {
        let data: Value = serde_json::from_str(&data).unwrap();
        assert_eq!(data["id"].to_string(), key);
        assert_eq!(key.len(), 34);
    }
    let again = fixture.sync_to_the_end(&engine).await;
    assert_eq!((again.counts.unchanged, again.counts.created), (3, 0));
    fixture.script(delete_1);
    let last = fixture.sync_to_the_end(&engine).await;
    assert_eq!((last.counts.deleted, fixture.records().await.len()), (1, 2), "a delete finds its record");
}

#[tokio::test]
async fn a_key_that_the_source_gives_is_hashed_whole() {
    let fixture = masked(&[], &["value"]).await;
    fixture.script(|request, out| list(request, out, 0..3, true));
    let engine = fixture.engine().await;
    fixture.sync_to_the_end(&engine).await;
    assert!(fixture.records().await.keys().all(|key| key.len() == 34));
    let again = fixture.sync_to_the_end(&engine).await;
    assert_eq!((again.counts.unchanged, again.counts.created), (3, 0));
}

#[tokio::test]
async fn a_person_and_not_the_source_is_asked_about_keys_that_it_does_not_know() {
    let fixture = masked(&["id"], &["id"]).await;
    fixture.script(|request, out| list(request, out, 0..5, true));
    let engine = fixture.engine().await;
    fixture.sync_to_the_end(&engine).await;
    fixture.answer(|_| panic!("it would say that it has none of them"));
    fixture.script(|request, out| list(request, out, 0..3, false));
    let id = fixture.trigger(&engine, SyncMode::Incremental).await;
    let sync =
        fixture.wait(id, |sync| sync.status.is_final() || sync.status == SyncStatus::NeedsApproval).await;
    assert_eq!((sync.status, fixture.records().await.len()), (SyncStatus::NeedsApproval, 5));
}

#[tokio::test]
async fn other_masking_lists_the_stream_anew() {
    let fixture = Fixture::new(&["s"]).await;
    fixture.script(|request, out| list(request, out, 0..3, true));
    let engine = fixture.engine().await;
    fixture.sync_to_the_end(&engine).await;
    fixture.change(|stream| stream.masking = masking(&[("value", MaskMethod::Drop)])).await;
    fixture.script(|request, out| async move {
        let whole = &request.streams[0].scopes[&Scope::whole()];
        assert_eq!((&whole.listing, &whole.cursor), (&None, &None));
        list(request, out, 0..3, true).await
    });
    let sync = fixture.sync_to_the_end(&engine).await;
    assert_eq!((sync.status, sync.counts.updated), (SyncStatus::Succeeded, 3), "{:?}", sync.failure);
    assert_eq!(fixture.records().await["1"], r#"{"id":1}"#);
}

#[tokio::test]
async fn without_the_masking_key_nothing_is_read() {
    let fixture = masked(&["id"], &["value"]).await;
    let foreign = format!("x1.0a0b0c0d.{}", "00".repeat(60)).parse().unwrap();
    fixture.catalog.masking_key_keep(foreign).await.unwrap();
    fixture.script(|_, _| async { panic!("nothing may be read that cannot be masked") });
    let engine = fixture.engine().await;
    let sync = fixture.sync_to_the_end(&engine).await;
    let failure = sync.failure.unwrap();
    assert_eq!((sync.status, failure.code.as_str()), (SyncStatus::Failed, "masking.key_unreadable"));
    assert!(failure.hint.unwrap().contains("0a0b0c0d"), "it says which key is missing");
}

#[tokio::test]
async fn hashes_stay_when_the_encryption_key_is_changed() {
    let fixture = Fixture::new(&["s"]).await;
    let catalog = &*fixture.catalog;
    let key = |seed| VaultKey::generate(&SeededEntropy::new(seed));
    let of = async |vault: Vault| masking_key(catalog, &vault, &SystemEntropy).await.unwrap();
    let before = of(Vault::new(key(1), [])).await.unwrap();
    let renewal = renew_secrets(catalog, &Vault::new(key(2), [key(1)]), &SystemEntropy).await.unwrap();
    assert_eq!(renewal.renewed, 1);
    assert_eq!(of(Vault::new(key(2), [])).await.unwrap(), before);
    assert!(of(Vault::new(key(1), [])).await.is_err(), "the old key opens it no more");
}
