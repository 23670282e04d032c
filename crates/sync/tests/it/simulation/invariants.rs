//! What must hold after every step. Each is checked where its facts are: the files `records`, `syncs` and `writes` say how.

use std::fmt;

/// A promise of the engine and the stores.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Invariant {
    /// A connector has at most one sync that is active, and one that is queued.
    OneSync,
    /// The moves of a sync follow the table, hang together, and lead to where it stands.
    LegalMoves,
    /// What has ended stays as it ended, and the catalog says what the store says.
    TrueOutcome,
    /// Counters add up, and are those of the records and changes there are.
    Counters,
    /// Change numbers increase; what was seen of the feed stays.
    Feed,
    /// The records are what the changes made.
    Replay,
    /// Each record that was sent is committed once.
    CommittedOnce,
    /// A checkpoint covers nothing that is not committed.
    CheckpointBehind,
    /// Only what the source lacked is deleted.
    JustDeletes,
    /// A sync takes all that a stream has only if a person approved it.
    Approval,
    /// Nothing is removed unless somebody asked for it.
    JustPurges,
    /// Who was fenced off, or has ended, writes nothing.
    Fence,
    /// After a cancel was acknowledged nothing is committed.
    Cancel,
    /// Whatever was begun comes to an end.
    NoneStuck,
    /// When all is calm, a sync succeeds, and the collection equals its source.
    EqualsTruth,
}

impl fmt::Display for Invariant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OneSync => "one active and one queued sync a connector",
            Self::LegalMoves => "legal moves, contiguous",
            Self::TrueOutcome => "the catalog says what the store says",
            Self::Counters => "counters add up",
            Self::Feed => "the feed only grows",
            Self::Replay => "records equal the replayed feed",
            Self::CommittedOnce => "what is sent is committed once",
            Self::CheckpointBehind => "no checkpoint ahead of the records",
            Self::JustDeletes => "only what the source lacked is deleted",
            Self::Approval => "no stream is emptied unasked",
            Self::JustPurges => "nothing is removed unasked",
            Self::Fence => "no write behind a fence",
            Self::Cancel => "no commit after a cancel",
            Self::NoneStuck => "everything comes to an end",
            Self::EqualsTruth => "in the end the collection equals its source",
        })
    }
}

/// A promise that was broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Broken {
    pub(crate) invariant: Invariant,
    pub(crate) detail: String,
}
