//! What a table or view is like: its columns, what identifies a row, and in which order its rows can be read.

use rusqlite::{Connection, OptionalExtension};

/// A table or view.
#[derive(Debug, Clone)]
pub(super) struct Table {
    pub(super) name: String,
    pub(super) is_view: bool,
    pub(super) is_strict: bool,
    pub(super) columns: Vec<Column>,
    /// The columns that identify a row: its primary key, else those of a unique index that are never NULL.
    pub(super) key: Vec<String>,
    /// The columns by which rows are read in order, each row at a place of its own. `None`: there are none.
    pub(super) order: Option<Order>,
    /// Whether columns of the order may be NULL. Rows where one is have no place in the order.
    pub(super) is_order_nullable: bool,
    /// The name under which SQLite's number of the row is found, if it has one.
    pub(super) rowid: Option<String>,
}

/// A column.
#[derive(Debug, Clone)]
pub(super) struct Column {
    pub(super) name: String,
    /// The type as it was declared; it may be anything.
    pub(super) declared: String,
    pub(super) is_not_null: bool,
}

/// Columns, with the collations by which they are compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Order(Vec<(String, Option<String>)>);

impl Order {
    /// The order of one column, by its own collation.
    pub(super) fn by(column: &str) -> Self {
        Self(vec![(column.to_owned(), None)])
    }

    fn terms(&self) -> impl Iterator<Item = String> {
        self.0.iter().map(|(column, collation)| match collation {
            Some(collation) => format!("{} COLLATE {}", quoted(column), quoted(collation)),
            None => quoted(column),
        })
    }

    /// The order of `column`, and this one where values are equal.
    pub(super) fn behind_column(&self, column: &str) -> Self {
        let mut columns = Self::by(column);
        columns.0.extend_from_slice(&self.0);
        columns
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(column, _)| column.as_str())
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// For `SELECT`.
    pub(super) fn columns(&self) -> String {
        list(self.0.iter().map(|(column, _)| quoted(column)))
    }

    /// For `ORDER BY`.
    pub(super) fn sequence(&self) -> String {
        list(self.terms())
    }

    /// What holds behind the place whose values are the first parameters.
    pub(super) fn behind(&self) -> String {
        format!("({}) > ({})", self.sequence(), list((1..=self.len()).map(|number| format!("?{number}"))))
    }

    /// What holds at the place whose values are the first parameters.
    pub(super) fn at(&self) -> String {
        let equal = self.terms().zip(1..).map(|(term, number)| format!("{term} = ?{number}"));
        equal.collect::<Vec<_>>().join(" AND ")
    }

    /// What holds where a column is NULL.
    pub(super) fn is_null(&self) -> String {
        let null = self.0.iter().map(|(column, _)| format!("{} IS NULL", quoted(column)));
        format!("({})", null.collect::<Vec<_>>().join(" OR "))
    }
}

fn list(parts: impl Iterator<Item = String>) -> String {
    parts.collect::<Vec<_>>().join(", ")
}

/// A name as SQL writes it, whatever is in it.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

impl Table {
    /// The table or view of that name. Virtual tables and the tables behind them are none.
    pub(super) fn find(connection: &Connection, name: &str) -> rusqlite::Result<Option<Self>> {
        let found = connection
            .prepare_cached(
                "SELECT type = 'view', wr, strict FROM pragma_table_list
                 WHERE schema = 'main' AND name = ?1 AND type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'",
            )?
            .query_row([name], |row| Ok((row.get(0)?, row.get::<_, bool>(1)?, row.get(2)?)))
            .optional()?;
        let Some((is_view, without_rowid, is_strict)) = found else { return Ok(None) };
        let (columns, key) = columns(connection, name)?;
        let mut table = Self {
            name: name.to_owned(),
            is_view,
            is_strict,
            columns,
            key,
            order: None,
            is_order_nullable: false,
            rowid: None,
        };
        if !is_view {
            table.find_order(connection, without_rowid)?;
        }
        Ok(Some(table))
    }

    /// The names of all tables and views, in order.
    pub(super) fn names(connection: &Connection) -> rusqlite::Result<Vec<String>> {
        let mut statement = connection.prepare_cached(
            "SELECT name FROM pragma_table_list
             WHERE schema = 'main' AND type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
             ORDER BY name",
        )?;
        let names = statement.query_map([], |row| row.get(0))?;
        names.collect()
    }

    pub(super) fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// The columns by which a row is found at once, as far as SQLite has any.
    pub(super) fn identity(&self) -> Option<Order> {
        self.rowid.as_deref().map(Order::by).or_else(|| self.order.clone())
    }

    /// Whether the stream's key identifies a row by the order, so that rows are found by it at once.
    pub(super) fn is_ordered_by(&self, key: &[String]) -> bool {
        self.order.as_ref().is_some_and(|order| {
            order.len() == key.len() && order.0.iter().zip(key).all(|((column, _), field)| column == field)
        })
    }

    /// A name of the row's number that no column has taken.
    fn free_rowid(&self) -> Option<String> {
        let is_taken = |name: &str| self.columns.iter().any(|column| column.name.eq_ignore_ascii_case(name));
        ["rowid", "_rowid_", "oid"].into_iter().find(|name| !is_taken(name)).map(str::to_owned)
    }

    fn find_order(&mut self, connection: &Connection, without_rowid: bool) -> rusqlite::Result<()> {
        let indexes = unique_indexes(connection, &self.name)?;
        let primary = indexes.iter().find(|index| index.is_primary_key);
        if !without_rowid {
            // A primary key without an index of its own is the row's number itself.
            let alias = primary.is_none().then(|| self.key.first().cloned()).flatten();
            self.rowid = alias.clone().or_else(|| self.free_rowid());
            if let Some(alias) = alias {
                self.order = Some(Order::by(&alias));
                return Ok(());
            }
        }
        let never_null = |name: &String| self.column(name).is_some_and(|column| column.is_not_null);
        let chosen = primary.or_else(|| indexes.iter().find(|index| index.columns.iter().all(never_null)));
        if let Some(index) = chosen {
            self.is_order_nullable = !without_rowid && !index.columns.iter().all(never_null);
            self.key.clone_from(&index.columns);
            self.order.clone_from(&index.order);
        }
        if self.order.is_none()
            && let Some(rowid) = &self.rowid
        {
            self.order = Some(Order::by(rowid));
            self.is_order_nullable = false;
        }
        Ok(())
    }
}

/// The columns that can be read, and those of the declared primary key.
fn columns(connection: &Connection, table: &str) -> rusqlite::Result<(Vec<Column>, Vec<String>)> {
    // Hidden columns are marked 1; generated ones 2 and 3.
    let mut statement = connection.prepare_cached(
        "SELECT name, type, \"notnull\", pk FROM pragma_table_xinfo(?1) WHERE hidden <> 1 ORDER BY cid",
    )?;
    let mut rows = statement.query([table])?;
    let (mut columns, mut key) = (Vec::new(), Vec::<(i64, String)>::new());
    while let Some(row) = rows.next()? {
        let column = Column {
            name: row.get(0)?,
            declared: row.get::<_, Option<_>>(1)?.unwrap_or_default(),
            is_not_null: row.get(2)?,
        };
        match row.get(3)? {
            0 => {}
            place => key.push((place, column.name.clone())),
        }
        columns.push(column);
    }
    key.sort_unstable();
    Ok((columns, key.into_iter().map(|(_, name)| name).collect()))
}

struct UniqueIndex {
    is_primary_key: bool,
    columns: Vec<String>,
    /// Its order, if that can be named in a query: of columns that all rise or all fall, by collations that SQLite itself has.
    order: Option<Order>,
}

/// The indexes of whole tables, over columns, that let no two rows have the same values.
fn unique_indexes(connection: &Connection, table: &str) -> rusqlite::Result<Vec<UniqueIndex>> {
    let mut statement = connection.prepare_cached(
        "SELECT name, origin = 'pk' FROM pragma_index_list(?1) WHERE \"unique\" AND NOT partial ORDER BY seq DESC",
    )?;
    let named = statement.query_map([table], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let named = named.collect::<rusqlite::Result<Vec<(String, bool)>>>()?;
    let mut indexes = Vec::new();
    for (name, is_primary_key) in named {
        let mut statement = connection.prepare_cached(
            "SELECT name, coll, \"desc\" FROM pragma_index_xinfo(?1) WHERE key ORDER BY seqno",
        )?;
        let parts = statement.query_map([name], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        let parts = parts.collect::<rusqlite::Result<Vec<(Option<String>, String, bool)>>>()?;
        // A part without a name is an expression, or the row's number.
        let Some(columns) = parts.iter().map(|(name, ..)| name.clone()).collect::<Option<Vec<_>>>() else {
            continue;
        };
        let is_own = |collation: &str| {
            ["BINARY", "NOCASE", "RTRIM"].iter().any(|own| own.eq_ignore_ascii_case(collation))
        };
        let is_plain = parts.iter().all(|(_, collation, falls)| is_own(collation) && *falls == parts[0].2);
        let terms =
            parts.into_iter().zip(&columns).map(|((_, collation, _), name)| (name.clone(), Some(collation)));
        let order = is_plain.then(|| Order(terms.collect()));
        indexes.push(UniqueIndex { is_primary_key, columns, order });
    }
    Ok(indexes)
}
