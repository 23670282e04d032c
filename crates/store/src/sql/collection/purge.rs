//! Removing the records of a connector, or of one of its streams, on request.
//!
//! Nothing is remembered between two steps but what is left: what has gone is not found again. That a purge is done is remembered, lest
//! a step of it that comes late takes away what has come since. Of each stream, what is known
//! of its reading goes first, then its records, then its scopes; each within what a step may still write.

use std::collections::HashMap;

use inlet_model::{ChangeOp, ConnectorId, StreamName};

use super::block::{BlockEntry, EntryHead, Origin, ScopeId};
use super::blocks::BlockWriter;
use super::error::{Outcome, Trouble};
use super::key_row::KeyRow;
use super::keys;
use super::streams::{self, StreamRow, id_bytes};
use super::sweep::key_in_block;
use super::tables::WriteTables;
use super::writer::{Memory, Writer};
use super::{meta, runs, scopes};
use crate::collection::{PurgeProgress, PurgeStep};
use crate::fault;
use crate::sql::{Session, params};

/// Does one step.
pub(super) fn step(writer: &mut Writer, step: &PurgeStep) -> Outcome<PurgeProgress> {
    let mut wrote = false;
    let progress = writer.transact(|tx, memory| {
        if is_done(tx, step)? {
            return Ok(PurgeProgress { deleted: 0, done: true });
        }
        let released = runs::release(tx, step.connector_id)?;
        tx.gather_keys(&mut || Ok(()))?;
        let mut purge = Purge { connection: tx, step, left: step.max_keys.max(1), deleted: 0 };
        purge.run(memory)?;
        let done = purge.left > 0;
        if done {
            set_done(tx, step)?;
        }
        wrote = released || purge.left < step.max_keys;
        if wrote {
            fault::point("purge.before");
        }
        Ok(PurgeProgress { deleted: purge.deleted, done })
    })?;
    if wrote {
        fault::point("purge.after");
    }
    Ok(progress)
}

/// What stands for all streams of a connector. No stream has this name.
const ALL: &str = "";

/// Whether the purge, or one behind it of the same records, is done.
fn is_done(connection: &dyn Session, step: &PurgeStep) -> Outcome<bool> {
    let stream = step.stream.as_ref().map_or(ALL, StreamName::as_str);
    let found = connection.row_if_any(
        "SELECT through FROM store_purged WHERE store = ?0 AND connector_id = ?1 AND stream IN (?2, ?3) AND through >= ?4 LIMIT 1",
        params![id_bytes(step.connector_id.as_u128()), stream, ALL, step.id.0],
        |_| Ok(()),
    )?;
    Ok(found.is_some())
}

fn set_done(connection: &dyn Session, step: &PurgeStep) -> Outcome<()> {
    let stream = step.stream.as_ref().map_or(ALL, StreamName::as_str);
    connection.execute(
        "INSERT INTO store_purged (store, connector_id, stream, through) VALUES (?0, ?1, ?2, ?3)
         ON CONFLICT (store, connector_id, stream) DO UPDATE SET through = excluded.through",
        params![id_bytes(step.connector_id.as_u128()), stream, step.id.0],
    )?;
    Ok(())
}

/// A step under way.
struct Purge<'a> {
    connection: &'a dyn WriteTables,
    step: &'a PurgeStep,
    /// Rows that it may still write. With none it ends, and is not done.
    left: usize,
    deleted: u64,
}

impl Purge<'_> {
    fn run(&mut self, memory: &mut Memory) -> Outcome<()> {
        let connector_id = self.step.connector_id;
        for stream in streams::matching(self.connection, Some(connector_id), self.step.stream.as_ref())? {
            self.purge_stream(memory, stream)?;
            if self.left == 0 {
                return Ok(());
            }
        }
        let is_closed = runs::hold(self.connection, connector_id)?.is_some_and(|hold| hold.closed);
        if is_closed && self.step.stream.is_none() {
            for table in OF_SYNCS {
                let gone = forget(self.connection, table, connector_id, self.left)?;
                self.use_up(gone);
            }
        }
        Ok(())
    }

    fn purge_stream(&mut self, memory: &mut Memory, mut stream: StreamRow) -> Outcome<()> {
        memory.seen.forget_stream(stream.id);
        let gone = scopes::forget_seen(self.connection, stream.id, self.left)?;
        self.use_up(gone);
        let reset = scopes::forget_reading(self.connection, stream.id, self.left)?;
        self.use_up(reset);
        if stream.swept_through.take().is_some() {
            streams::save(self.connection, &stream)?;
        }
        if self.left == 0 {
            return Ok(());
        }
        let found = self.scan(&stream)?;
        if !found.is_empty() {
            self.delete(memory, &mut stream, &found)?;
            self.use_up(found.len());
        }
        if self.left > 0 {
            let removed = scopes::remove_empty(self.connection, stream.id, self.left)?;
            self.use_up(removed);
        }
        Ok(())
    }

    fn use_up(&mut self, rows: usize) {
        self.left = self.left.saturating_sub(rows);
    }

    /// The first records of the stream, as many as may still go.
    fn scan(&self, stream: &StreamRow) -> Outcome<Vec<(Vec<u8>, KeyRow)>> {
        let range = keys::range_of(stream.id);
        let mut found = Vec::new();
        self.connection.scan_keys(&range.start..&range.end, self.left, &mut |filed, record| {
            found.push((filed.to_vec(), record));
        })?;
        Ok(found)
    }

    fn delete(
        &mut self,
        memory: &mut Memory,
        stream: &mut StreamRow,
        found: &[(Vec<u8>, KeyRow)],
    ) -> Outcome<()> {
        let mut blocks = BlockWriter::new(&mut memory.encoder);
        let mut of_scopes: HashMap<ScopeId, i64> = HashMap::new();
        let mut change = meta::next_change(self.connection)?;
        let origin = Origin { sync_id: None, at: self.step.now };
        for (filed, record) in found {
            let key = keys::restore_key(filed, || key_in_block(self.connection, record.change))?;
            let head = EntryHead {
                change,
                op: ChangeOp::Deleted,
                stream: stream.id,
                scope: record.scope,
                created_us: record.created_us,
                previous: record.change,
            };
            blocks.push(&BlockEntry { head, origin, key: &key, data: &[] }, false)?;
            blocks.supersede(record.change);
            *of_scopes.entry(record.scope).or_default() += 1;
            change += 1;
        }
        let gone: Vec<&[u8]> = found.iter().map(|(filed, _)| filed.as_slice()).collect();
        self.connection.remove_keys(&gone)?;
        meta::set_next_change(self.connection, change)?;
        blocks.finish(self.connection)?;
        for (scope, count) in of_scopes {
            scopes::add_records(self.connection, stream.id, scope, -count)?;
        }
        let count = found.len() as u64;
        let too_few = Trouble::Damaged("a stream has too few records");
        stream.records = stream.records.checked_sub(count).ok_or(too_few)?;
        self.deleted += count;
        streams::save(self.connection, stream)
    }
}

/// The tables of what syncs have to tell besides their runs.
const OF_SYNCS: [&str; 3] = ["store_rejected", "store_rejected_pushes", "store_run_log"];

/// Removes what syncs of the connector have told.
fn forget(connection: &dyn Session, table: &str, connector_id: ConnectorId, limit: usize) -> Outcome<usize> {
    let sql = format!(
        "DELETE FROM {table} WHERE store = ?0 AND (sync_id, seq) IN (
             SELECT sync_id, seq FROM store_runs JOIN {table} USING (store, sync_id)
             WHERE store = ?0 AND connector_id = ?1 LIMIT ?2)"
    );
    Ok(connection.execute(&sql, params![id_bytes(connector_id.as_u128()), limit as i64])?)
}
