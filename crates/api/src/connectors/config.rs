//! The config of a connector, as a caller writes it: with its secrets, or with masks for those that stay.

use inlet_model::fields::{FieldError, FieldErrors};
use inlet_model::secret::{MASK, PlainConfig, UnreadableSecret};
use inlet_source::ConnectorType;
use inlet_source::config_marks::{secret_destinations, secrets};
use inlet_store::catalog::Connector;
use inlet_sync::BuiltSource;
use serde_json::Value;

use crate::app::Api;

/// A field whose secret has to be sent, and was not.
const SECRET_REQUIRED: &str = "config.secret_required";

/// A config that is good, and the source it makes.
#[derive(Debug)]
pub(crate) struct Wanted {
    plain: PlainConfig,
    source: BuiltSource,
}

impl Wanted {
    /// The config, with its secrets.
    pub(crate) fn plain(&self) -> &PlainConfig {
        &self.plain
    }

    /// Its source.
    pub(crate) fn into_source(self) -> BuiltSource {
        self.source
    }
}

/// The config that `written` means for a connector that is there, or for a new one. Names every bad field of it.
///
/// A masked secret stands for the stored one. That is only sent to where it was meant for: if a destination is another one
/// now, every secret has to be sent again.
pub(crate) fn wanted(
    api: &Api,
    kind: &dyn ConnectorType,
    written: Value,
    stored: Option<&Connector>,
) -> Result<Wanted, FieldErrors> {
    let (plain, mut errors) = unmask(api, kind, written, stored);
    match BuiltSource::new(kind, &api.environment, plain.clone()) {
        Ok(source) if errors.is_empty() => return Ok(Wanted { plain, source }),
        Ok(_) => {}
        Err(FieldErrors(others)) => {
            // What a mask is no good for is told already.
            let told: Vec<String> = errors.iter().map(|error| error.pointer.clone()).collect();
            errors.extend(others.into_iter().filter(|other| !told.contains(&other.pointer)));
        }
    }
    Err(FieldErrors(errors))
}

/// Puts the stored secrets into the places of their masks, and says which masks have none that may stand there.
fn unmask(
    api: &Api,
    kind: &dyn ConnectorType,
    mut written: Value,
    stored: Option<&Connector>,
) -> (PlainConfig, Vec<FieldError>) {
    let schema = kind.config_schema();
    let mut pointers = secrets(&schema, &written);
    // A field that was secret when it was stored stays so, whatever the schema says by now.
    let earlier = stored.iter().flat_map(|connector| connector.config.secrets().keys());
    let is_there = |pointer: &&String| written.pointer(pointer).is_some_and(|value| !value.is_null());
    pointers.extend(earlier.filter(is_there).cloned());
    pointers.sort();
    pointers.dedup();
    let masked: Vec<String> =
        pointers.iter().filter(|pointer| written.pointer(pointer) == Some(&MASK.into())).cloned().collect();
    let moved = stored.and_then(|connector| moved_destination(&schema, &written, &connector.config.masked()));
    let mut errors = Vec::new();
    for pointer in masked {
        match stored_secret(api, stored, &pointer, moved.as_deref()) {
            Ok(secret) => {
                if let Some(place) = written.pointer_mut(&pointer) {
                    *place = secret;
                }
            }
            Err(detail) => errors.push(FieldError { pointer, code: SECRET_REQUIRED, detail }),
        }
    }
    (PlainConfig::new(written, pointers), errors)
}

/// A field that says where secrets go, and says something else than it did.
fn moved_destination(schema: &Value, written: &Value, stored: &Value) -> Option<String> {
    let mut destinations = secret_destinations(schema, written);
    destinations.extend(secret_destinations(schema, stored));
    destinations.into_iter().find(|pointer| written.pointer(pointer) != stored.pointer(pointer))
}

/// The stored secret of a field, or why it has to be sent.
fn stored_secret(
    api: &Api,
    stored: Option<&Connector>,
    pointer: &str,
    moved: Option<&str>,
) -> Result<Value, String> {
    let found = stored.and_then(|connector| Some((connector.id, connector.config.secrets().get(pointer)?)));
    let Some((owner, sealed)) = found else {
        return Err(format!(
            "`{MASK}` stands for a secret that is stored, and none is: send the secret itself"
        ));
    };
    if let Some(moved) = moved {
        return Err(format!(
            "`{moved}` is another one now, and a stored secret is only sent to where it was meant for: send the secret \
             itself, too"
        ));
    }
    api.vault.open(owner, pointer, sealed).map_err(|reason| {
        let error = UnreadableSecret { pointer: pointer.to_owned(), reason };
        format!("{error}, as {reason}: send it anew")
    })
}
