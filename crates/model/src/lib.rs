//! What flows through Inlet: records, batches, keys, checkpoints, changes, syncs.
