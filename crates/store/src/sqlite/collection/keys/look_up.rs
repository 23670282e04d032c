//! Looking up many keys that come in order.

use std::cmp::Ordering;

use rusqlite::{Connection, params};

use super::{KeyRow, Outcome, read_bytes, read_row};

/// Looks up `filed`, which come in order, in the key table, and gives each key and its row, or `None`, to `each`. Returns how
/// many rows it passed, those between two keys that lie far apart as [`Patience::MOST`]: how scattered the keys lie.
///
/// To step to the next row costs a small part of finding one from the root, so where keys asked for lie close together
/// the table is stepped through, and where they lie far apart each is sought. Which it is, is learned on the way.
pub(crate) fn look_up<'k>(
    connection: &Connection,
    filed: impl Iterator<Item = &'k [u8]>,
    mut each: impl FnMut(&'k [u8], Option<KeyRow>) -> Outcome<()>,
) -> Outcome<u64> {
    let mut statement = connection.prepare_cached("SELECT k, row FROM keys WHERE k >= ?1 ORDER BY k")?;
    let mut filed = filed.peekable();
    let mut patience = Patience::new();
    let mut passed = 0;
    while let Some(sought) = filed.peek() {
        let mut rows = statement.query(params![sought])?;
        let mut steps = 0;
        let allowed = patience.steps();
        // Steps while the next row is not too far, then seeks anew.
        while steps <= allowed {
            let Some(row) = rows.next()? else {
                // There is no row from here on.
                filed.try_for_each(|sought| each(sought, None))?;
                return Ok(passed);
            };
            let at = read_bytes(row, 0)?;
            passed += 1;
            while let Some(sought) = filed.peek() {
                let found = match sought.cmp(&at) {
                    Ordering::Less => None,
                    Ordering::Equal => Some(read_row(row, 1)?),
                    Ordering::Greater => break,
                };
                each(sought, found)?;
                filed.next();
                patience.reward(steps);
                steps = 0;
            }
            if filed.peek().is_none() {
                return Ok(passed);
            }
            steps += 1;
        }
        patience.punish();
        passed += u64::from(Patience::MOST);
    }
    Ok(passed)
}

/// How many rows to step over before a key is sought from the root.
struct Patience {
    steps: u32,
    seeks: u32,
}

impl Patience {
    const MOST: u32 = 16;
    /// Even where stepping has not paid for long, it is tried again at every so many seeks.
    const TRIED_AGAIN: u32 = 64;

    fn new() -> Self {
        Self { steps: Self::MOST, seeks: 0 }
    }

    fn steps(&mut self) -> u32 {
        self.seeks += 1;
        if self.seeks.is_multiple_of(Self::TRIED_AGAIN) { Self::MOST } else { self.steps }
    }

    fn reward(&mut self, steps: u32) {
        if steps > 0 {
            self.steps = (self.steps + 1).min(Self::MOST);
        }
    }

    fn punish(&mut self) {
        self.steps /= 2;
    }
}
