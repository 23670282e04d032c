//! Batches that follow each other, written together.
//!
//! All entries are filed by key; what stands in the key table is looked up in that order; each key's entries are walked
//! through in the order they arrived ([`walk`](super::walk)). Then changes are numbered and blocks are written in the order
//! of arrival, and rows of the key table in the order of keys. So the table is gone through once for each commit,
//! from front to back, however the records came.

use std::borrow::Cow;

use inlet_model::{ChangeOp, Counts, Entry, Rejection, Scope};

use super::super::block::{BlockEntry, EntryHead, Origin, StreamId};
use super::super::blocks::BlockWriter;
use super::super::error::Outcome;
use super::super::key_row::KeyRow;
use super::super::rejected;
use super::super::scopes::{Listing, to_json};
use super::super::tables::{Stored, WriteTables};
use super::Positioned;
use super::draft::Draft;
use super::entries::Entries;
use super::walk::{Current, Refusal, Refused, Verdict, Walk, Walked};
use crate::collection::DUPLICATE_KEY;

/// So many entries take some milliseconds to compress, beside which starting a thread is nothing.
const WORTH_A_THREAD: usize = 2_048;

/// Writes the batches into the draft.
pub(super) fn write(draft: &mut Draft<'_>, positioned: &[Positioned]) -> Outcome<()> {
    if positioned.is_empty() {
        return Ok(());
    }
    draft.gather_keys()?;
    let entries = Entries::gather(draft, positioned)?;
    let mut walk = Walk::begin(draft, &entries)?;
    draft.unless_cancelled()?;
    let filings = look_up(draft, &entries, &mut walk)?;
    let mut walked = walk.end(draft)?;
    draft.unless_cancelled()?;
    number(draft, &entries, &mut walked);
    put(draft, &entries, &filings, &walked)?;
    draft.unless_cancelled()?;
    refuse(draft, &entries, std::mem::take(&mut walked.refusals))?;
    set_positions(draft, positioned, &walked)
}

/// What becomes of the rows of the key table.
struct Filings {
    /// In order of keys.
    rows: Vec<Filing>,
    /// How many rows were passed on the way.
    passed: u64,
}

/// What becomes of a key's row.
struct Filing {
    /// An entry with the key.
    entry: usize,
    before: Option<KeyRow>,
    after: Option<Current>,
}

/// Goes through the keys in order: looks each up, and walks through its entries.
fn look_up(draft: &mut Draft<'_>, entries: &Entries<'_>, walk: &mut Walk<'_, '_>) -> Outcome<Filings> {
    let groups: Vec<&[(u64, u32)]> = entries.by_key().collect();
    let mut rows = Vec::with_capacity(groups.len());
    let keys: Vec<&[u8]> = groups.iter().map(|group| entries.filed(group[0].1 as usize)).collect();
    let passed = draft.connection.look_up(&keys, &mut |_, before| {
        let group = groups[rows.len()];
        let after = walk.key(draft, before.as_ref(), group.iter().map(|(_, index)| *index as usize))?;
        rows.push(Filing { entry: group[0].1 as usize, before, after });
        Ok(())
    })?;
    Ok(Filings { rows, passed })
}

/// Numbers the changes in the order of arrival, and counts.
fn number(draft: &mut Draft<'_>, entries: &Entries<'_>, walked: &mut Walked) {
    let mut counts = vec![Counts::default(); entries.batches().len()];
    for (index, verdict) in walked.verdicts.iter().enumerate() {
        let counts = &mut counts[entries.batch_of(index)];
        let written = match verdict {
            Verdict::Unchanged => {
                counts.unchanged += 1;
                continue;
            }
            Verdict::Kept => continue,
            Verdict::Rejected => {
                counts.rejected += 1;
                continue;
            }
            Verdict::Written(written) => written,
        };
        match written.op {
            ChangeOp::Created => counts.created += 1,
            ChangeOp::Updated => counts.updated += 1,
            ChangeOp::Deleted => counts.deleted += 1,
        }
        walked.changes[index] = draft.next_change;
        draft.next_change += 1;
    }
    for (batch, mut counts) in counts.into_iter().enumerate() {
        let content = entries.batches()[batch];
        counts.rejected += content.rejections().len() as u64;
        counts.read = counts.created + counts.updated + counts.unchanged + counts.rejected;
        counts.bytes = content.data_bytes();
        if !content.is_empty() {
            draft.run.last_progress_at = draft.origin.at;
        }
        draft.count(walked.place(batch).stream, counts);
    }
}

/// Writes blocks and key table. To compress blocks takes about as long as to write the rows, so with many entries both
/// are done at once.
fn put(draft: &mut Draft<'_>, entries: &Entries<'_>, filings: &Filings, walked: &Walked) -> Outcome<()> {
    let streams: Vec<StreamId> = draft.streams.iter().map(|stream| stream.row.id).collect();
    let origin = draft.origin;
    let Draft { connection, blocks, .. } = draft;
    let connection: &dyn WriteTables = *connection;
    let mut append = || append(blocks, entries, walked, &streams, origin);
    if entries.len() < WORTH_A_THREAD {
        append()?;
        file(connection, entries, filings, walked)?;
    } else {
        std::thread::scope(|scope| {
            let thread = std::thread::Builder::new().name("collection-blocks".to_owned());
            let appending = thread.spawn_scoped(scope, append)?;
            let filed = file(connection, entries, filings, walked);
            let appended = appending.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            filed.and(appended)
        })?;
    }
    blocks.store(connection)
}

/// Appends the entries that make a change to blocks, in the order of arrival.
fn append(
    blocks: &mut BlockWriter<'_>,
    entries: &Entries<'_>,
    walked: &Walked,
    streams: &[StreamId],
    origin: Origin,
) -> Outcome<()> {
    for (index, verdict) in walked.verdicts.iter().enumerate() {
        let Verdict::Written(written) = verdict else { continue };
        let place = walked.place(entries.batch_of(index));
        let head = EntryHead {
            change: walked.changes[index],
            op: written.op,
            stream: streams[place.stream],
            scope: place.scope,
            created_us: written.created_us,
            previous: written.previous.map_or(0, |link| walked.change_of(link)),
        };
        let entry = entries.entry(index);
        blocks.push(&BlockEntry { head, origin, key: entry.key, data: entry.data }, written.live)?;
    }
    walked.superseded.iter().for_each(|change| blocks.supersede(*change));
    Ok(())
}

/// Writes the rows of the key table, in the order of keys.
fn file(
    connection: &dyn WriteTables,
    entries: &Entries<'_>,
    filings: &Filings,
    walked: &Walked,
) -> Outcome<()> {
    let mut stored = Vec::new();
    let mut rows = Vec::new();
    for filing in &filings.rows {
        let after = filing.after.as_ref().map(|current| KeyRow {
            hash: current.hash,
            change: walked.change_of(current.link),
            created_us: current.created_us,
            scope: current.scope,
        });
        if filing.before != after {
            let start = stored.len();
            after.iter().for_each(|row| row.encode(&mut stored));
            rows.push((filing, start..stored.len()));
        }
    }
    let rows = rows.into_iter().map(|(filing, row)| Stored {
        filed: entries.filed(filing.entry),
        row: &stored[row],
        is_there: filing.before.is_some(),
    });
    connection.write_keys(&rows.collect::<Vec<_>>(), filings.passed)
}

/// Keeps the records that were refused, in the order of batches and of their places in the source.
fn refuse(draft: &Draft<'_>, entries: &Entries<'_>, mut refusals: Vec<Refusal>) -> Outcome<()> {
    for (batch, content) in entries.batches().iter().enumerate() {
        refusals.extend(content.rejections().iter().enumerate().map(|(index, rejection)| Refusal {
            batch,
            position: rejection.position,
            why: Refused::BySource(index),
        }));
    }
    refusals.sort_by_key(|refusal| (refusal.batch, refusal.position));
    let before = draft.run.counts.rejected - refusals.len() as u64;
    let refused: Vec<_> = (before + 1..=rejected::KEPT)
        .zip(&refusals)
        .map(|(seq, refusal)| {
            let batch = entries.batches()[refusal.batch];
            let rejection = match &refusal.why {
                Refused::BySource(index) => Cow::Borrowed(&batch.rejections()[*index]),
                Refused::Duplicate { entry, owner } => {
                    Cow::Owned(duplicate(&entries.entry(*entry), owner.as_ref()))
                }
            };
            rejected::Refused { seq, stream: batch.stream(), scope: batch.scope(), rejection }
        })
        .collect();
    rejected::keep(draft.connection, draft.run.sync_id, &refused)
}

fn duplicate(entry: &Entry<'_>, owner: Option<&Scope>) -> Rejection {
    let reason = match owner {
        None => "Another record of the same listing has this key.".to_owned(),
        Some(owner) => {
            format!("The key belongs to a record of `{}`, which this sync has read already.", owner.as_str())
        }
    };
    Rejection::new(entry.position, DUPLICATE_KEY, reason, entry.data)
}

/// Moves each scope to the position behind its last batch.
fn set_positions(draft: &mut Draft<'_>, positioned: &[Positioned], walked: &Walked) -> Outcome<()> {
    for (index, (batch, checkpoint)) in positioned.iter().enumerate() {
        let stream = draft.stream(batch.stream())?;
        let row = draft.scope(stream, batch.scope())?;
        let checkpoint = to_json(checkpoint.as_ref());
        match &mut row.listing {
            Listing::Open(listing) => listing.position = checkpoint,
            _ if checkpoint.is_some() && !walked.is_robbed_after(index) => row.cursor = checkpoint,
            _ => {}
        }
    }
    Ok(())
}
