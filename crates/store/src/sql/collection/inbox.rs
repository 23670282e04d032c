//! The inbox in the collection's file.

use inlet_model::mask::Masking;
use inlet_model::{ConnectorId, StreamName};
use tokio::sync::oneshot;

use super::error::{Outcome, Trouble};
use super::streams::{id_bytes, read_name};
use super::writer::Writer;
use super::{idempotency, meta, runs};
use crate::collection::{InboxItem, Push, PushEffect};
use crate::fault;
use crate::sql::{Session, SqlError, params};

/// Pushes of records are kept compressed; they are read once, soon.
const ZSTD_LEVEL: i32 = 1;

/// Pushes that share a transaction, at most.
const GROUP_COUNT: usize = 256;

/// Pushes that are read, or dropped, at once are at most so many.
const LOOKED_AT: i64 = 1_000;

/// A group takes no more once its pushes have this many bytes.
const GROUP_BYTES: usize = 8 << 20;

/// A push, and who waits for its answer.
pub(super) struct PendingPush {
    pub(super) push: Push,
    pub(super) answer: oneshot::Sender<Outcome<PushEffect>>,
}

impl PendingPush {
    fn answer(self, effect: Outcome<PushEffect>) {
        // Nobody may be waiting any more.
        let _ = self.answer.send(effect);
    }
}

/// Pushes that came while another transaction was under way. The wait for the disk is what a push costs: they share it.
pub(super) struct PushGroup {
    pushes: Vec<PendingPush>,
    bytes: usize,
}

impl PushGroup {
    pub(super) fn of(first: PendingPush) -> Self {
        let bytes = first.push.lines.len();
        Self { pushes: vec![first], bytes }
    }

    pub(super) fn has_room(&self) -> bool {
        self.pushes.len() < GROUP_COUNT && self.bytes < GROUP_BYTES
    }

    pub(super) fn add(&mut self, push: PendingPush) {
        self.bytes += push.push.lines.len();
        self.pushes.push(push);
    }

    /// Stores them in order, and answers once they are durable.
    pub(super) fn store(mut self, writer: &mut Writer) {
        match store_together(writer, &self.pushes) {
            Ok(effects) => {
                for (pending, effect) in self.pushes.into_iter().zip(effects) {
                    pending.answer(effect);
                }
            }
            // Nothing was written. One by one, each push of a group gets its own answer.
            Err(trouble) => match self.pushes.pop() {
                Some(only) if self.pushes.is_empty() => only.answer(Err(trouble)),
                last => self.pushes.into_iter().chain(last).for_each(|push| Self::of(push).store(writer)),
            },
        }
    }
}

fn store_together(writer: &mut Writer, pushes: &[PendingPush]) -> Outcome<Vec<Outcome<PushEffect>>> {
    let effects = writer.transact(|tx, _| {
        let mut effects = Vec::with_capacity(pushes.len());
        for pending in pushes {
            effects.push(match store(tx, &pending.push) {
                // It was refused before anything was written.
                Err(Trouble::Fenced) => Err(Trouble::Fenced),
                effect => Ok(effect?),
            });
        }
        fault::point("push.before");
        Ok(effects)
    })?;
    fault::point("push.after");
    Ok(effects)
}

/// Stores a push, if nothing is against it. What is against it is found before anything is written.
fn store(connection: &dyn Session, push: &Push) -> Outcome<PushEffect> {
    if let Some(idempotent) = &push.idempotent
        && let Some(effect) = idempotency::earlier(connection, idempotent)?
    {
        return Ok(effect);
    }
    if is_closed(connection, push.connector_id)? {
        return Err(Trouble::Fenced);
    }
    let pending_bytes = pending_bytes(connection, push.connector_id)?;
    let bytes = push.lines.len() as u64;
    if pending_bytes.saturating_add(bytes) > push.max_pending_bytes {
        return Ok(PushEffect::Full { pending_bytes });
    }
    let stated = Stated::new(&push.key_fields, &push.masking)?;
    let seq = put(connection, push.connector_id, &push.stream, &stated, &push.lines)?;
    if let Some(idempotent) = &push.idempotent {
        idempotency::store(connection, idempotent)?;
    }
    Ok(PushEffect::Stored { seq })
}

/// What stands beside lines in the inbox, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Stated {
    /// The fields that make a key.
    pub(super) key_fields: String,
    /// What has been masked.
    pub(super) masking: String,
}

impl Stated {
    pub(super) fn new(key_fields: &[String], masking: &Masking) -> Outcome<Self> {
        let no_json = |_| Trouble::Broken("texts are no JSON");
        Ok(Self {
            key_fields: serde_json::to_string(key_fields).map_err(no_json)?,
            masking: serde_json::to_string(masking).map_err(no_json)?,
        })
    }
}

/// Puts lines at the end of the inbox, whatever is against it. Gives their place.
pub(super) fn put(
    connection: &dyn Session,
    connector_id: ConnectorId,
    stream: &StreamName,
    stated: &Stated,
    lines: &[u8],
) -> Outcome<u64> {
    add_pending(connection, connector_id, lines.len() as i64)?;
    let seq = connection.row(
        "INSERT INTO store_inbox (store, seq, connector_id, stream, key_fields, masking, bytes, lines)
         VALUES (?0, ?1, ?2, ?3, ?4, ?5, ?6, ?7) RETURNING seq",
        params![
            meta::next_push(connection)?,
            id_bytes(connector_id.as_u128()),
            stream.as_str(),
            stated.key_fields,
            stated.masking,
            lines.len() as i64,
            zstd::bulk::compress(lines, ZSTD_LEVEL)?
        ],
        |columns| columns.unsigned(),
    )?;
    Ok(seq)
}

fn pending_bytes(connection: &dyn Session, connector_id: ConnectorId) -> Outcome<u64> {
    let id = id_bytes(connector_id.as_u128());
    Ok(connection
        .row_if_any(
            "SELECT inbox_bytes FROM store_connectors WHERE store = ?0 AND connector_id = ?1",
            params![id],
            |columns| columns.unsigned(),
        )?
        .unwrap_or(0))
}

fn add_pending(connection: &dyn Session, connector_id: ConnectorId, bytes: i64) -> Outcome<()> {
    connection.execute(
        "INSERT INTO store_connectors (store, connector_id, fence, sync_id, closed, inbox_bytes) VALUES (?0, ?1, 0, NULL, 0,
         ?2) ON CONFLICT (store, connector_id) DO UPDATE SET inbox_bytes = store_connectors.inbox_bytes + ?2",
        params![id_bytes(connector_id.as_u128()), bytes],
    )?;
    Ok(())
}

/// Removes the pushes to a stream up to `through`.
pub(super) fn take(
    connection: &dyn Session,
    connector_id: ConnectorId,
    stream: &StreamName,
    through: u64,
) -> Outcome<()> {
    let through = i64::try_from(through).unwrap_or(i64::MAX);
    let id = id_bytes(connector_id.as_u128());
    let which = "connector_id = ?1 AND stream = ?2 AND seq <= ?3";
    let bytes: i64 = connection.row(
        &format!(
            "SELECT CAST(coalesce(sum(bytes), 0) AS BIGINT) FROM store_inbox WHERE store = ?0 AND {which}"
        ),
        params![id, stream.as_str(), through],
        |columns| columns.plain(),
    )?;
    connection.execute(
        &format!("DELETE FROM store_inbox WHERE store = ?0 AND {which}"),
        params![id, stream.as_str(), through],
    )?;
    add_pending(connection, connector_id, -bytes)
}

/// Removes pushes to a closed connector, about `max_bytes` of them but at least one; whether none is left.
pub(super) fn drop_some(
    connection: &dyn Session,
    connector_id: ConnectorId,
    max_bytes: usize,
) -> Outcome<bool> {
    if !is_closed(connection, connector_id)? {
        return Ok(true);
    }
    let id = id_bytes(connector_id.as_u128());
    let (mut seqs, mut bytes) = (Vec::new(), 0_u64);
    let first = connection.rows(
        "SELECT seq, bytes FROM store_inbox WHERE store = ?0 AND connector_id = ?1 LIMIT ?2",
        params![id, LOOKED_AT + 1],
        |columns| Ok((columns.plain::<i64>()?, columns.unsigned()?)),
    )?;
    for (seq, of_one) in first.iter().take(LOOKED_AT as usize) {
        if bytes >= max_bytes as u64 && !seqs.is_empty() {
            break;
        }
        seqs.push(*seq);
        bytes += of_one;
    }
    let done = seqs.len() == first.len();
    for seq in &seqs {
        connection.execute("DELETE FROM store_inbox WHERE store = ?0 AND seq = ?1", params![seq])?;
    }
    if !seqs.is_empty() {
        add_pending(connection, connector_id, -(bytes as i64))?;
    }
    Ok(done)
}

/// Whether the connector takes no pushes any more, and shows none.
fn is_closed(connection: &dyn Session, connector_id: ConnectorId) -> Outcome<bool> {
    Ok(runs::hold(connection, connector_id)?.is_some_and(|hold| hold.closed))
}

/// The streams that have pushes waiting.
pub(super) fn streams(connection: &dyn Session, connector_id: ConnectorId) -> Outcome<Vec<StreamName>> {
    fault::point("inbox.read");
    if is_closed(connection, connector_id)? {
        return Ok(Vec::new());
    }
    Ok(connection.rows(
        "SELECT DISTINCT stream FROM store_inbox WHERE store = ?0 AND connector_id = ?1 ORDER BY stream",
        params![id_bytes(connector_id.as_u128())],
        read_name,
    )?)
}

/// Pushes to a stream behind `after`.
pub(super) fn after(
    connection: &dyn Session,
    connector_id: ConnectorId,
    stream: &StreamName,
    after: u64,
    max_bytes: usize,
) -> Outcome<Vec<InboxItem>> {
    fault::point("inbox.read");
    if is_closed(connection, connector_id)? {
        return Ok(Vec::new());
    }
    let after = i64::try_from(after).unwrap_or(i64::MAX);
    let id = id_bytes(connector_id.as_u128());
    let which = "store = ?0 AND connector_id = ?1 AND stream = ?2 AND seq > ?3";
    let sizes = connection.rows(
        &format!("SELECT seq, bytes FROM store_inbox WHERE {which} ORDER BY seq LIMIT ?4"),
        params![id, stream.as_str(), after, LOOKED_AT],
        |columns| Ok((columns.plain::<i64>()?, columns.plain::<usize>()?)),
    )?;
    let (mut through, mut held) = (after, 0_usize);
    for (seq, bytes) in sizes {
        if held > 0 && held + bytes > max_bytes {
            break;
        }
        (through, held) = (seq, held + bytes);
    }
    let items = connection.rows(
        &format!(
            "SELECT seq, key_fields, bytes, lines, masking FROM store_inbox
             WHERE {which} AND seq <= ?4 ORDER BY seq"
        ),
        params![id, stream.as_str(), after, through],
        |columns| {
            let bytes: usize = columns.at(2).plain()?;
            let lines = zstd::bulk::decompress(columns.at(3).blob()?, bytes).map_err(SqlError::row)?;
            if lines.len() != bytes {
                return Err(SqlError::row("a push has another length than was written down"));
            }
            let (seq, key_fields) = (columns.at(0).unsigned()?, columns.json()?);
            Ok(InboxItem { seq, key_fields, masking: columns.at(4).json()?, lines })
        },
    )?;
    Ok(items)
}

#[cfg(test)]
mod tests {
    use inlet_model::Timestamp;

    use super::super::finish;
    use super::super::writer::WriterHandle;
    use super::*;
    use crate::StoreErrorKind;
    use crate::sqlite::open_transactions;

    fn push(connector: u128) -> Push {
        Push {
            connector_id: ConnectorId::from_u128(connector),
            stream: StreamName::new("s").unwrap(),
            key_fields: Vec::new(),
            masking: Default::default(),
            lines: b"{}\n".to_vec(),
            count: 1,
            now: Timestamp::from_millis(1),
            max_pending_bytes: 10,
            idempotent: None,
        }
    }

    #[tokio::test]
    async fn each_push_of_a_group_gets_its_own_answer() {
        let folder = tempfile::tempdir().unwrap();
        let transactions = open_transactions(&folder.path().join("collection.db"));
        let writer = WriterHandle::start(transactions).unwrap();
        let (closed, open) = (1, 2);
        writer
            .write("close", move |writer| finish::close_connector(writer, ConnectorId::from_u128(closed)))
            .await
            .unwrap();
        // The writer is held up until all the pushes wait for it.
        let (go, wait) = std::sync::mpsc::sync_channel::<()>(0);
        let held_up = writer.write("wait", move |_| Ok(wait.recv().is_ok()));
        let pushes = [open, closed, open, open, open].map(|connector| writer.push(push(connector)));
        let [first, refused, second, third, full] = pushes;
        let release = async {
            tokio::task::yield_now().await;
            go.send(()).unwrap();
        };
        let (held_up, first, refused, second, third, full, ()) =
            tokio::join!(held_up, first, refused, second, third, full, release);
        assert!(held_up.unwrap());
        assert_eq!(first.unwrap(), PushEffect::Stored { seq: 1 });
        assert_eq!(refused.unwrap_err().kind(), StoreErrorKind::Fenced);
        assert_eq!(second.unwrap(), PushEffect::Stored { seq: 2 });
        assert_eq!(third.unwrap(), PushEffect::Stored { seq: 3 });
        assert_eq!(full.unwrap(), PushEffect::Full { pending_bytes: 9 });
    }
}
