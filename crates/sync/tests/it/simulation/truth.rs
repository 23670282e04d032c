//! What the simulated sources hold: it changes as time goes by, and is what collections must come to equal.

use std::collections::BTreeMap;

use inlet_model::{Scope, StreamName, Timestamp, key};

use super::dice::Dice;

/// A row may become visible so many ticks after the time that it bears.
pub(crate) const LATENESS: u64 = 2;

/// Keys of a scope: those of scope `n` begin at `n` times this.
const KEYS: i64 = 24;
/// Scopes that a stream with several of them may have.
const SCOPES: i64 = 3;

/// How a source reads, and what it promises.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Character {
    /// Lists by key, goes on after a restart, and misses nothing.
    Certified,
    /// Lists a snapshot, from its beginning after a restart.
    Unresumable,
    /// Lists once, then reads what has a newer or equal time.
    Cursor,
    /// Several scopes, each listed when it has changed.
    Scoped,
    /// Lists by offset: what goes meanwhile makes it miss a row. Nothing is certified.
    Drifting,
    /// As `Drifting`, but it can be asked by key what is still there.
    Asking,
}

impl Character {
    pub(crate) const ALL: [Self; 6] =
        [Self::Certified, Self::Unresumable, Self::Cursor, Self::Scoped, Self::Drifting, Self::Asking];
}

/// A row of the truth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) value: u64,
    /// The time of its last update as the source tells it, in ticks: up to [`LATENESS`] before it can be seen.
    pub(crate) updated: u64,
    /// Since when it has been there.
    pub(crate) inserted_at: Timestamp,
}

impl Row {
    /// The record that is made of it.
    pub(crate) fn data(&self, id: i64) -> Vec<u8> {
        format!(r#"{{"id":{id},"updated":{},"value":{}}}"#, self.updated, self.value).into_bytes()
    }
}

/// One source: its character, and the rows of each of its streams.
#[derive(Debug, Clone)]
pub(crate) struct Truth {
    pub(crate) character: Character,
    pub(crate) streams: Vec<Stream>,
}

/// One stream of a source.
#[derive(Debug, Clone, Default)]
pub(crate) struct Stream {
    pub(crate) rows: BTreeMap<i64, Row>,
    /// The scopes there are, with a number that grows with each change of one.
    pub(crate) scopes: BTreeMap<i64, u64>,
    values: u64,
}

impl Truth {
    pub(crate) fn new(character: Character, dice: &Dice, now: Timestamp, tick: u64) -> Self {
        let streams = vec![Stream::default(); 1 + dice.index(2)];
        let mut truth = Self { character, streams };
        for _ in 0..dice.below(24) {
            truth.insert(dice, now, tick);
        }
        truth
    }

    pub(crate) fn stream(&self, name: &StreamName) -> &Stream {
        &self.streams[index_of(name)]
    }

    /// Changes one row, or a scope.
    pub(crate) fn change(&mut self, dice: &Dice, now: Timestamp, tick: u64) {
        match dice.below(10) {
            0..4 => self.insert(dice, now, tick),
            4..7 => self.update(dice, tick),
            7..9 => self.delete(dice),
            _ if self.character == Character::Scoped => self.drop_scope(dice),
            _ => self.insert(dice, now, tick),
        }
    }

    pub(super) fn insert(&mut self, dice: &Dice, now: Timestamp, tick: u64) {
        let scopes = if self.character == Character::Scoped { SCOPES } else { 1 };
        let scope = i64::try_from(dice.below(scopes.unsigned_abs())).unwrap();
        let id = scope * KEYS + i64::try_from(dice.below(KEYS.unsigned_abs())).unwrap();
        let stream = dice.index(self.streams.len());
        let stream = &mut self.streams[stream];
        let updated = late(dice, tick);
        let value = stream.next_value();
        stream.touch(scope);
        let row = stream.rows.entry(id).or_insert(Row { value, updated, inserted_at: now });
        (row.value, row.updated) = (value, updated);
    }

    fn update(&mut self, dice: &Dice, tick: u64) {
        let stream = dice.index(self.streams.len());
        let stream = &mut self.streams[stream];
        let Some(id) = stream.any(dice) else { return };
        let (value, updated) = (stream.next_value(), late(dice, tick));
        stream.touch(id / KEYS);
        let row = stream.rows.get_mut(&id).unwrap();
        (row.value, row.updated) = (value, updated);
    }

    fn delete(&mut self, dice: &Dice) {
        let stream = dice.index(self.streams.len());
        let stream = &mut self.streams[stream];
        let Some(id) = stream.any(dice) else { return };
        stream.touch(id / KEYS);
        stream.rows.remove(&id);
    }

    fn drop_scope(&mut self, dice: &Dice) {
        let stream = dice.index(self.streams.len());
        let stream = &mut self.streams[stream];
        let scope = i64::try_from(dice.below(SCOPES.unsigned_abs())).unwrap();
        if stream.scopes.remove(&scope).is_some() {
            stream.rows.retain(|id, _| id / KEYS != scope);
        }
    }
}

impl Stream {
    fn any(&self, dice: &Dice) -> Option<i64> {
        if self.rows.is_empty() {
            return None;
        }
        self.rows.keys().nth(dice.index(self.rows.len())).copied()
    }

    fn next_value(&mut self) -> u64 {
        self.values += 1;
        self.values
    }

    fn touch(&mut self, scope: i64) {
        // One that went and comes again is another one.
        let version = self.values + 1;
        self.values = version;
        self.scopes.insert(scope, version);
    }

    /// Whether a row was not there at some time since then.
    pub(crate) fn lacked_since(&self, id: i64, since: Timestamp) -> bool {
        self.rows.get(&id).is_none_or(|row| row.inserted_at >= since)
    }
}

/// The time that an update bears: now, or a little before.
fn late(dice: &Dice, tick: u64) -> u64 {
    tick.saturating_sub(dice.pick(&[0, 0, 1, LATENESS, LATENESS]))
}

/// The scope that a row belongs to.
pub(crate) fn scope_of(character: Character, id: i64) -> Scope {
    if character == Character::Scoped { scope_named(id / KEYS) } else { Scope::whole() }
}

pub(crate) fn scope_named(number: i64) -> Scope {
    Scope::new(&format!("part-{number}"))
}

/// Every scope that a stream of several may have.
pub(crate) fn all_scopes() -> impl Iterator<Item = Scope> {
    (0..SCOPES).map(scope_named)
}

/// Whether a row belongs to the scope of that number.
pub(crate) fn is_in(id: i64, scope: i64) -> bool {
    id / KEYS == scope
}

pub(crate) fn stream_named(index: usize) -> StreamName {
    StreamName::new(&format!("s{index}")).unwrap()
}

fn index_of(name: &StreamName) -> usize {
    name.as_str()[1..].parse().unwrap()
}

/// A row's key, as the source encodes it.
pub(crate) fn encoded(id: i64) -> Vec<u8> {
    let mut encoded = Vec::new();
    key::encode_json_scalar(id.to_string().as_bytes(), &mut encoded).unwrap();
    encoded
}

pub(crate) fn decoded(encoded: &[u8]) -> i64 {
    let mut json = Vec::new();
    key::to_json(encoded, &mut json).unwrap();
    String::from_utf8(json).unwrap().parse().unwrap()
}
