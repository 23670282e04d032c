//! Statements about collections as PostgreSQL takes them.

use bytes::BytesMut;
use inlet_model::StoreId;
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};

use crate::postgres::layout::Layout;
use crate::postgres::session::Typed;

/// The tables of which each store has a partition of its own, where there are partitions.
pub(super) const PARTITIONED: [&str; 4] = ["store_keys", "store_blocks", "store_expired", "store_inbox"];

/// Of each table the way is through its index. Left to itself the server reads tables from end to end of which it does not know yet how large
/// they have grown.
pub(in crate::postgres) const PLANS: &str =
    "SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off;
                                SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off";

/// A store as statements name it.
#[derive(Debug, Clone)]
pub(in crate::postgres) struct StoreName {
    /// As a UUID.
    pub(in crate::postgres) id: [u8; 16],
    /// What the names of its partitions end with; empty if it has none.
    suffix: String,
}

impl StoreName {
    pub(in crate::postgres) fn new(id: StoreId, layout: Layout) -> Self {
        let suffix = match layout {
            Layout::Partitioned => format!("_{:032x}", id.as_u128()),
            Layout::Shared => String::new(),
        };
        Self { id: id.as_u128().to_be_bytes(), suffix }
    }

    pub(in crate::postgres) fn has_partitions(&self) -> bool {
        !self.suffix.is_empty()
    }

    /// The table as statements name it: the store's partition, where it has one. To name that, and not the table, spares the server the
    /// choice, and a lock on the table.
    pub(in crate::postgres) fn table(&self, table: &str) -> String {
        if PARTITIONED.contains(&table) { format!("{table}{}", self.suffix) } else { table.to_owned() }
    }

    /// The statement in PostgreSQL's way, and its parameters with the store, if it names that.
    pub(in crate::postgres) fn complete<'p>(
        &'p self,
        sql: &str,
        mut params: Vec<Typed<'p>>,
    ) -> (String, Vec<Typed<'p>>) {
        let (sql, names_store) = self.statement(sql, params.len());
        params.extend(names_store.then_some((self as &(dyn ToSql + Sync), Type::UUID)));
        (sql, params)
    }

    /// The statement with its parameters in PostgreSQL's way, where `?0` comes behind the others; whether it is among them.
    pub(in crate::postgres) fn statement(&self, sql: &str, params: usize) -> (String, bool) {
        let mut out = String::with_capacity(sql.len() + self.suffix.len());
        let mut names_store = false;
        let mut rest = sql;
        while let Some(at) = rest.find(['?', 's']) {
            let (before, found) = rest.split_at(at);
            let begins_word = before.chars().next_back().is_none_or(|before| !is_of_word(before));
            out.push_str(before);
            rest = if let Some(behind) = found.strip_prefix("?0") {
                names_store = true;
                out.push_str(&format!("${}", params + 1));
                behind
            } else if let Some(behind) = found.strip_prefix('?') {
                out.push('$');
                behind
            } else {
                let end = found.find(|letter| !is_of_word(letter)).unwrap_or(found.len());
                let (word, behind) = found.split_at(end);
                out.push_str(word);
                if begins_word && PARTITIONED.contains(&word) {
                    out.push_str(&self.suffix);
                }
                behind
            };
        }
        out.push_str(rest);
        (out, names_store)
    }
}

impl ToSql for StoreName {
    fn to_sql(
        &self,
        _: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        out.extend_from_slice(&self.id);
        Ok(IsNull::No)
    }

    fn accepts(ty: &Type) -> bool {
        *ty == Type::UUID
    }

    to_sql_checked!();
}

fn is_of_word(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || letter == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_names_its_store_and_the_partitions() {
        let store = StoreName::new(StoreId::from_u128(0xab), Layout::Partitioned);
        let suffix = format!("{:032x}", 0xab);
        let sql = "SELECT stored, ?2 FROM store_blocks WHERE store = ?0 AND first_change >= ?1";
        let expected =
            format!("SELECT stored, $2 FROM store_blocks_{suffix} WHERE store = $3 AND first_change >= $1");
        assert_eq!(store.statement(sql, 2), (expected, true));
        let shared = StoreName::new(StoreId::from_u128(0xab), Layout::Shared);
        let expected = "SELECT stored, $2 FROM store_blocks WHERE store = $3 AND first_change >= $1";
        assert_eq!(shared.statement(sql, 2), (expected.to_owned(), true));
        let sql = "SELECT live FROM store_block_index LIMIT ?1";
        assert_eq!(
            store.statement(sql, 1),
            ("SELECT live FROM store_block_index LIMIT $1".to_owned(), false)
        );
    }
}
