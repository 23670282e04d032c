//! What the catalogs say of tables and views: their columns, what identifies a row, and in which order rows can be read.

mod column_types;

use std::collections::{BTreeMap, BTreeSet};

use inlet_source::{ErrorKind, SourceError};

use self::column_types::Types;
use super::client::Client;
use super::kinds::{Form, Kind, MONEY};

/// A table, or anything else that rows are read from.
#[derive(Debug, Clone)]
pub(super) struct Table {
    pub(super) oid: u32,
    pub(super) schema: String,
    pub(super) name: String,
    /// As `pg_class.relkind` says it.
    relkind: String,
    pub(super) columns: Vec<Column>,
    /// The columns that identify a row: its primary key, else those of a unique index that are never NULL.
    pub(super) key: Vec<String>,
    /// The columns by which rows are read in order, each row at a place of its own. Empty: there are none.
    pub(super) order: Vec<String>,
    /// Columns by which an index is ordered first.
    pub(super) indexed: BTreeSet<String>,
    /// About how many rows there are.
    pub(super) estimate: Option<u64>,
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) kind: Kind,
    /// The type as SQL writes it, `numeric(12,2)` for instance.
    pub(super) declared: String,
    pub(super) is_not_null: bool,
    /// The form in which its values come.
    pub(super) form: Form,
    /// The function that makes its text, if that is what comes.
    through: Option<String>,
    /// The same function, whatever comes.
    output: String,
    is_money: bool,
}

impl Column {
    /// What a query asks for to get its value.
    pub(super) fn selected(&self) -> String {
        let name = quoted(&self.name);
        match &self.through {
            // A cast may be another function of the type's own.
            Some(output) => format!("pg_catalog.textin({output}({name}))"),
            // The text of money is made for people; as a number it has the digits that the database keeps.
            None if self.is_money => format!("{name}::pg_catalog.numeric"),
            None => name,
        }
    }

    /// The same column, whose values come as the text that the server reads again.
    pub(super) fn as_text(&self) -> Self {
        Self { form: Form::Text, through: Some(self.output.clone()), ..self.clone() }
    }

    /// A value of this column as SQL writes it.
    pub(super) fn literal(&self, text: &str) -> String {
        format!("{}::{}", literal(text), self.declared)
    }
}

/// A name as SQL writes it, whatever is in it.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A text as SQL writes it, whatever is in it and however the server is set.
pub(super) fn literal(text: &str) -> String {
    format!("E'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
}

impl Table {
    /// The stream's name.
    pub(super) fn stream(&self) -> String {
        format!("{}.{}", self.schema, self.name)
    }

    /// For `FROM`. Tables that inherit are streams of their own.
    pub(super) fn from(&self) -> String {
        let only = if matches!(self.relkind.as_str(), "r" | "f") { "ONLY " } else { "" };
        format!("{only}{}.{}", quoted(&self.schema), quoted(&self.name))
    }

    /// The order, for `ORDER BY`.
    pub(super) fn sequence(&self) -> String {
        self.order.iter().map(|name| quoted(name)).collect::<Vec<_>>().join(", ")
    }

    /// What holds behind a place in the order.
    pub(super) fn behind(&self, place: &[String]) -> String {
        let values = self.order.iter().zip(place);
        let values = values.filter_map(|(name, text)| self.column(name).map(|column| column.literal(text)));
        format!("({}) > ({})", self.sequence(), values.collect::<Vec<_>>().join(", "))
    }

    pub(super) fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    pub(super) fn no_column(&self, field: &str) -> SourceError {
        let message = format!("`{}` has no column `{field}` that may be read", self.stream());
        SourceError::new(ErrorKind::Config, "read table", message).hint("choose a column that is there")
    }
}

/// Which tables are wanted.
pub(super) enum Wanted<'a> {
    /// All that can be read; of these schemas if any are named.
    All(Option<&'a [String]>),
    /// The one of this stream.
    Stream(&'a str),
}

/// Finds tables, in the order of their names.
pub(super) async fn find(client: &mut Client, wanted: &Wanted<'_>) -> Result<Vec<Table>, SourceError> {
    let mut tables = relations(client, wanted).await?;
    let found: Vec<String> = tables.iter().map(|table| table.oid.to_string()).collect();
    if found.is_empty() {
        return Ok(tables);
    }
    let oids = format!("'{{{}}}'::oid[]", found.join(","));
    let columns = columns(client, &oids).await?;
    let mut types = Types::default();
    let used: BTreeSet<u32> = columns.iter().map(|(_, column)| column.type_oid).collect();
    types.learn(client, used).await?;
    let mut of_table: BTreeMap<u32, Vec<Column>> = BTreeMap::new();
    for (table, column) in columns {
        let form = types.form(column.type_oid);
        of_table.entry(table).or_default().push(Column {
            kind: types.kind(column.type_oid),
            form: form.unwrap_or(Form::Text),
            through: form.is_none().then(|| column.output.clone()),
            output: column.output,
            is_money: types.base(column.type_oid) == MONEY,
            name: column.name,
            declared: column.declared,
            is_not_null: column.is_not_null,
        });
    }
    for table in &mut tables {
        table.columns = of_table.remove(&table.oid).unwrap_or_default();
    }
    add_indexes(client, &oids, &mut tables).await?;
    tables.retain(|table| !table.columns.is_empty());
    Ok(tables)
}

async fn relations(client: &mut Client, wanted: &Wanted<'_>) -> Result<Vec<Table>, SourceError> {
    let filter = match wanted {
        Wanted::Stream(name) => format!("n.nspname || '.' || c.relname = {}", literal(name)),
        Wanted::All(schemas) => {
            let of_schemas = match schemas {
                Some(names) => {
                    let names: Vec<String> = names.iter().map(|name| literal(name)).collect();
                    format!("n.nspname IN ({})", names.join(", "))
                }
                None => r"n.nspname NOT LIKE 'pg\_%' AND n.nspname <> 'information_schema'".to_owned(),
            };
            // What belongs to an extension is not the user's data.
            format!(
                "{of_schemas} AND pg_catalog.has_schema_privilege(n.oid, 'USAGE') \
                 AND pg_catalog.has_any_column_privilege(c.oid, 'SELECT') \
                 AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_catalog.pg_class'::regclass \
                                 AND d.objid = c.oid AND d.deptype = 'e')"
            )
        }
    };
    // A partitioned table knows its size as the sum of its parts.
    let sql = format!(
        "SELECT c.oid, n.nspname, c.relname, c.relkind, \
                CASE WHEN c.relkind = 'p' THEN \
                    (SELECT sum(p.reltuples) FROM pg_catalog.pg_partition_tree(c.oid) t \
                     JOIN pg_catalog.pg_class p ON p.oid = t.relid WHERE t.isleaf AND p.reltuples >= 0)::bigint \
                ELSE nullif(greatest(c.reltuples, -1), -1)::bigint END \
         FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
         WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition AND {filter} ORDER BY 2, 3"
    );
    let rows = client.rows(&sql).await?;
    rows.into_iter()
        .map(|row| {
            let [oid, schema, name, relkind, estimate] = exactly(row)?;
            let never_counted = relkind.as_deref().is_some_and(|kind| matches!(kind, "v" | "f"));
            Ok(Table {
                oid: number(oid)?,
                schema: given(schema)?,
                name: given(name)?,
                relkind: given(relkind)?,
                columns: Vec::new(),
                key: Vec::new(),
                order: Vec::new(),
                indexed: BTreeSet::new(),
                estimate: estimate.filter(|_| !never_counted).and_then(|count| count.parse().ok()),
            })
        })
        .collect()
}

struct FoundColumn {
    name: String,
    type_oid: u32,
    declared: String,
    is_not_null: bool,
    /// The function that makes its text.
    output: String,
}

async fn columns(client: &mut Client, oids: &str) -> Result<Vec<(u32, FoundColumn)>, SourceError> {
    let sql = format!(
        "SELECT a.attrelid, a.attname, a.atttypid, pg_catalog.format_type(a.atttypid, a.atttypmod), a.attnotnull, \
                n.nspname, p.proname \
         FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid \
         JOIN pg_catalog.pg_proc p ON p.oid = t.typoutput JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace \
         WHERE a.attrelid = ANY ({oids}) AND a.attnum > 0 AND NOT a.attisdropped \
         AND pg_catalog.has_column_privilege(a.attrelid, a.attnum, 'SELECT') ORDER BY a.attrelid, a.attnum"
    );
    let rows = client.rows(&sql).await?;
    rows.into_iter()
        .map(|row| {
            let [table, name, type_oid, declared, is_not_null, schema, function] = exactly(row)?;
            let column = FoundColumn {
                name: given(name)?,
                type_oid: number(type_oid)?,
                declared: given(declared)?,
                is_not_null: is_not_null.as_deref() == Some("t"),
                output: format!("{}.{}", quoted(&given(schema)?), quoted(&given(function)?)),
            };
            Ok((number(table)?, column))
        })
        .collect()
}

/// Adds keys, orders and what is indexed.
async fn add_indexes(client: &mut Client, oids: &str, tables: &mut [Table]) -> Result<(), SourceError> {
    // Primary keys come first, then the indexes of the fewest columns.
    let sql = format!(
        "SELECT i.indrelid, i.indisunique AND i.indimmediate, \
                (SELECT json_agg(a.attname ORDER BY k.place) FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS k(attnum, place) \
                 LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum \
                 WHERE k.place <= i.indnkeyatts) \
         FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid \
         JOIN pg_catalog.pg_am m ON m.oid = c.relam \
         WHERE i.indrelid = ANY ({oids}) AND m.amname = 'btree' AND i.indisvalid AND i.indpred IS NULL \
         ORDER BY i.indrelid, i.indisprimary DESC, i.indnkeyatts, i.indexrelid"
    );
    for row in client.rows(&sql).await? {
        let [table, is_unique, columns] = exactly(row)?;
        let table: u32 = number(table)?;
        // A part without a name is an expression.
        let columns: Vec<Option<String>> = serde_json::from_str(&given(columns)?).map_err(|_| strange())?;
        let Some(table) = tables.iter_mut().find(|each| each.oid == table) else { continue };
        table.indexed.extend(columns.first().cloned().flatten());
        let Some(columns) = columns.into_iter().collect::<Option<Vec<String>>>() else { continue };
        let identifies = is_unique.as_deref() == Some("t")
            && columns.iter().all(|name| table.column(name).is_some_and(|column| column.is_not_null));
        if identifies && table.key.is_empty() {
            table.key.clone_from(&columns);
            // Money cannot be read back from its number.
            let is_readable = |name: &String| table.column(name).is_some_and(|column| !column.is_money);
            table.order = if columns.iter().all(is_readable) { columns } else { Vec::new() };
        }
    }
    Ok(())
}

fn strange() -> SourceError {
    SourceError::new(ErrorKind::Format, "read catalogs", "the catalogs are not as PostgreSQL's are")
}

fn exactly<const N: usize>(row: Vec<Option<String>>) -> Result<[Option<String>; N], SourceError> {
    row.try_into().map_err(|_| strange())
}

fn given(text: Option<String>) -> Result<String, SourceError> {
    text.ok_or_else(strange)
}

fn number(text: Option<String>) -> Result<u32, SourceError> {
    given(text)?.parse().map_err(|_| strange())
}
