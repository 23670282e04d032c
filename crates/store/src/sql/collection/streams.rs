//! The streams of a collection: one for each connector and name, under a small number.

use inlet_model::{ConnectorId, Scope, StreamName};

use super::block::{ScopeId, StreamId};
use super::error::{Outcome, Trouble};
use super::meta;
use super::scopes::{Listing, ScopeRow};
use crate::collection::{RunStream, StreamStats};
use crate::sql::{Columns, Session, SqlError, SqlResult, params};

/// A stream as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct StreamRow {
    pub(super) id: StreamId,
    pub(super) connector_id: ConnectorId,
    pub(super) name: StreamName,
    /// What it was when it was last read; see [`RunStream`](crate::collection::RunStream).
    pub(super) shape: String,
    /// Live records.
    pub(super) records: u64,
    /// The number of the next scope. Never used twice, since blocks go on naming scopes that are gone.
    pub(super) next_scope: u32,
    /// The last key that the sweep under way has looked at.
    pub(super) swept_through: Option<Vec<u8>>,
    /// Whether no run deletes of it.
    pub(super) appends: bool,
    /// The copies of its source that were begun while it appended, the present one last; see
    /// [`RunStart::copies`](crate::collection::RunStart::copies).
    copies: Vec<u64>,
    /// How its schema stands.
    pub(super) schema: SchemaPlace,
}

/// How the schema of a stream stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct SchemaPlace {
    /// The number of the last version; 0: there was none.
    pub(super) version: u64,
    /// Versions up to this one are not held against records any more.
    pub(super) forgotten: u64,
    /// Whether the stream was read to its end since.
    pub(super) is_learned: bool,
}

impl SchemaPlace {
    /// Lets the schema be learned anew.
    pub(super) fn forget(&mut self) {
        *self = Self { version: self.version, forgotten: self.version, is_learned: false };
    }
}

/// So many copies of a stream are remembered, the newest: far more than full refreshes are undone.
const COPIES: usize = 100;

impl StreamRow {
    /// The copy that appended records belong to.
    pub(super) fn copy(&self) -> u64 {
        self.copies.last().copied().unwrap_or_default()
    }

    /// Begins the copy of a full refresh; a later attempt of it finds it there.
    pub(super) fn begin_copy(&mut self, generation: u64) {
        if self.copy() == generation {
            return;
        }
        if self.copies.len() == COPIES {
            self.copies.remove(0);
        }
        self.copies.push(generation);
    }

    /// Takes the copy of a full refresh that is undone away: records are appended to the one before it again. Whether it was
    /// there.
    pub(super) fn take_copy_back(&mut self, generation: u64) -> bool {
        let before = self.copies.len();
        self.copies.retain(|copy| *copy != generation);
        self.copies.len() < before
    }
}

impl StreamRow {
    /// Whether the stream is read differently from now on than it was.
    pub(super) fn is_reshaped(&self, wanted: &RunStream) -> bool {
        self.shape != NO_SHAPE && (self.shape != wanted.shape || self.appends != wanted.appends)
    }
}

/// The shape of a stream that no run has read yet.
pub(super) const NO_SHAPE: &str = "";

const COLUMNS: &str =
    "stream_id, connector_id, name, shape, records, next_scope, swept_through, appends, copies,
     schema_version, schema_forgotten, schema_learned";

/// The stored form of an id.
pub(super) fn id_bytes(id: u128) -> [u8; 16] {
    id.to_be_bytes()
}

/// Reads a stream's name.
pub(super) fn read_name(columns: &mut Columns<'_>) -> SqlResult<StreamName> {
    let name: String = columns.plain()?;
    StreamName::new(&name).map_err(SqlError::row)
}

fn read_row(columns: &mut Columns<'_>) -> SqlResult<StreamRow> {
    Ok(StreamRow {
        id: StreamId(columns.plain()?),
        connector_id: ConnectorId::from_u128(columns.id()?),
        name: read_name(columns)?,
        shape: columns.plain()?,
        records: columns.unsigned()?,
        next_scope: columns.plain()?,
        swept_through: columns.plain()?,
        appends: columns.plain()?,
        copies: columns.json()?,
        schema: SchemaPlace {
            version: columns.unsigned()?,
            forgotten: columns.unsigned()?,
            is_learned: columns.plain()?,
        },
    })
}

/// The stream of that connector and name.
pub(super) fn find(
    connection: &dyn Session,
    connector_id: ConnectorId,
    name: &StreamName,
) -> Outcome<Option<StreamRow>> {
    let sql =
        format!("SELECT {COLUMNS} FROM store_streams WHERE store = ?0 AND connector_id = ?1 AND name = ?2");
    let found =
        connection.row_if_any(&sql, params![id_bytes(connector_id.as_u128()), name.as_str()], read_row)?;
    Ok(found)
}

/// The stream with that number.
pub(super) fn get(connection: &dyn Session, id: StreamId) -> Outcome<Option<StreamRow>> {
    let sql = format!("SELECT {COLUMNS} FROM store_streams WHERE store = ?0 AND stream_id = ?1");
    Ok(connection.row_if_any(&sql, params![id.0], read_row)?)
}

/// The streams that fit, by name and then by number.
pub(super) fn matching(
    connection: &dyn Session,
    connector_id: Option<ConnectorId>,
    name: Option<&StreamName>,
) -> Outcome<Vec<StreamRow>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM store_streams
         WHERE store = ?0 AND connector_id = coalesce(?1, connector_id) AND name = coalesce(?2, name) ORDER BY name, stream_id"
    );
    let connector_id = connector_id.map(|id| id_bytes(id.as_u128()));
    Ok(connection.rows(&sql, params![connector_id, name.map(StreamName::as_str)], read_row)?)
}

/// The streams that fit, in numbers, by name and then by connector.
pub(super) fn stats(
    connection: &dyn Session,
    connector_id: Option<ConnectorId>,
    name: Option<&StreamName>,
) -> Outcome<Vec<StreamStats>> {
    let mut found: Vec<StreamStats> = matching(connection, connector_id, name)?
        .into_iter()
        .map(|row| StreamStats { connector_id: row.connector_id, stream: row.name, records: row.records })
        .collect();
    found.sort_by(|one, other| (&one.stream, one.connector_id).cmp(&(&other.stream, other.connector_id)));
    Ok(found)
}

/// Makes a stream.
pub(super) fn create(
    connection: &dyn Session,
    connector_id: ConnectorId,
    name: &StreamName,
    shape: &str,
) -> Outcome<StreamRow> {
    let row = StreamRow {
        id: meta::next_stream(connection)?,
        connector_id,
        name: name.clone(),
        shape: shape.to_owned(),
        records: 0,
        next_scope: 1,
        swept_through: None,
        appends: false,
        copies: Vec::new(),
        schema: SchemaPlace::default(),
    };
    connection.execute(
        "INSERT INTO store_streams (store, stream_id, connector_id, name, shape, records, next_scope, appends, copies,
                                  schema_version, schema_forgotten, schema_learned)
             VALUES (?0, ?1, ?2, ?3, ?4, 0, 1, 0, '[]', 0, 0, 0)",
        params![row.id.0, id_bytes(connector_id.as_u128()), name.as_str(), shape],
    )?;
    Ok(row)
}

/// Writes what may have changed.
pub(super) fn save(connection: &dyn Session, row: &StreamRow) -> Outcome<()> {
    let copies = serde_json::to_string(&row.copies).map_err(|_| Trouble::Broken("numbers are no JSON"))?;
    connection.execute(
        "UPDATE store_streams SET shape = ?2, records = ?3, next_scope = ?4, swept_through = ?5, appends = ?6,
         copies = ?7, schema_version = ?8, schema_forgotten = ?9, schema_learned = ?10 WHERE store = ?0 AND stream_id = ?1",
        params![
            row.id.0,
            row.shape,
            row.records as i64,
            row.next_scope,
            row.swept_through,
            row.appends,
            copies,
            row.schema.version as i64,
            row.schema.forgotten as i64,
            row.schema.is_learned
        ],
    )?;
    Ok(())
}

/// Live records of all streams.
pub(super) fn count_records(connection: &dyn Session) -> Outcome<u64> {
    Ok(connection.row(
        "SELECT CAST(coalesce(sum(records), 0) AS BIGINT) FROM store_streams WHERE store = ?0",
        params![],
        |columns| columns.unsigned(),
    )?)
}

impl StreamRow {
    /// A scope of the stream that was not there before.
    pub(super) fn new_scope(&mut self, name: &Scope) -> ScopeRow {
        let id = if *name == Scope::whole() {
            ScopeId::WHOLE
        } else {
            let next = self.next_scope;
            self.next_scope += 1;
            ScopeId(next)
        };
        ScopeRow {
            id,
            name: name.clone(),
            records: 0,
            cursor: None,
            listed_by: 0,
            settled_by: 0,
            listing: Listing::None,
        }
    }
}
