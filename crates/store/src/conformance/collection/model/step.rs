//! The steps of a history. Each is made of a few bytes, so that anything that makes bytes makes histories.

/// The bytes that a step is made of.
pub const STEP_LEN: usize = 24;

/// How many connectors a history has.
pub(super) const CONNECTORS: u8 = 2;

/// The scopes of a history, each with its stream. Into the last one records come that are restored though their scope is gone.
pub(super) const PLACES: [(&str, &str); 5] = [("a", "x"), ("a", "y"), ("a", "z"), ("b", ""), ("a", "")];

/// So many of them are read.
const READ: u8 = 4;

/// The streams of a history.
pub(super) const STREAMS: [&str; 2] = ["a", "b"];

const KEYS: u8 = 9;
const VALUES: u8 = 3;

/// One step of a history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// A new sync begins, or the one that runs is taken over.
    Begin {
        /// Which connector's.
        connector: u8,
        /// Whether the one that runs ends instead.
        anew: bool,
        /// Whether everything is to be listed again.
        full_refresh: bool,
        /// Whether the first stream has another shape from now on.
        other_shape: bool,
    },
    /// A commit.
    Commit {
        /// Which connector's.
        connector: u8,
        /// What happens to it.
        fate: Fate,
        /// What is in it.
        acts: Vec<Act>,
    },
    /// One step of a sweep.
    Sweep {
        /// Which connector's.
        connector: u8,
        /// Which stream's.
        stream: u8,
        /// How many keys it may look at.
        max_keys: u8,
        /// Whether its flag is up.
        cancelled: bool,
    },
    /// The sync that runs ends.
    Finish {
        /// Which connector's.
        connector: u8,
    },
    /// The records of a connector are removed, or those of one of its streams.
    Purge {
        /// Which connector's.
        connector: u8,
        /// Which stream's; `None`: those of all.
        stream: Option<u8>,
        /// How much one step may do.
        max_keys: u8,
    },
    /// Upkeep.
    Upkeep {
        /// For how many milliseconds history is kept.
        history: u8,
        /// How much one step may do.
        max_entries: u8,
        /// How many steps; 0: until nothing is due.
        steps: u8,
    },
    /// A new sync takes back what an earlier one did.
    Undo {
        /// Which connector's.
        connector: u8,
        /// Which of those that have ended, counted from the last.
        back: u8,
        /// How much one step may do.
        max_changes: u8,
        /// What happens between two steps.
        between: Between,
    },
    /// Everything is closed and opened again.
    Reopen,
}

/// What happens between two steps of an undo.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Between {
    /// Nothing.
    Nothing,
    /// The sync is cancelled for a moment.
    Cancelled,
    /// A step of upkeep that keeps no history.
    Upkeep,
    /// Everything is closed, opened again, and the sync taken over.
    Restart,
}

/// What happens to a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It is written.
    Written,
    /// Its flag is up.
    Cancelled,
    /// Its fence is an old one.
    Fenced,
}

/// An item of a commit. A `place` is a scope of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// A listing begins.
    Listing {
        /// Where.
        place: u8,
    },
    /// Records.
    Records {
        /// Where.
        place: u8,
        /// What they are.
        lines: Vec<Written>,
        /// Whether there is a position behind them.
        checkpoint: bool,
    },
    /// A listing is complete.
    Complete {
        /// Where.
        place: u8,
        /// Whether it is certified.
        certified: bool,
    },
    /// A scope is as it was.
    Unchanged {
        /// Where.
        place: u8,
    },
    /// The scopes of the first stream are named.
    Scopes {
        /// A bit for each that is named.
        named: u8,
    },
}

/// A line of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// The record is there.
    Put {
        /// Which.
        key: u8,
        /// With what content.
        value: u8,
    },
    /// It is gone.
    Gone {
        /// Which.
        key: u8,
    },
    /// It is there, and was refused as it is.
    Kept {
        /// Which.
        key: u8,
    },
    /// The source refused it.
    Refused,
}

impl Step {
    /// The step that these bytes make; more of them than there are count as zero.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Self {
        let mut dice = Dice(bytes);
        let connector = dice.below(CONNECTORS);
        match dice.below(20) {
            0..10 => Self::Commit { connector, fate: fate(&mut dice), acts: acts(&mut dice) },
            10..12 => Self::Begin {
                connector,
                anew: dice.below(2) == 1,
                full_refresh: dice.below(4) == 1,
                other_shape: dice.below(4) == 1,
            },
            12 => {
                Self::Purge { connector, stream: dice.below(3).checked_sub(1), max_keys: 1 + dice.below(6) }
            }
            13 => Self::Sweep {
                connector,
                stream: dice.below(2),
                max_keys: 1 + dice.below(4),
                cancelled: dice.below(6) == 1,
            },
            14 => Self::Finish { connector },
            15..17 => Self::Upkeep {
                history: [0, 8, 40][usize::from(dice.below(3))],
                max_entries: 1 + dice.below(60),
                steps: dice.below(4),
            },
            17..19 => Self::Undo {
                connector,
                back: dice.below(3),
                max_changes: 1 + dice.below(12),
                between: between(&mut dice),
            },
            _ => Self::Reopen,
        }
    }
}

fn between(dice: &mut Dice<'_>) -> Between {
    match dice.below(4) {
        0 => Between::Nothing,
        1 => Between::Cancelled,
        2 => Between::Upkeep,
        _ => Between::Restart,
    }
}

fn fate(dice: &mut Dice<'_>) -> Fate {
    match dice.below(8) {
        6 => Fate::Cancelled,
        7 => Fate::Fenced,
        _ => Fate::Written,
    }
}

fn acts(dice: &mut Dice<'_>) -> Vec<Act> {
    (0..=dice.below(3)).map(|_| act(dice)).collect()
}

fn act(dice: &mut Dice<'_>) -> Act {
    let place = dice.below(READ);
    match dice.below(16) {
        0..7 => {
            let checkpoint = dice.below(4) != 0;
            let lines = (0..dice.below(5)).map(|_| written(dice)).collect();
            Act::Records { place, lines, checkpoint }
        }
        7..10 => Act::Listing { place },
        10..14 => Act::Complete { place, certified: dice.below(4) != 0 },
        14 => Act::Unchanged { place },
        _ if dice.below(3) == 0 => Act::Scopes { named: dice.below(8) },
        _ => Act::Complete { place, certified: true },
    }
}

fn written(dice: &mut Dice<'_>) -> Written {
    let number = dice.below(KEYS * 7);
    let key = number / 7;
    match number % 7 {
        5 => Written::Gone { key },
        6 if key == 0 => Written::Refused,
        6 if key % 2 == 1 => Written::Kept { key },
        value => Written::Put { key, value: value % VALUES },
    }
}

/// Small numbers from bytes, and zeros when they are used up.
struct Dice<'a>(&'a [u8]);

impl Dice<'_> {
    fn below(&mut self, bound: u8) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        first % bound
    }
}
