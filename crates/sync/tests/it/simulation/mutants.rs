//! Bugs that are planted, each in the wrappers around the stores or in the simulated sources, never in the product: a simulation
//! that cannot find them could not find their like.

/// A planted bug.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mutant {
    /// A checkpoint is committed before the records that it covers.
    CheckpointFirst,
    /// Every commit carries the present fence, whoever makes it.
    NoFence,
    /// A listing that was cut short is called complete.
    CutListingComplete,
    /// An incremental read asks for what is newer than the cursor, not for what is newer or equal.
    GreaterForGreaterOrEqual,
    /// A listing that may have missed something is taken for certified.
    UncertifiedCertified,
    /// A commit does not look at the cancel flag.
    CancelIgnored,
    /// A commit is acknowledged and not written.
    CommitLost,
    /// A commit that has succeeded is done once more.
    CommitRepeated,
    /// A sync is taken over under the fence that it had.
    SameFence,
    /// The catalog is told that a run succeeded which has failed.
    FalseSuccess,
    /// A waiting sync is put back into the queue, past the table of moves.
    IllegalMove,
    /// A sync that waits is never resumed.
    WaitForever,
    /// A lease never ends.
    LeaseForever,
    /// The cursor's bound is taken at the end of the first listing, not at its start.
    BoundAtEnd,
    /// A purge is called done before it has begun.
    PurgeForgotten,
    /// A cut listing of the scopes is taken for all of them.
    ScopesCut,
    /// A sync does not ask before it deletes all that a stream has.
    UnaskedDelete,
}

impl Mutant {
    pub(crate) const ALL: [Self; 17] = [
        Self::CheckpointFirst,
        Self::NoFence,
        Self::CutListingComplete,
        Self::GreaterForGreaterOrEqual,
        Self::UncertifiedCertified,
        Self::CancelIgnored,
        Self::CommitLost,
        Self::CommitRepeated,
        Self::SameFence,
        Self::FalseSuccess,
        Self::IllegalMove,
        Self::WaitForever,
        Self::LeaseForever,
        Self::BoundAtEnd,
        Self::PurgeForgotten,
        Self::ScopesCut,
        Self::UnaskedDelete,
    ];

    /// What the bug is, for the list of them.
    pub(crate) fn told(self) -> &'static str {
        match self {
            Self::CheckpointFirst => "a checkpoint is committed before its records",
            Self::NoFence => "no fence: every commit carries the present one",
            Self::CutListingComplete => "a listing that was cut short is called complete",
            Self::GreaterForGreaterOrEqual => "`>` for `>=` at the cursor",
            Self::UncertifiedCertified => "an uncertified listing is taken for certified",
            Self::CancelIgnored => "a commit ignores the cancel flag",
            Self::CommitLost => "a commit is acknowledged and not written",
            Self::CommitRepeated => "a commit is repeated after it has succeeded",
            Self::SameFence => "a sync is taken over without a greater fence",
            Self::FalseSuccess => "a failed run is recorded as succeeded",
            Self::IllegalMove => "a state is moved outside of the table",
            Self::WaitForever => "a wait is never resumed",
            Self::LeaseForever => "a lease never ends",
            Self::BoundAtEnd => "the cursor's bound is taken at the end of the listing",
            Self::PurgeForgotten => "a purge is called done before it has begun",
            Self::ScopesCut => "some scopes are taken for all of them",
            Self::UnaskedDelete => "a sync empties a stream and does not ask",
        }
    }
}
