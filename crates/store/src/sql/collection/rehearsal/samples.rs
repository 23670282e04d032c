//! Some of the records that a rehearsed run would change or refuse, within bounds.

use inlet_model::{Rejection, Scope, StreamName};

use crate::collection::{RejectedRecord, Sample, SampleLimits};

/// The room for the samples of all streams.
#[derive(Debug)]
pub(super) struct SampleRoom {
    pub(super) limits: SampleLimits,
    used: usize,
}

/// The samples of one stream.
#[derive(Debug, Default)]
pub(super) struct Samples {
    pub(super) taken: Vec<Sample>,
    pub(super) rejected: Vec<RejectedRecord>,
    created: usize,
    updated: usize,
    deleted: usize,
}

impl SampleRoom {
    pub(super) fn new(limits: SampleLimits) -> Self {
        Self { limits, used: 0 }
    }

    fn take(&mut self, bytes: usize) -> bool {
        let fits = self.used + bytes <= self.limits.bytes;
        if fits {
            self.used += bytes;
        }
        fits
    }
}

impl Samples {
    /// Whether another record that would be updated is of use.
    pub(super) fn want_updated(&self, room: &SampleRoom) -> bool {
        self.updated < room.limits.each
    }

    /// Whether other records that would be deleted are of use.
    pub(super) fn want_deleted(&self, room: &SampleRoom) -> bool {
        self.deleted < room.limits.each
    }

    /// Takes a record that would be created.
    pub(super) fn created(&mut self, room: &mut SampleRoom, key: &[u8], after: &[u8]) {
        if self.created < room.limits.each && room.take(key.len() + after.len()) {
            self.created += 1;
            self.taken.push(Sample { key: key.to_vec(), before: None, after: Some(after.to_vec()) });
        }
    }

    /// Takes a record that would be updated.
    pub(super) fn updated(&mut self, room: &mut SampleRoom, key: &[u8], before: Vec<u8>, after: &[u8]) {
        if self.want_updated(room) && room.take(key.len() + before.len() + after.len()) {
            self.updated += 1;
            self.taken.push(Sample { key: key.to_vec(), before: Some(before), after: Some(after.to_vec()) });
        }
    }

    /// Takes a record that would be deleted.
    pub(super) fn deleted(&mut self, room: &mut SampleRoom, key: Vec<u8>, before: Vec<u8>) {
        if self.want_deleted(room) && room.take(key.len() + before.len()) {
            self.deleted += 1;
            self.taken.push(Sample { key, before: Some(before), after: None });
        }
    }

    /// Takes a record that would be refused.
    pub(super) fn rejected(
        &mut self,
        room: &mut SampleRoom,
        stream: &StreamName,
        scope: &Scope,
        rejection: &Rejection,
    ) {
        if self.rejected.len() < room.limits.each
            && room.take(rejection.reason.len() + rejection.sample.len())
        {
            self.rejected.push(RejectedRecord {
                seq: self.rejected.len() as u64 + 1,
                stream: stream.clone(),
                scope: scope.clone(),
                position: rejection.position,
                code: rejection.code.to_owned(),
                reason: rejection.reason.clone(),
                sample: rejection.sample.clone(),
            });
        }
    }
}
