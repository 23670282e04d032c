//! Space kept back on the device, so that the end of a sync can still be written down when the device runs full.

use std::fs;
use std::path::{Path, PathBuf};

use crate::sqlite::connection;

/// Enough for the last pages of a run and of the catalog's copy of it.
const BYTES: usize = 512 << 10;

/// A file that is only there to be removed.
pub(super) struct Reserve(PathBuf);

impl Reserve {
    /// Makes the file beside the catalog unless it is there. A device that is full already has nothing to keep back.
    pub(super) fn keep(catalog: &Path) -> Self {
        let path = catalog.with_extension("reserve");
        let there = fs::metadata(&path).is_ok_and(|file| file.len() >= BYTES as u64);
        let fill = || connection::create_private(&path).and_then(|()| fs::write(&path, vec![0xff; BYTES]));
        if !there && let Err(error) = fill() {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "no space can be kept back for a full device"
            );
            let _gone = fs::remove_file(&path);
        }
        Self(path)
    }

    /// Gives the space up, until the next start.
    pub(super) fn release(&self) {
        if fs::remove_file(&self.0).is_ok() {
            tracing::warn!(
                "the device is full; the space kept back for ending syncs is given up until the next start"
            );
        }
    }
}
