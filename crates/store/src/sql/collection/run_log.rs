//! The logs of syncs.

use inlet_model::log::{LogLevel, LogLine, NewLogLine};
use inlet_model::{StreamName, SyncId, Timestamp};

use super::error::Outcome;
use super::streams::id_bytes;
use crate::catalog::Order;
use crate::collection::LogQuery;
use crate::sql::{Columns, Session, SqlError, SqlResult, params};

/// Of a long log so many of the first lines are kept, and as many of the last.
const KEPT: u64 = 500;

/// The code of the line that stands for those that are left out.
const LEFT_OUT: &str = "log.left_out";

/// Appends lines to the log of a sync.
pub(super) fn write<'l>(
    connection: &dyn Session,
    sync_id: SyncId,
    now: Timestamp,
    lines: impl IntoIterator<Item = &'l NewLogLine>,
) -> Outcome<()> {
    let mut lines = lines.into_iter().peekable();
    if lines.peek().is_none() {
        return Ok(());
    }
    let id = id_bytes(sync_id.as_u128());
    let mut seq = last(connection, sync_id)?;
    for line in lines {
        seq += 1;
        connection.execute(
            "INSERT INTO store_run_log (store, sync_id, seq, at, level, stream, code, message) VALUES (?0, ?1, ?2, ?3, ?4,
             ?5, ?6, ?7)",
            params![
                id,
                seq as i64,
                now.as_micros(),
                line.level as i64,
                line.stream.as_ref().map(StreamName::as_str),
                line.code(),
                line.message(),
            ],
        )?;
    }
    if seq > 2 * KEPT {
        connection.execute(
            "DELETE FROM store_run_log WHERE store = ?0 AND sync_id = ?1 AND seq > ?2 AND seq <= ?3",
            params![id, KEPT as i64, (seq - KEPT) as i64],
        )?;
    }
    Ok(())
}

/// Lines of the log of a sync.
pub(super) fn list(connection: &dyn Session, sync_id: SyncId, query: LogQuery) -> Outcome<Vec<LogLine>> {
    let (place, direction, from) = match query.order {
        Order::OldestFirst => ("seq > ?2", "ASC", query.after.unwrap_or(0)),
        Order::NewestFirst => ("seq < ?2", "DESC", query.after.unwrap_or(u64::MAX)),
    };
    let sql = format!(
        "SELECT seq, at, level, stream, code, message FROM store_run_log
         WHERE store = ?0 AND sync_id = ?1 AND {place} AND level >= ?3 ORDER BY seq {direction} LIMIT ?4"
    );
    let limit = i64::try_from(query.limit).unwrap_or(i64::MAX);
    let from_row = i64::try_from(from).unwrap_or(i64::MAX);
    let mut lines = connection.rows(
        &sql,
        params![id_bytes(sync_id.as_u128()), from_row, query.level as i64, limit],
        read,
    )?;
    if let Some(gap) = left_out(connection, sync_id, &query)? {
        lines.push(gap);
        match query.order {
            Order::OldestFirst => lines.sort_by_key(|line| line.seq),
            Order::NewestFirst => lines.sort_by_key(|line| std::cmp::Reverse(line.seq)),
        }
        lines.truncate(query.limit);
    }
    Ok(lines)
}

/// The line in the place of those that are not kept, as far as they are asked for.
fn left_out(connection: &dyn Session, sync_id: SyncId, query: &LogQuery) -> Outcome<Option<LogLine>> {
    let last = last(connection, sync_id)?;
    if last <= 2 * KEPT || query.level > LogLevel::Warning {
        return Ok(None);
    }
    let end = last - KEPT;
    let (is_asked_for, count) = match (query.order, query.after) {
        (_, None) => (true, end - KEPT),
        (Order::OldestFirst, Some(after)) => (after < end, end.saturating_sub(after.max(KEPT))),
        (Order::NewestFirst, Some(before)) => (before > end, end - KEPT),
    };
    if !is_asked_for {
        return Ok(None);
    }
    let at = connection.row(
        "SELECT at FROM store_run_log WHERE store = ?0 AND sync_id = ?1 AND seq = ?2",
        params![id_bytes(sync_id.as_u128()), (end + 1) as i64],
        |columns| columns.plain(),
    )?;
    Ok(Some(LogLine {
        seq: end,
        at: Timestamp::from_micros(at),
        level: LogLevel::Warning,
        stream: None,
        code: LEFT_OUT.to_owned(),
        message: format!("{count} lines are left out here: the log keeps its first lines and its last."),
    }))
}

fn last(connection: &dyn Session, sync_id: SyncId) -> Outcome<u64> {
    Ok(connection.row(
        "SELECT coalesce(max(seq), 0) FROM store_run_log WHERE store = ?0 AND sync_id = ?1",
        params![id_bytes(sync_id.as_u128())],
        |columns| columns.unsigned(),
    )?)
}

fn read(columns: &mut Columns<'_>) -> SqlResult<LogLine> {
    let level = columns.at(2).unsigned()?;
    let stream = columns.at(3).plain::<Option<String>>()?.map(|name| StreamName::new(&name)).transpose();
    Ok(LogLine {
        seq: columns.at(0).unsigned()?,
        at: columns.at(1).time()?,
        level: LogLevel::ALL
            .into_iter()
            .find(|known| *known as u64 == level)
            .ok_or_else(|| SqlError::row(format!("a line cannot be of the level {level}")))?,
        stream: stream.map_err(SqlError::row)?,
        code: columns.at(4).plain()?,
        message: columns.at(5).plain()?,
    })
}
