//! Whatever a person may write into a setting comes back as it was written.

use std::sync::Arc;

use inlet_model::StreamName;
use inlet_model::mask::{MaskMethod, MaskPath, Masking};
use inlet_model::stream::{StreamSettings, WriteMode};
use inlet_model::sync::SyncMode;
use inlet_store::catalog::{Connector, ConnectorStatus, Effect, Space, Spaces};
use inlet_store::conformance::catalog::given::Given;
use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proptest::{option, proptest};
use serde_json::Value;

use super::open;

fn json() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".*".prop_map(Value::from),
    ];
    scalar.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(Value::from),
            vec((".*", inner), 0..6).prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

fn masking() -> impl Strategy<Value = Masking> {
    let methods = prop_oneof![Just(MaskMethod::Hash), Just(MaskMethod::Redact), Just(MaskMethod::Drop)];
    let paths = vec(("[a-z/ü\"]{1,9}", methods), 0..3);
    paths.prop_map(|paths| {
        paths.iter().map(|(path, method)| (MaskPath::parse(path).unwrap(), *method)).collect()
    })
}

fn stream() -> impl Strategy<Value = StreamSettings> {
    let names = || vec(".{0,20}", 0..3);
    let modes = prop_oneof![Just(WriteMode::Upsert), Just(WriteMode::Append), Just(WriteMode::Replace)];
    let settings =
        (r"[^\pC]{1,60}", any::<bool>(), modes, names(), option::of(".*"), option::of(names()), masking());
    settings.prop_map(|(name, full, write_mode, primary_key, cursor_field, fields, masking)| StreamSettings {
        name: StreamName::new(&name).unwrap(),
        mode: if full { SyncMode::FullRefresh } else { SyncMode::Incremental },
        write_mode,
        primary_key,
        cursor_field,
        fields,
        masking,
    })
}

#[test]
fn a_connector_comes_back_as_it_was_given() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let directory = tempfile::tempdir().unwrap();
    let given = Given::new(Arc::new(open(&directory.path().join("catalog.db"))));
    let collection = runtime.block_on(given.stored_collection());
    let settings = (".*", ".*", json(), option::of(vec(stream(), 0..4)), any::<bool>());
    proptest!(|((name, kind, config, streams, paused) in settings)| {
        let status = if paused { ConnectorStatus::Paused } else { ConnectorStatus::Active };
        let connector = Connector { name, kind, config: config.into(), streams, status, ..given.a_connector(&collection) };
        runtime.block_on(async {
            let effect = given.catalog.connector_create(connector.clone(), None).await.unwrap();
            assert_eq!(effect, Effect::Done);
            let found = given.catalog.connector_get(&collection.space_id, &collection.id, connector.id).await;
            assert_eq!(found.unwrap(), Some(connector));
        });
    });
}

#[tokio::test]
async fn a_name_may_hold_any_character() {
    let directory = tempfile::tempdir().unwrap();
    let catalog = open(&directory.path().join("catalog.db"));
    let given = Given::new(Arc::new(open(&directory.path().join("other.db"))));
    for name in ["", "\0", "a\0b", "'; DROP TABLE spaces; --", "\u{feff}", "\u{10ffff}", "\r\n"] {
        let space = Space { name: name.to_owned(), ..given.a_space() };
        catalog.space_create(space.clone(), None).await.unwrap();
        assert_eq!(catalog.space_get(&space.id).await.unwrap(), Some(space));
    }
}
