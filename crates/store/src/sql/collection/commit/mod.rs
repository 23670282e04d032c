//! One commit: its items in order, then everything at once or not at all.

mod draft;
mod entries;
mod segment;
mod slots;
mod walk;

use inlet_model::log::NewLogLine;
use inlet_model::{Batch, Scope, StreamName};
use serde_json::Value;

use self::draft::Draft;
use super::error::{Outcome, Trouble};
use super::scopes::{self, CompleteListing, Fate, Listing, OpenListing, ScopeRow, to_json};
use super::writer::Writer;
use super::{inbox, meta, run_log, runs, schemas};
use crate::collection::{Commit, Item, Receipt, StreamStatus, Unseen};
use crate::fault;

/// Writes a commit.
pub(super) fn commit(writer: &mut Writer, commit: Commit) -> Outcome<Receipt> {
    fault::point("commit.begin");
    let Commit { sync_id, connector_id, fence, cancel, now, items } = commit;
    let (receipt, pass) = writer.transact(|tx, memory| {
        let run = runs::held(tx, connector_id, fence, sync_id)?;
        run_log::write(tx, sync_id, now, items.iter().filter_map(line))?;
        let receipt = if !items.is_empty() && items.iter().all(|item| line(item).is_some()) {
            let last_change = meta::next_change(tx)?.saturating_sub(1);
            Receipt { counts: run.counts, streams: Vec::new(), last_change }
        } else {
            let mut draft = Draft::begin(tx, memory, run, now, &cancel)?;
            apply_all(&mut draft, items)?;
            draft.finish()?
        };
        fault::point("commit.before");
        Ok((receipt, runs::pass(&cancel)?))
    })?;
    drop(pass);
    fault::point("commit.after");
    Ok(receipt)
}

/// The line of the log that an item is.
fn line(item: &Item) -> Option<&NewLogLine> {
    match item {
        Item::Log(line) => Some(line),
        _ => None,
    }
}

/// A batch and the position behind it.
type Positioned = (Batch, Option<Value>);

/// Batches that follow each other are written together, sorted by key; every other item comes between what is before
/// and after it.
fn apply_all(draft: &mut Draft<'_>, items: Vec<Item>) -> Outcome<()> {
    let mut batches: Vec<Positioned> = Vec::new();
    for item in items {
        match item {
            Item::Batch { batch, checkpoint } => batches.push((batch, checkpoint)),
            // Written before, all of them together.
            Item::Log(_) => {}
            item => {
                segment::write(draft, &std::mem::take(&mut batches))?;
                apply(draft, item)?;
            }
        }
    }
    segment::write(draft, &batches)
}

fn apply(draft: &mut Draft<'_>, item: Item) -> Outcome<()> {
    match item {
        Item::Batch { .. } | Item::Log(_) => Err(Trouble::Broken("this item is written with its like")),
        Item::Listing { stream, scope } => open_listing(draft, &stream, &scope),
        Item::Complete { stream, scope, cursor, unseen } => {
            complete(draft, &stream, &scope, cursor.as_ref(), unseen)
        }
        Item::Unchanged { stream, scope } => {
            let generation = draft.run.generation;
            let stream = draft.stream(&stream)?;
            draft.scope(stream, &scope)?.settled_by = generation;
            Ok(())
        }
        Item::Scopes { stream, scopes } => keep_scopes(draft, &stream, &scopes),
        Item::InboxTaken { stream, through } => {
            draft.stream(&stream)?;
            inbox::take(draft.connection, draft.run.connector_id, &stream, through)
        }
        Item::Schema { stream, schema } => {
            let stream = draft.stream(&stream)?;
            let (sync_id, at) = (draft.run.sync_id, draft.origin.at);
            schemas::add(draft.connection, &mut draft.streams[stream].row, sync_id, at, &schema)
        }
        Item::StreamEnd { stream, failure } => {
            let stream = draft.stream(&stream)?;
            draft.streams[stream].row.schema.is_learned |= failure.is_none();
            let progress = draft.progress(stream);
            progress.status = if failure.is_some() { StreamStatus::Failed } else { StreamStatus::Succeeded };
            progress.error = failure;
            Ok(())
        }
    }
}

fn open_listing(draft: &mut Draft<'_>, stream: &StreamName, scope: &Scope) -> Outcome<()> {
    let stream = draft.stream(stream)?;
    let listing = OpenListing {
        generation: draft.run.generation,
        first_change: draft.next_change,
        seen: 0,
        position: None,
        duplicates: false,
    };
    let row = draft.scope(stream, scope)?;
    row.listing = Listing::Open(listing);
    let id = row.id;
    let key = draft.seen_key(stream, id);
    draft.seen.reset(draft.connection, key)
}

fn complete(
    draft: &mut Draft<'_>,
    stream: &StreamName,
    scope: &Scope,
    cursor: Option<&Value>,
    fate: Unseen,
) -> Outcome<()> {
    let generation = draft.run.generation;
    let stream = draft.stream(stream)?;
    let fate = if draft.streams[stream].row.appends { Unseen::Stays } else { fate };
    let row = draft.scope(stream, scope)?;
    let Listing::Open(listing) = &row.listing else {
        return Err(Trouble::Broken("a scope is complete that was not listed"));
    };
    let cursor = if listing.duplicates { None } else { to_json(cursor) };
    let first_change = listing.first_change;
    // What the listing saw is part of what the scope holds: the difference is what it did not see.
    let unseen = row
        .records
        .checked_sub(listing.seen)
        .ok_or(Trouble::Damaged("a listing has seen more than its scope holds"))?;
    let fate = match fate {
        Unseen::Goes => Some(Fate::Goes),
        Unseen::GoesIfAbsent => Some(Fate::IfAbsent),
        Unseen::GoesIfApproved => Some(Fate::IfApproved),
        Unseen::Stays => None,
    };
    row.settled_by = generation;
    row.listed_by = listing.generation;
    if let Some(fate) = fate.filter(|_| unseen > 0) {
        let approved = false;
        row.listing = Listing::Complete(CompleteListing { first_change, cursor, unseen, fate, approved });
        draft.streams[stream].row.swept_through = None;
        return Ok(());
    }
    row.listing = Listing::None;
    row.cursor = cursor;
    let id = row.id;
    let key = draft.seen_key(stream, id);
    draft.seen.remove(draft.connection, key)
}

/// Marks every scope that is not among `kept` as gone, and drops at once what holds no records. Of a stream that appends
/// nothing goes.
fn keep_scopes(draft: &mut Draft<'_>, stream: &StreamName, kept: &[Scope]) -> Outcome<()> {
    let stream = draft.stream(stream)?;
    if draft.streams[stream].row.appends {
        return Ok(());
    }
    draft.put_scopes_away(stream)?;
    let kept: std::collections::HashSet<&Scope> = kept.iter().collect();
    let stream_id = draft.streams[stream].row.id;
    let gone = |row: &ScopeRow| !kept.contains(&row.name) && !matches!(row.listing, Listing::Gone { .. });
    for mut row in scopes::all(draft.connection, stream_id)?.into_iter().filter(gone) {
        draft.seen.remove(draft.connection, (stream_id, row.id))?;
        if row.records == 0 {
            scopes::remove(draft.connection, stream_id, row.id)?;
        } else {
            row.listing = Listing::Gone { approved: false };
            scopes::save(draft.connection, stream_id, &row)?;
            draft.streams[stream].row.swept_through = None;
        }
    }
    Ok(())
}
