//! Checkpoints that nobody can read but their source.

use std::sync::Arc;

use inlet_model::secret::{Sealed, Vault};
use inlet_model::{ConnectorId, Entropy};
use serde_json::{Value, json};

use crate::run::RunContext;

/// What a checkpoint is sealed as: no field of a config has this name.
const PLACE: &str = "checkpoint";

/// Seals checkpoints of one connector, and opens them.
#[derive(Debug, Clone)]
pub(super) struct Sealer {
    vault: Vault,
    entropy: Arc<dyn Entropy>,
    owner: ConnectorId,
}

impl Sealer {
    pub(super) fn new(context: &RunContext) -> Self {
        let parts = &context.shared.parts;
        Self {
            vault: parts.vault.clone(),
            entropy: Arc::clone(&parts.entropy),
            owner: context.claim.sync.connector_id,
        }
    }

    /// The form that is stored.
    pub(super) fn seal(&self, checkpoint: &Value) -> Value {
        let sealed = self.vault.seal(&*self.entropy, self.owner, PLACE, checkpoint);
        json!({ "sealed": sealed.to_string() })
    }

    /// The checkpoint of a stored form. One that a user has set is not sealed; one whose key is gone is none.
    pub(super) fn open(&self, stored: Value) -> Option<Value> {
        let Some(text) = stored.get("sealed").and_then(Value::as_str) else { return Some(stored) };
        let sealed: Sealed = text.parse().ok()?;
        match self.vault.open(self.owner, PLACE, &sealed) {
            Ok(checkpoint) => Some(checkpoint),
            Err(reason) => {
                tracing::warn!(%reason, "a checkpoint cannot be read: the stream is listed");
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use inlet_model::SeededEntropy;
    use inlet_model::secret::VaultKey;

    use super::*;

    fn sealer(owner: u128, keys: &[u64]) -> Sealer {
        let mut keys = keys.iter().map(|seed| VaultKey::generate(&SeededEntropy::new(*seed)));
        let vault = Vault::new(keys.next().unwrap(), keys);
        Sealer { vault, entropy: Arc::new(SeededEntropy::new(9)), owner: ConnectorId::from_u128(owner) }
    }

    #[test]
    fn a_checkpoint_is_opened_as_long_as_its_key_is_in_the_ring() {
        let checkpoint = json!({"after": ["ada@example.com"]});
        let sealed = sealer(1, &[1]).seal(&checkpoint);
        assert!(!sealed.to_string().contains("ada"));
        assert_eq!(sealer(1, &[2, 1]).open(sealed.clone()), Some(checkpoint.clone()));
        assert_eq!(sealer(1, &[2]).open(sealed.clone()), None);
        assert_eq!(sealer(2, &[1]).open(sealed), None, "it is another connector's");
        assert_eq!(sealer(1, &[1]).open(checkpoint.clone()), Some(checkpoint), "it was never sealed");
    }
}
