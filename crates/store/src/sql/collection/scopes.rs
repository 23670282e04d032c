//! The scopes of a stream: how far each has been read, and the listing it may be in.

use inlet_model::Scope;
use serde_json::Value;

use super::block::{ScopeId, StreamId};
use super::error::{Outcome, Trouble};
use crate::sql::{Columns, Session, SqlError, SqlResult, params};

/// A position or cursor as it is stored: JSON.
pub(super) type Json = String;

/// A scope as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ScopeRow {
    pub(super) id: ScopeId,
    pub(super) name: Scope,
    /// Live records.
    pub(super) records: u64,
    /// How far incremental reading has come.
    pub(super) cursor: Option<Json>,
    /// The generation of the last complete listing; 0 for none.
    pub(super) listed_by: u64,
    /// The generation of the last run that listed it to the end or found it unchanged; 0 for none.
    pub(super) settled_by: u64,
    pub(super) listing: Listing,
}

/// The listing a scope is in. Commits open and complete it, the sweep ends it; all of it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Listing {
    /// In none.
    None,
    /// Begun and not complete.
    Open(OpenListing),
    /// Everything was seen; what was not waits for the sweep.
    Complete(CompleteListing),
    /// The scope is not there any more; all it holds waits for the sweep.
    Gone {
        /// Whether a person has approved that it goes.
        approved: bool,
    },
}

/// A listing under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct OpenListing {
    pub(super) generation: u64,
    /// Changes from this one on count as seen.
    pub(super) first_change: u64,
    /// How many records of the scope it has seen.
    pub(super) seen: u64,
    /// Where it can go on after a restart.
    pub(super) position: Option<Json>,
    /// Whether the scope is to be listed again next time, since another record of a key may be the better one.
    pub(super) duplicates: bool,
}

/// A listing that waits for the sweep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CompleteListing {
    /// Changes from this one on count as seen.
    pub(super) first_change: u64,
    /// What the sweep sets as the scope's cursor.
    pub(super) cursor: Option<Json>,
    /// How many records of the scope it did not see and that are still there.
    pub(super) unseen: u64,
    /// When they go.
    pub(super) fate: Fate,
    /// Whether a person has approved that they go.
    pub(super) approved: bool,
}

/// When that goes which a complete listing did not see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// With the sweep.
    Goes,
    /// If the source says that it does not have it.
    IfAbsent,
    /// If a person has approved it.
    IfApproved,
}

impl CompleteListing {
    /// Whether the sweep leaves what was not seen.
    pub(super) fn keeps_all(&self) -> bool {
        self.fate == Fate::IfApproved && !self.approved
    }
}

const COLUMNS: &str = "scope_id, name, records, cursor, listed_by, settled_by, state, generation, first_change, seen, position, duplicates,
                       approved";

const NONE: i64 = 0;
const OPEN: i64 = 1;
const COMPLETE: i64 = 2;
const GONE: i64 = 3;
/// Complete; what was not seen goes if it is absent.
const ASKABLE: i64 = 4;
/// Complete; what was not seen goes if that is approved.
const DOUBTED: i64 = 5;

impl ScopeRow {
    /// The listing, if it is under way.
    pub(super) fn open_listing(&self) -> Option<&OpenListing> {
        match &self.listing {
            Listing::Open(listing) => Some(listing),
            _ => None,
        }
    }

    /// Whether the sweep has to go through the scope.
    pub(super) fn is_unswept(&self) -> bool {
        matches!(self.listing, Listing::Complete(_) | Listing::Gone { .. })
    }

    /// Whether what was not seen in it goes only if the source does not have it.
    pub(super) fn is_askable(&self) -> bool {
        matches!(&self.listing, Listing::Complete(listing) if listing.fate == Fate::IfAbsent)
    }

    /// Sees to it that the scope is listed again next time.
    pub(super) fn forget_cursor(&mut self) {
        self.cursor = None;
        match &mut self.listing {
            Listing::Open(listing) => listing.duplicates = true,
            Listing::Complete(listing) => listing.cursor = None,
            Listing::None | Listing::Gone { .. } => {}
        }
    }

    fn read(columns: &mut Columns<'_>) -> SqlResult<Self> {
        let name: String = columns.at(1).plain()?;
        let position = columns.at(10).plain()?;
        let (first_change, approved) = (columns.at(8).unsigned()?, columns.at(12).plain()?);
        let listing = match columns.at(6).plain::<i64>()? {
            NONE => Listing::None,
            OPEN => Listing::Open(OpenListing {
                generation: columns.at(7).unsigned()?,
                first_change,
                seen: columns.at(9).unsigned()?,
                position,
                duplicates: columns.at(11).plain()?,
            }),
            state @ (COMPLETE | ASKABLE | DOUBTED) => Listing::Complete(CompleteListing {
                first_change,
                cursor: position,
                unseen: columns.at(9).unsigned()?,
                fate: match state {
                    COMPLETE => Fate::Goes,
                    ASKABLE => Fate::IfAbsent,
                    _ => Fate::IfApproved,
                },
                approved,
            }),
            GONE => Listing::Gone { approved },
            unknown => return Err(SqlError::row(format!("a scope cannot be in the state {unknown}"))),
        };
        Ok(Self {
            id: ScopeId(columns.at(0).plain()?),
            name: Scope::new(&name),
            records: columns.at(2).unsigned()?,
            cursor: columns.at(3).plain()?,
            listed_by: columns.at(4).unsigned()?,
            settled_by: columns.at(5).unsigned()?,
            listing,
        })
    }
}

/// A position or cursor as it is stored.
pub(super) fn to_json(value: Option<&Value>) -> Option<Json> {
    value.map(Value::to_string)
}

/// A stored position or cursor.
pub(super) fn from_json(json: Option<&str>) -> Outcome<Option<Value>> {
    json.map(serde_json::from_str).transpose().map_err(|_| Trouble::Damaged("a checkpoint is no JSON"))
}

/// The scope of that name.
pub(super) fn find(connection: &dyn Session, stream: StreamId, name: &Scope) -> Outcome<Option<ScopeRow>> {
    let sql = format!("SELECT {COLUMNS} FROM store_scopes WHERE store = ?0 AND stream_id = ?1 AND name = ?2");
    Ok(connection.row_if_any(&sql, params![stream.0, name.as_str()], ScopeRow::read)?)
}

/// The scope with that number.
pub(super) fn get(connection: &dyn Session, stream: StreamId, id: ScopeId) -> Outcome<Option<ScopeRow>> {
    let sql =
        format!("SELECT {COLUMNS} FROM store_scopes WHERE store = ?0 AND stream_id = ?1 AND scope_id = ?2");
    Ok(connection.row_if_any(&sql, params![stream.0, id.0], ScopeRow::read)?)
}

/// All scopes of a stream, by number.
pub(super) fn all(connection: &dyn Session, stream: StreamId) -> Outcome<Vec<ScopeRow>> {
    let sql =
        format!("SELECT {COLUMNS} FROM store_scopes WHERE store = ?0 AND stream_id = ?1 ORDER BY scope_id");
    Ok(connection.rows(&sql, params![stream.0], ScopeRow::read)?)
}

/// The scopes of a stream through which the sweep has to go.
pub(super) fn unswept(connection: &dyn Session, stream: StreamId) -> Outcome<Vec<ScopeRow>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM store_scopes WHERE store = ?0 AND stream_id = ?1 AND state IN ({COMPLETE}, {GONE}, {ASKABLE}, {DOUBTED})"
    );
    Ok(connection.rows(&sql, params![stream.0], ScopeRow::read)?)
}

/// Writes a scope, new or not.
pub(super) fn save(connection: &dyn Session, stream: StreamId, row: &ScopeRow) -> Outcome<()> {
    let stored = StoredListing::of(&row.listing);
    let sql = format!(
        "INSERT INTO store_scopes (store, stream_id, {COLUMNS})
         VALUES (?0, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)
         ON CONFLICT (store, stream_id, scope_id) DO UPDATE SET records = excluded.records,
             cursor = excluded.cursor, listed_by = excluded.listed_by, settled_by = excluded.settled_by,
             state = excluded.state, generation = excluded.generation,
             first_change = excluded.first_change, seen = excluded.seen, position = excluded.position,
             duplicates = excluded.duplicates, approved = excluded.approved"
    );
    connection.execute(
        &sql,
        params![
            stream.0,
            row.id.0,
            row.name.as_str(),
            row.records as i64,
            row.cursor,
            row.listed_by as i64,
            row.settled_by as i64,
            stored.state,
            stored.generation as i64,
            stored.first_change as i64,
            stored.seen as i64,
            stored.position,
            stored.duplicates,
            stored.approved
        ],
    )?;
    Ok(())
}

/// A listing in its columns; those that it does not use are zero.
#[derive(Default)]
struct StoredListing<'l> {
    state: i64,
    generation: u64,
    first_change: u64,
    /// Of an open listing what it has seen, of a complete one what it has not.
    seen: u64,
    position: Option<&'l str>,
    duplicates: bool,
    approved: bool,
}

impl<'l> StoredListing<'l> {
    fn of(listing: &'l Listing) -> Self {
        match listing {
            Listing::None => Self { state: NONE, ..Self::default() },
            Listing::Open(open) => Self {
                state: OPEN,
                generation: open.generation,
                first_change: open.first_change,
                seen: open.seen,
                position: open.position.as_deref(),
                duplicates: open.duplicates,
                approved: false,
            },
            Listing::Complete(complete) => Self {
                state: match complete.fate {
                    Fate::Goes => COMPLETE,
                    Fate::IfAbsent => ASKABLE,
                    Fate::IfApproved => DOUBTED,
                },
                first_change: complete.first_change,
                seen: complete.unseen,
                position: complete.cursor.as_deref(),
                approved: complete.approved,
                ..Self::default()
            },
            Listing::Gone { approved } => Self { state: GONE, approved: *approved, ..Self::default() },
        }
    }
}

/// Forgets of the stream's scopes, at most `limit` of them, all but the records they hold; of how many.
pub(super) fn forget_reading(connection: &dyn Session, stream: StreamId, limit: usize) -> Outcome<usize> {
    let sql = format!(
        "UPDATE store_scopes SET cursor = NULL, listed_by = 0, settled_by = 0, state = {NONE}, generation = 0,
                           first_change = 0, seen = 0, position = NULL, duplicates = 0, approved = 0
         WHERE store = ?0 AND stream_id = ?1 AND scope_id IN (
             SELECT scope_id FROM store_scopes WHERE store = ?0 AND stream_id = ?1 AND (cursor IS NOT NULL OR listed_by <> 0
                 OR settled_by <> 0 OR state <> {NONE}) LIMIT ?2)"
    );
    Ok(connection.execute(&sql, params![stream.0, limit as i64])?)
}

/// Forgets what the stream's listings have seen, at most `limit` parts of it; how many.
pub(super) fn forget_seen(connection: &dyn Session, stream: StreamId, limit: usize) -> Outcome<usize> {
    Ok(connection.execute(
        "DELETE FROM store_seen WHERE store = ?0 AND stream_id = ?1 AND (scope_id, part) IN (
             SELECT scope_id, part FROM store_seen WHERE store = ?0 AND stream_id = ?1 LIMIT ?2)",
        params![stream.0, limit as i64],
    )?)
}

/// Approves what waits for the sweep of the stream.
pub(super) fn approve(connection: &dyn Session, stream: StreamId) -> Outcome<()> {
    let sql = format!(
        "UPDATE store_scopes SET approved = 1 WHERE store = ?0 AND stream_id = ?1 AND state IN ({COMPLETE}, {GONE}, {ASKABLE}, {DOUBTED})"
    );
    connection.execute(&sql, params![stream.0])?;
    Ok(())
}

/// Takes back what waits for the sweep of the stream, in at most `limit` of its scopes; in how many.
pub(super) fn drop_unswept(connection: &dyn Session, stream: StreamId, limit: usize) -> Outcome<usize> {
    let sql = format!(
        "UPDATE store_scopes SET state = {NONE}, first_change = 0, seen = 0, position = NULL, approved = 0
         WHERE store = ?0 AND stream_id = ?1 AND scope_id IN (
             SELECT scope_id FROM store_scopes
             WHERE store = ?0 AND stream_id = ?1 AND state IN ({COMPLETE}, {GONE}, {ASKABLE}, {DOUBTED}) LIMIT ?2)"
    );
    Ok(connection.execute(&sql, params![stream.0, limit as i64])?)
}

/// Forgets what listings have seen that are neither open nor wait for a sweep, at most `limit` parts of it; how many.
pub(super) fn forget_seen_of_none(
    connection: &dyn Session,
    stream: StreamId,
    limit: usize,
) -> Outcome<usize> {
    let sql = format!(
        "DELETE FROM store_seen WHERE store = ?0 AND stream_id = ?1 AND (scope_id, part) IN (
             SELECT store_seen.scope_id, part FROM store_seen JOIN store_scopes USING (store, stream_id, scope_id)
             WHERE store = ?0 AND stream_id = ?1 AND state = {NONE} LIMIT ?2)"
    );
    Ok(connection.execute(&sql, params![stream.0, limit as i64])?)
}

/// Adds to a scope's count of records, or takes from it.
pub(super) fn add_records(
    connection: &dyn Session,
    stream: StreamId,
    id: ScopeId,
    count: i64,
) -> Outcome<()> {
    let changed = connection.execute(
        "UPDATE store_scopes SET records = records + ?3 WHERE store = ?0 AND stream_id = ?1 AND scope_id = ?2 AND records + ?3 >=
         0",
        params![stream.0, id.0, count],
    )?;
    if changed == 1 { Ok(()) } else { Err(Trouble::Damaged("a scope has too few records")) }
}

/// Drops scopes of the stream that hold nothing, at most `limit` of them; how many.
pub(super) fn remove_empty(connection: &dyn Session, stream: StreamId, limit: usize) -> Outcome<usize> {
    Ok(connection.execute(
        "DELETE FROM store_scopes WHERE store = ?0 AND stream_id = ?1 AND scope_id IN (
             SELECT scope_id FROM store_scopes WHERE store = ?0 AND stream_id = ?1 AND records = 0 LIMIT ?2)",
        params![stream.0, limit as i64],
    )?)
}

/// Drops a scope that holds nothing any more.
pub(super) fn remove(connection: &dyn Session, stream: StreamId, id: ScopeId) -> Outcome<()> {
    connection.execute(
        "DELETE FROM store_scopes WHERE store = ?0 AND stream_id = ?1 AND scope_id = ?2",
        params![stream.0, id.0],
    )?;
    Ok(())
}
