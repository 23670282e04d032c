//! Copying the tables, page by page.

use std::ops::ControlFlow;

use super::journal::{KeyValue, Places, name_of};
use super::{
    Moved, Page, Part, Place, Source, Table, Target, TransferError, TransferOptions, TransferProgress,
    TransferStep, TransferWatch, numbers,
};
use crate::sql::{Bind, Bound};

/// A move while it copies.
pub(super) struct Copying<'run, 'watch> {
    options: TransferOptions,
    watch: &'run mut TransferWatch<'watch>,
    /// Rows that are there.
    rows: u64,
}

impl<'run, 'watch> Copying<'run, 'watch> {
    pub(super) fn new(options: TransferOptions, watch: &'run mut TransferWatch<'watch>) -> Self {
        Self { options, watch, rows: 0 }
    }

    /// Copies what is missing of a part.
    pub(super) fn part(
        &mut self,
        source: &mut dyn Source,
        target: &mut dyn Target,
        part: Part,
        places: &mut Places,
    ) -> Moved<()> {
        if let Part::Store(id) = part {
            target.make(id)?;
        }
        for table in part.tables() {
            let place = places.remove(&name_of(part, table)).unwrap_or_default();
            self.rows += place.rows;
            if !place.done {
                self.table(source, target, part, table, place)?;
            }
        }
        numbers::go_on(source, target, part)
    }

    /// Copies what is missing of a table.
    fn table(
        &mut self,
        source: &mut dyn Source,
        target: &mut dyn Target,
        part: Part,
        table: &'static Table,
        mut place: Place,
    ) -> Moved<()> {
        let mut page = Page::new(self.options, table.width());
        let behind = std::mem::take(&mut place.behind);
        source.read(part, &mut |db| {
            let key: Vec<Bound<'_>> = behind.iter().map(KeyValue::bound).collect();
            let params: Vec<&dyn Bind> = key.iter().map(|value| value as &dyn Bind).collect();
            let mut failed = None;
            db.each(&table.select(db.dialect(), !key.is_empty()), &params, &mut |columns| {
                page.push(columns)?;
                if page.is_full()
                    && let Err(error) = self.put(target, part, table, &mut page, &mut place)
                {
                    failed = Some(error);
                    return Ok(ControlFlow::Break(()));
                }
                Ok(ControlFlow::Continue(()))
            })?;
            failed.map_or(Ok(()), Err)
        })?;
        if page.len() == 0 && place.rows == 0 {
            // To look at an empty table once more costs less than to write down that it is.
            return Ok(());
        }
        place.done = true;
        self.put(target, part, table, &mut page, &mut place)
    }

    /// Writes a page and empties it.
    fn put(
        &mut self,
        target: &mut dyn Target,
        part: Part,
        table: &'static Table,
        page: &mut Page,
        place: &mut Place,
    ) -> Moved<()> {
        let rows = page.len() as u64;
        if rows > 0 {
            place.behind = page.last(table.key.len()).iter().map(KeyValue::of).collect();
        }
        place.rows += rows;
        target.put(part, table, page, place)?;
        page.clear();
        self.rows += rows;
        let progress = TransferProgress { step: TransferStep::Copying, table: table.name, rows: self.rows };
        if (self.watch)(&progress).is_break() { Err(TransferError::Stopped) } else { Ok(()) }
    }
}
