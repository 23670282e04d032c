//! Which streams a sync reads, and how. Pure.

use inlet_model::mask::{KeyMask, Masking};
use inlet_model::stream::{StreamSettings, WriteMode};
use inlet_model::sync::{Failure, SyncMode};
use inlet_model::{HashSeed, RecordHash, StreamName};
use inlet_source::{StreamRequest, StreamSpec};
use inlet_store::catalog::Connector;
use inlet_store::collection::{RunStart, RunStream};

use crate::failure;

/// One stream that a sync will read.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct StreamPlan {
    pub(crate) name: StreamName,
    pub(crate) mode: SyncMode,
    pub(crate) primary_key: Vec<String>,
    pub(crate) cursor_field: Option<String>,
    pub(crate) fields: Option<Vec<String>>,
    pub(crate) write_mode: WriteMode,
    pub(crate) masking: Masking,
}

impl StreamPlan {
    /// A stream as the user set it.
    pub(crate) fn from_settings(settings: &StreamSettings, mode: SyncMode) -> Self {
        let mode = match settings.write_mode {
            WriteMode::Upsert | WriteMode::Append => stronger(mode, settings.mode),
            // What a sync did not read itself cannot be all it leaves.
            WriteMode::Replace => SyncMode::FullRefresh,
        };
        Self {
            name: settings.name.clone(),
            mode,
            primary_key: settings.primary_key.clone(),
            cursor_field: settings.cursor_field.clone(),
            fields: settings.fields.clone(),
            write_mode: settings.write_mode,
            masking: settings.masking.clone(),
        }
    }

    /// A stream as discovery suggests it.
    pub(crate) fn from_spec(spec: StreamSpec, mode: SyncMode) -> Self {
        Self {
            primary_key: spec.primary_key,
            cursor_field: spec.cursor_field,
            ..Self::from_name(spec.name, mode)
        }
    }

    /// A stream of which only pushes are known.
    pub(crate) fn from_name(name: StreamName, mode: SyncMode) -> Self {
        Self {
            name,
            mode,
            primary_key: Vec::new(),
            cursor_field: None,
            fields: None,
            write_mode: WriteMode::default(),
            masking: Masking::default(),
        }
    }

    /// The stream as the store knows it: its shape is what decides which records there are and what their keys are.
    ///
    /// The config is part of it, as a hash, without its secrets: another password is no other source, and a hash of one could
    /// be guessed.
    pub(crate) fn run_stream(&self, connector: &Connector) -> RunStream {
        let settings = serde_json::json!([
            connector.config.open(),
            self.primary_key,
            self.cursor_field,
            self.fields,
            self.write_mode,
            self.masking
        ]);
        let hash = RecordHash::of(HashSeed(0), settings.to_string().as_bytes());
        let shape = hash.as_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        RunStream {
            name: self.name.clone(),
            shape,
            full_refresh: self.mode == SyncMode::FullRefresh,
            appends: self.write_mode == WriteMode::Append,
        }
    }

    /// What becomes of its keys.
    pub(crate) fn key_mask(&self) -> KeyMask {
        KeyMask::new(&self.masking, &self.primary_key)
    }

    /// Whether the source can be asked for records by the keys that are stored.
    pub(crate) fn is_askable(&self) -> bool {
        self.key_mask().keeps_keys() && self.write_mode != WriteMode::Append
    }

    /// The stream as the source is asked about its records, wherever reading stands.
    pub(crate) fn question(&self) -> StreamRequest {
        StreamRequest {
            name: self.name.clone(),
            mode: self.mode,
            primary_key: self.primary_key.clone(),
            cursor_field: self.cursor_field.clone(),
            fields: self.fields.clone(),
            appends: self.write_mode == WriteMode::Append,
            scopes: Default::default(),
        }
    }

    /// The stream as the source is asked for it, from where `start` left it.
    pub(crate) fn request(&self, start: &mut RunStart) -> StreamRequest {
        let scopes = start.scopes.remove(&self.name).unwrap_or_default();
        StreamRequest { scopes, ..self.question() }
    }
}

/// The plans of the streams that are named. All must be there.
pub(crate) fn only(plans: Vec<StreamPlan>, names: &[StreamName]) -> Result<Vec<StreamPlan>, Failure> {
    let unknown: Vec<&StreamName> =
        names.iter().filter(|name| plans.iter().all(|plan| plan.name != **name)).collect();
    if !unknown.is_empty() {
        return Err(failure::unknown_streams(&unknown));
    }
    Ok(plans.into_iter().filter(|plan| names.contains(&plan.name)).collect())
}

/// A full refresh asked for by the sync or by the stream is a full refresh.
fn stronger(sync: SyncMode, stream: SyncMode) -> SyncMode {
    if sync == SyncMode::FullRefresh || stream == SyncMode::FullRefresh {
        SyncMode::FullRefresh
    } else {
        SyncMode::Incremental
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_streams_that_are_there_can_be_chosen() {
        let name = |name: &str| StreamName::new(name).unwrap();
        let plans = ["a", "b", "c"].map(|one| StreamPlan::from_name(name(one), SyncMode::Incremental));
        let chosen = only(plans.to_vec(), &[name("c"), name("a")]).unwrap();
        assert_eq!(chosen, [plans[0].clone(), plans[2].clone()], "in the order of the connector");
        let refused = only(plans.to_vec(), &[name("x"), name("a"), name("y")]).unwrap_err();
        assert_eq!(refused.message, "the connector has no stream `x`, `y`");
    }

    #[test]
    fn a_full_refresh_wins_from_either_side() {
        use SyncMode::{FullRefresh, Incremental};
        assert_eq!(stronger(Incremental, Incremental), Incremental);
        assert_eq!(stronger(FullRefresh, Incremental), FullRefresh);
        assert_eq!(stronger(Incremental, FullRefresh), FullRefresh);
    }
}
