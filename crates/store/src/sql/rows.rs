//! Many rows by one statement: over a network each statement costs the way there and back.

use std::fmt::Write as _;

use super::{Bind, Bound, Session, SqlResult};

/// So many rows go with one statement.
pub(crate) const ROWS: usize = 128;

/// Inserts rows into `into`, a table that stores share with its columns, the first of which is the store. `otherwise` is what becomes of
/// rows that are there already; no two of the new ones may be the same.
pub(crate) fn insert(
    session: &dyn Session,
    into: &str,
    rows: &[Vec<Bound<'_>>],
    otherwise: &str,
) -> SqlResult<()> {
    for rows in rows.chunks(ROWS) {
        let sql = format!("INSERT INTO {into} VALUES {} {otherwise}", values(rows, "?0, "));
        session.execute(&sql, &parameters(rows))?;
    }
    Ok(())
}

/// The rows as `VALUES` has them, each with `before` in front: `(?1, ?2), (?3, ?4)`. As a table of its own their columns are
/// `column1`, `column2` and so on.
pub(crate) fn values(rows: &[Vec<Bound<'_>>], before: &str) -> String {
    let mut sql = String::new();
    let mut number = 0;
    for row in rows {
        sql += if number == 0 { "(" } else { "), (" };
        sql += before;
        for column in 0..row.len() {
            number += 1;
            // Writing to a string cannot fail.
            let _ = write!(sql, "{}?{number}", if column == 0 { "" } else { ", " });
        }
    }
    sql + ")"
}

/// The parameters of [`values`].
pub(crate) fn parameters<'a>(rows: &'a [Vec<Bound<'_>>]) -> Vec<&'a dyn Bind> {
    rows.iter().flatten().map(|value| value as &dyn Bind).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_numbered_one_after_the_other() {
        let row = || vec![Bound::Integer(1), Bound::Null];
        assert_eq!(values(&[row(), row()], ""), "(?1, ?2), (?3, ?4)");
        assert_eq!(values(&[vec![Bound::Null], vec![Bound::Null]], "?0, "), "(?0, ?1), (?0, ?2)");
    }
}
