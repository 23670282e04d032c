//! How far a table has been read: what is stored between reads, and what follows from it. Pure.

use std::collections::BTreeSet;

use inlet_model::ScopeState;
use inlet_model::sync::SyncMode;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The transactions that were running at a moment, each by a name that no other has while it runs.
pub(super) type Running = BTreeSet<String>;

/// A scope's cursor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Cursor {
    /// What decides which records the table's rows give, as a digest.
    pub(super) table: String,
    /// A value of the cursor field below which no row can appear any more that was not read. None: nothing is known yet.
    pub(super) through: Option<String>,
    /// The next such value, once the transactions that may still write below it are gone.
    pub(super) pending: Option<Pending>,
}

/// A value that waits to become the lower bound.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Pending {
    pub(super) through: String,
    /// Those that ran when it was the greatest.
    pub(super) running: Running,
}

/// How the names of prepared transactions begin, where running ones are looked up.
const PREPARED: &str = "prepared/";

impl Pending {
    /// Those that may still write below it, of these that run now. One that is gone may have been prepared, and then it has another
    /// name: it may be each of the prepared ones.
    fn outlasted_by(&self, now: &Running) -> Running {
        let is_prepared = |name: &String| name.starts_with(PREPARED);
        let may_be_renamed = self.running.iter().any(|name| !is_prepared(name) && !now.contains(name));
        let still = |name: &&String| self.running.contains(*name) || (may_be_renamed && is_prepared(name));
        now.iter().filter(still).cloned().collect()
    }
}

/// What was found at the cursor field before reading.
#[derive(Debug, Clone, Default)]
pub(super) struct Bound {
    /// Its greatest value that a later one can be greater than.
    pub(super) greatest: Option<String>,
    /// The transactions that ran after that was looked up.
    pub(super) running: Running,
}

impl Cursor {
    /// A cursor that knows nothing of the rows.
    pub(super) fn new(table: String) -> Self {
        Self { table, through: None, pending: None }
    }

    /// Whether transactions that ran when the pending value was found still run now, so that it goes on waiting.
    pub(super) fn is_held_by(&self, bound: &Bound) -> bool {
        self.pending.as_ref().is_some_and(|pending| !pending.outlasted_by(&bound.running).is_empty())
    }

    /// The cursor when everything from `through` on was read, `bound` having been found before.
    pub(super) fn advanced(mut self, bound: Bound) -> Self {
        if let Some(pending) = self.pending.take() {
            let running = pending.outlasted_by(&bound.running);
            if !running.is_empty() {
                self.pending = Some(Pending { running, ..pending });
                return self;
            }
            // All who might have written below it are gone, and what they left was read just now.
            self.through = Some(pending.through);
        }
        match bound.greatest {
            Some(greatest) if bound.running.is_empty() => self.through = Some(greatest),
            Some(through) => self.pending = Some(Pending { through, running: bound.running }),
            None => {}
        }
        self
    }
}

/// A position within an open listing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Position {
    /// What the scope's cursor will be when the listing is complete; or, of one that only compares keys, what it was before.
    pub(super) cursor: Cursor,
    /// The place of the last row, by the columns of the table's order: every row before it has been sent. None: the listing
    /// compares keys, and sends only what has changed.
    pub(super) after: Option<Vec<String>>,
}

/// What to do with a table.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Plan {
    /// Begin a new listing.
    List,
    /// Go on with the open listing: the cursor for its end, and the place of the last row.
    Resume(Cursor, Vec<String>),
    /// Read what comes from the cursor on; if so, in a listing that compares keys.
    Advance(Cursor, bool),
}

/// What is asked of a stream.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wish<'a> {
    pub(super) mode: SyncMode,
    /// The number of listings that are begun now.
    pub(super) generation: u64,
    /// What decides now which records the table's rows give.
    pub(super) table: &'a str,
    pub(super) has_cursor_field: bool,
    /// Whether a listing must be of one moment, so that none is gone on with.
    pub(super) is_of_one_moment: bool,
    /// Whether rows that are gone are looked for when only new ones are read.
    pub(super) detects_deletes: bool,
}

/// What to do with a table that was read as far as `state` says.
pub(super) fn plan(state: Option<&ScopeState>, wish: Wish<'_>) -> Plan {
    let Some(state) = state else { return Plan::List };
    let is_alike = |cursor: &Cursor| cursor.table == wish.table;
    if let Some(listing) = &state.listing {
        return match read::<Position>(listing.position.as_ref()) {
            Some(Position { cursor, after: Some(after) }) if is_alike(&cursor) && !wish.is_of_one_moment => {
                Plan::Resume(cursor, after)
            }
            Some(Position { cursor, after: None }) if is_alike(&cursor) && wish.has_cursor_field => {
                Plan::Advance(cursor, true)
            }
            _ => Plan::List,
        };
    }
    let is_listed = wish.mode == SyncMode::Incremental || state.listed_by == Some(wish.generation);
    match read::<Cursor>(state.cursor.as_ref()) {
        Some(cursor) if is_listed && is_alike(&cursor) && wish.has_cursor_field => {
            Plan::Advance(cursor, wish.detects_deletes)
        }
        _ => Plan::List,
    }
}

fn read<T: DeserializeOwned>(value: Option<&Value>) -> Option<T> {
    value.cloned().and_then(|value| serde_json::from_value(value).ok())
}

/// A cursor or position as it is stored.
pub(super) fn to_value(state: &impl Serialize) -> Value {
    serde_json::to_value(state).expect("strings and numbers are JSON")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bound(greatest: &str, running: &[&str]) -> Bound {
        let running = running.iter().map(|name| (*name).to_owned()).collect();
        Bound { greatest: Some(greatest.to_owned()), running }
    }

    #[test]
    fn a_bound_counts_when_all_that_ran_are_gone_and_what_they_left_was_read() {
        let first = Cursor::new("t".into()).advanced(bound("10", &["3/1", "4/9"]));
        assert_eq!(first.through, None);
        assert!(first.is_held_by(&bound("20", &["4/9"])));
        let second = first.advanced(bound("20", &["4/9"]));
        assert_eq!(second.through, None, "one of them still runs");
        assert_eq!(second.pending.as_ref().map(|pending| pending.through.as_str()), Some("10"));
        let third = second.advanced(bound("30", &["7/7"]));
        assert_eq!(third.through.as_deref(), Some("10"), "not 20: that was seen while the old one ran");
        assert_eq!(third.pending.map(|pending| pending.through).as_deref(), Some("30"));
    }

    #[test]
    fn a_bound_waits_for_those_that_were_prepared_meanwhile() {
        let first = Cursor::new("t".into()).advanced(bound("10", &["3/1", "4/9"]));
        let second = first.advanced(bound("20", &["4/9", "prepared/7"]));
        assert_eq!(second.through, None, "`3/1` may be `prepared/7` now");
        let third = second.advanced(bound("30", &["prepared/7"]));
        let fourth = third.advanced(bound("40", &["prepared/7", "prepared/8", "5/1"]));
        assert_eq!(fourth.through, None, "it is still there");
        let fifth = fourth.advanced(bound("50", &["prepared/8", "prepared/9", "5/1"]));
        assert_eq!(fifth.through.as_deref(), Some("10"), "those that were prepared later are others");
    }

    #[test]
    fn a_bound_counts_at_once_when_nothing_ran() {
        let cursor = Cursor::new("t".into()).advanced(bound("10", &[]));
        assert_eq!((cursor.through.as_deref(), &cursor.pending), (Some("10"), &None));
        let later = cursor.advanced(Bound::default());
        assert_eq!(later.through.as_deref(), Some("10"), "an empty table takes nothing back");
    }

    #[test]
    fn an_open_listing_is_gone_on_with_unless_it_must_be_of_one_moment() {
        let cursor = Cursor::new("t".into());
        let position = to_value(&Position { cursor: cursor.clone(), after: Some(vec!["7".into()]) });
        let listing = inlet_model::OpenListing { generation: 1, position: Some(position) };
        let state = ScopeState { listing: Some(listing), cursor: None, listed_by: None };
        let wish = Wish {
            mode: SyncMode::Incremental,
            generation: 2,
            table: "t",
            has_cursor_field: true,
            is_of_one_moment: false,
            detects_deletes: false,
        };
        assert_eq!(plan(Some(&state), wish), Plan::Resume(cursor, vec!["7".into()]));
        assert_eq!(plan(Some(&state), Wish { is_of_one_moment: true, ..wish }), Plan::List);
        assert_eq!(plan(Some(&state), Wish { table: "other", ..wish }), Plan::List);
        assert_eq!(plan(None, wish), Plan::List);
    }

    #[test]
    fn only_an_incremental_read_with_a_cursor_field_goes_on_from_the_cursor() {
        let cursor = Cursor::new("t".into());
        let state = ScopeState { listing: None, cursor: Some(to_value(&cursor)), listed_by: Some(1) };
        let wish = Wish {
            mode: SyncMode::Incremental,
            generation: 2,
            table: "t",
            has_cursor_field: true,
            is_of_one_moment: false,
            detects_deletes: true,
        };
        assert_eq!(plan(Some(&state), wish), Plan::Advance(cursor, true));
        assert_eq!(plan(Some(&state), Wish { has_cursor_field: false, ..wish }), Plan::List);
        assert_eq!(plan(Some(&state), Wish { mode: SyncMode::FullRefresh, ..wish }), Plan::List);
    }
}
