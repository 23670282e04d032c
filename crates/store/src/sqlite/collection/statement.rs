//! Statements about collections as a file takes them.
//!
//! They are written for databases in which stores share tables: each table's name begins with `store_`, its first column is
//! `store`, and `?0` is the store that is meant. A file is one store's; there it goes without saying.

/// What is left out, wherever it stands.
const UNSAID: [&str; 4] = ["store = ?0 AND ", "store, ", "store_", "?0, "];

/// What is left out with the `WHERE` before it: the whole condition.
const ALL: &str = "store = ?0";

/// The statement without the store.
pub(in crate::sqlite) fn of_file(sql: &str) -> String {
    let mut out = String::with_capacity(sql.len());
    let mut rest = sql;
    while let Some(at) = [rest.find("store"), rest.find("?0")].into_iter().flatten().min() {
        let (before, found) = rest.split_at(at);
        out.push_str(before);
        rest = if let Some(behind) = UNSAID.iter().find_map(|unsaid| found.strip_prefix(unsaid)) {
            behind
        } else if let Some(behind) = found.strip_prefix(ALL) {
            out.truncate(out.trim_end().trim_end_matches("WHERE").trim_end().len());
            behind
        } else {
            // Another word that begins alike.
            let (word, behind) = found.split_at(2);
            out.push_str(word);
            behind
        };
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_about_one_store_is_one_about_a_file() {
        for (shared, of_one) in [
            ("SELECT a FROM store_t WHERE store = ?0 AND b = ?1", "SELECT a FROM t WHERE b = ?1"),
            ("SELECT a FROM store_t WHERE store = ?0 ORDER BY a", "SELECT a FROM t ORDER BY a"),
            ("UPDATE store_t SET a = ?1 WHERE store = ?0", "UPDATE t SET a = ?1"),
            ("SELECT 1 FROM store_t\n WHERE store = ?0", "SELECT 1 FROM t"),
            ("SELECT a FROM store_t JOIN store_u USING (store, a)", "SELECT a FROM t JOIN u USING (a)"),
            (
                "INSERT INTO store_t (store, a) VALUES (?0, ?1) ON CONFLICT (store, a) DO UPDATE SET b = store_t.b + ?2",
                "INSERT INTO t (a) VALUES (?1) ON CONFLICT (a) DO UPDATE SET b = t.b + ?2",
            ),
            ("SELECT stored FROM store_t WHERE store = ?0 AND a = ?1", "SELECT stored FROM t WHERE a = ?1"),
            ("PRAGMA user_version", "PRAGMA user_version"),
        ] {
            assert_eq!(of_file(shared), of_one);
        }
    }
}
