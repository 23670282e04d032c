//! What is written down of a move that is not finished: of what, and how far each table has come.
//!
//! It is a table in the catalog of where everything goes. While that is there, nobody else can open the catalog.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_128;

use super::{Moved, Part, Source, Table, Target, TransferError};
use crate::sql::{Bound, Dialect, Session, SqlResult, params};

/// What is written down for the move itself: what is moved.
const SOURCE: &str = "source";

/// How far a table has come.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Place {
    /// Rows that are there.
    pub(super) rows: u64,
    /// The key of the last of them.
    pub(super) behind: Vec<KeyValue>,
    /// Whether it has all of them.
    pub(super) done: bool,
}

/// A value of a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum KeyValue {
    Null,
    Integer(i64),
    Text(String),
    Blob(Vec<u8>),
}

impl KeyValue {
    pub(super) fn of(value: &Bound<'_>) -> Self {
        match value {
            Bound::Null => Self::Null,
            Bound::Integer(number) => Self::Integer(*number),
            Bound::Text(text) => Self::Text(text.to_string()),
            Bound::Blob(bytes) => Self::Blob(bytes.to_vec()),
        }
    }

    pub(super) fn bound(&self) -> Bound<'_> {
        match self {
            Self::Null => Bound::Null,
            Self::Integer(number) => Bound::Integer(*number),
            Self::Text(text) => Bound::Text(text.into()),
            Self::Blob(bytes) => Bound::Blob(bytes),
        }
    }
}

/// How far all tables have come that anything was written of, by [`name_of`].
pub(super) type Places = BTreeMap<String, Place>;

/// What a table of a part is called.
pub(super) fn name_of(part: Part, table: &Table) -> String {
    match part {
        Part::Catalog => table.name.to_owned(),
        Part::Store(id) => format!("{id} {}", table.name),
    }
}

/// Whether a move to the catalog of this session is not finished.
pub(crate) fn is_unfinished(db: &dyn Session) -> SqlResult<bool> {
    // Of the first schema in the path alone: there are others with tables of others.
    let sql = match db.dialect() {
        Dialect::Sqlite => "SELECT count(*) FROM sqlite_schema WHERE name = 'unfinished_transfer'",
        Dialect::Postgres => {
            "SELECT count(*) FROM pg_tables WHERE schemaname = current_schema() AND tablename = 'unfinished_transfer'"
        }
    };
    db.row(sql, params![], |columns| columns.plain())
}

/// Begins a move to an empty place, or goes on with the one that was begun there.
pub(super) fn begin(source: &mut dyn Source, target: &mut dyn Target) -> Moved<Places> {
    source.refuse_if_in_use()?;
    let mut secret = Vec::new();
    source.read(Part::Catalog, &mut |db| {
        secret = db.row("SELECT secret FROM identity", params![], |columns| columns.plain())?;
        Ok(())
    })?;
    // Which catalog it is, without its secret.
    let identity = format!("{:032x}", xxh3_128(&secret));
    let mut places = None;
    target.read(Part::Catalog, &mut |db| {
        if is_unfinished(db)? {
            places = Some(written(db, &identity)?);
        }
        Ok(())
    })?;
    if let Some(places) = places {
        return Ok(places);
    }
    target.refuse_if_in_use()?;
    if !target.stores()?.is_empty() {
        return Err(TransferError::NotEmpty { table: "store_meta" });
    }
    target.write(Part::Catalog, &mut |db| start(db, &identity))?;
    crate::fault::point("transfer.begun");
    Ok(Places::new())
}

/// What was written down by whoever moved the same before.
fn written(db: &dyn Session, identity: &str) -> Moved<Places> {
    let mut rows = db.rows("SELECT what, state FROM unfinished_transfer", params![], |columns| {
        Ok((columns.plain::<String>()?, columns.plain::<String>()?))
    })?;
    rows.retain(|(what, state)| what != SOURCE || state != identity);
    if rows.iter().any(|(what, _)| what == SOURCE) {
        return Err(TransferError::OtherSource);
    }
    rows.into_iter().map(|(what, state)| Ok((what, serde_json::from_str(&state)?))).collect()
}

/// Takes away what a new catalog holds, and says that a move has begun. An error if there is more.
fn start(db: &dyn Session, identity: &str) -> Moved<()> {
    for table in super::CATALOG {
        let of_a_new_one = match table.name {
            "identity" => "masking_key IS NULL",
            "spaces" | "collections" => "id = 'default' AND name = 'default'",
            // Of those that have gone.
            "nodes" => "1 = 1",
            _ => "1 = 0",
        };
        let sql = format!("SELECT 1 FROM {} WHERE NOT ({of_a_new_one}) LIMIT 1", table.name);
        if db.row_if_any(&sql, params![], |_| Ok(()))?.is_some() {
            return Err(TransferError::NotEmpty { table: table.name });
        }
    }
    for table in ["collections", "spaces", "identity", "nodes"] {
        db.execute(&format!("DELETE FROM {table}"), params![])?;
    }
    db.execute(
        "CREATE TABLE unfinished_transfer (what TEXT NOT NULL PRIMARY KEY, state TEXT NOT NULL)",
        params![],
    )?;
    let sql = "INSERT INTO unfinished_transfer (what, state) VALUES (?1, ?2)";
    db.execute(sql, params![SOURCE, identity])?;
    Ok(())
}

/// Writes down how far a table has come.
pub(crate) fn note(db: &dyn Session, part: Part, table: &Table, place: &Place) -> Moved<()> {
    db.execute(
        "INSERT INTO unfinished_transfer (what, state) VALUES (?1, ?2)
         ON CONFLICT (what) DO UPDATE SET state = excluded.state",
        params![name_of(part, table), serde_json::to_string(place)?],
    )?;
    Ok(())
}

/// The move is finished: whoever wants may open what is there.
pub(super) fn end(target: &mut dyn Target) -> Moved<()> {
    target.write(Part::Catalog, &mut |db| {
        db.execute("DROP TABLE unfinished_transfer", params![])?;
        Ok(())
    })
}
