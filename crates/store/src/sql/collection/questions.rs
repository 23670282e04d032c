//! Records that wait for a sweep, of which the source is asked first: which they are, and that it has them.

use std::collections::HashMap;

use super::block::ScopeId;
use super::deletes::Waiting;
use super::error::{Outcome, Trouble};
use super::keys;
use super::scopes::{self, Listing, ScopeRow};
use super::seen::SeenSet;
use super::sweep::key_in_block;
use super::tables::{Tables, Walked};
use super::writer::Writer;
use super::{runs, streams};
use crate::collection::{FoundRecords, QuestionPage, QuestionsQuery, RecordCursor};
use crate::fault;

/// A page of keys to ask for.
pub(super) fn page(connection: &dyn Tables, query: &QuestionsQuery) -> Outcome<QuestionPage> {
    let mut page = QuestionPage { keys: Vec::new(), next: None };
    let Some(stream) = streams::find(connection, query.connector_id, &query.stream)? else { return Ok(page) };
    let mut unswept = scopes::unswept(connection, stream.id)?;
    unswept.retain(ScopeRow::is_askable);
    if unswept.is_empty() {
        return Ok(page);
    }
    let mut waiting = Waiting::new(stream.id, unswept);
    let from = match &query.after {
        Some(RecordCursor(filed)) => [filed.as_slice(), &[0]].concat(),
        None => keys::range_of(stream.id).start,
    };
    let mut looked_at = 0;
    connection.walk(&[Walked { stream: stream.id, from }], &mut |step| {
        looked_at += 1;
        if waiting.holds(connection, &step.row)? {
            let key = keys::restore_key(&step.filed, || key_in_block(connection, step.row.change))?;
            page.keys.push(key.into_owned());
        }
        let is_enough = looked_at >= query.max_keys.max(1);
        page.next = is_enough.then_some(RecordCursor(step.filed));
        Ok(!is_enough)
    })?;
    Ok(page)
}

/// Counts records as seen that the source has.
pub(super) fn keep(writer: &mut Writer, found: &FoundRecords) -> Outcome<()> {
    let kept = writer.transact(|tx, memory| {
        runs::held(tx, found.connector_id, found.fence, found.sync_id)?;
        let Some(stream) = streams::find(tx, found.connector_id, &found.stream)? else { return Ok(None) };
        let mut asked: HashMap<ScopeId, (ScopeRow, SeenSet)> = HashMap::new();
        for row in scopes::unswept(tx, stream.id)?.into_iter().filter(ScopeRow::is_askable) {
            let seen = memory.seen.take(tx, (stream.id, row.id))?;
            asked.insert(row.id, (row, seen));
        }
        for key in &found.keys {
            let Some(record) = tx.key(&keys::filed(stream.id, key))? else { continue };
            let Some((row, seen)) = asked.get_mut(&record.scope) else { continue };
            let Listing::Complete(listing) = &mut row.listing else { continue };
            if record.change < listing.first_change && !seen.contains(record.change) {
                seen.insert(record.change);
                let too_few = Trouble::Damaged("a listing has seen too much");
                listing.unseen = listing.unseen.checked_sub(1).ok_or(too_few)?;
            }
        }
        for (id, (row, seen)) in asked {
            scopes::save(tx, stream.id, &row)?;
            memory.seen.put((stream.id, id), seen);
        }
        memory.seen.save(tx)?;
        fault::point("deletes.found.before");
        runs::pass(&found.cancel).map(Some)
    });
    kept.map(drop)
}
