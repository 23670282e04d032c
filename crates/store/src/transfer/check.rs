//! Comparing the two sides, when everything is there.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use xxhash_rust::xxh3::Xxh3;

use super::{
    Moved, Part, Source, Table, Target, TransferError, TransferProgress, TransferReport, TransferStep,
    TransferWatch, side,
};
use crate::sql::{Cell, Columns, SqlResult, params};

/// How often whoever watches is asked.
const ROWS_BETWEEN_LOOKS: u64 = 20_000;

/// What a table holds, in three numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sum {
    /// How many rows it has.
    pub rows: u64,
    /// How many bytes their values have, numbers taken for eight each.
    pub bytes: u64,
    /// XXH3 (128 bits) over all values, in the order of the keys.
    pub hash: u128,
}

/// Holds every table of the one side against that of the other.
pub(super) fn compare(
    source: &mut dyn Source,
    target: &mut dyn Target,
    watch: &mut TransferWatch<'_>,
) -> Moved<TransferReport> {
    let stores = source.stores()?;
    let others = target.stores()?;
    if stores != others {
        let sum = |stores: &[_]| Sum { rows: stores.len() as u64, ..Sum::default() };
        let (source_sum, target_sum) = (sum(&stores), sum(&others));
        return Err(TransferError::Differs {
            part: Part::Catalog,
            table: "store_meta",
            source_sum,
            target_sum,
        });
    }
    let (mut tables, mut rows) = (BTreeMap::<_, Together>::new(), 0);
    for part in side::parts(&stores) {
        for table in part.tables() {
            let mut look = |more| {
                rows += more;
                let progress = TransferProgress { step: TransferStep::Checking, table: table.name, rows };
                if watch(&progress).is_break() { Err(TransferError::Stopped) } else { Ok(()) }
            };
            let source_sum = sum(source, part, table, &mut look)?;
            let target_sum = sum(target, part, table, &mut |_| look(0))?;
            if source_sum != target_sum {
                return Err(TransferError::Differs { part, table: table.name, source_sum, target_sum });
            }
            tables.entry(table.name).or_default().add(source_sum);
        }
    }
    let tables = tables.into_iter().map(|(name, all)| (name, all.sum())).collect();
    Ok(TransferReport { tables, stores: stores.len() as u64 })
}

/// Reads a table from one end to the other. `look` is told how many rows were read since it was last.
fn sum(
    side: &mut (impl Source + ?Sized),
    part: Part,
    table: &'static Table,
    look: &mut dyn FnMut(u64) -> Moved<()>,
) -> Moved<Sum> {
    let (mut sum, mut hasher, mut unseen) = (Sum::default(), Xxh3::new(), 0);
    side.read(part, &mut |db| {
        let mut stopped = None;
        db.each(&table.select(db.dialect(), false), params![], &mut |columns| {
            for _ in 0..table.width() {
                sum.bytes += hash(columns, &mut hasher)?;
            }
            sum.rows += 1;
            unseen += 1;
            if unseen == ROWS_BETWEEN_LOOKS
                && let Err(error) = look(std::mem::take(&mut unseen))
            {
                stopped = Some(error);
                return Ok(ControlFlow::Break(()));
            }
            Ok(ControlFlow::Continue(()))
        })?;
        stopped.map_or(Ok(()), Err)
    })?;
    look(unseen)?;
    sum.hash = hasher.digest128();
    Ok(sum)
}

/// Hashes the next value of a row, so that no other row of values gives the same bytes; how many it has.
fn hash(columns: &mut Columns<'_>, hasher: &mut Xxh3) -> SqlResult<u64> {
    let mut long = |kind: u8, bytes: &[u8]| {
        hasher.update(&[kind]);
        hasher.update(&(bytes.len() as u64).to_le_bytes());
        hasher.update(bytes);
        bytes.len() as u64
    };
    columns.read(|cell| {
        Ok(match cell {
            Cell::Null => long(0, &[]),
            Cell::Integer(number) => long(1, &number.to_le_bytes()),
            Cell::Text(text) => long(2, text.as_bytes()),
            Cell::Blob(bytes) => long(3, bytes),
        })
    })
}

/// The sums of a table of several stores, in their order.
#[derive(Default)]
struct Together {
    all: Vec<Sum>,
}

impl Together {
    fn add(&mut self, sum: Sum) {
        self.all.push(sum);
    }

    /// That of one is its own; of several it is the hash of their hashes.
    fn sum(self) -> Sum {
        if let [one] = *self.all {
            return one;
        }
        let mut hasher = Xxh3::new();
        let mut together = Sum::default();
        for sum in self.all {
            hasher.update(&sum.hash.to_le_bytes());
            together.rows += sum.rows;
            together.bytes += sum.bytes;
        }
        Sum { hash: hasher.digest128(), ..together }
    }
}
