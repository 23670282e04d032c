//! Pages in keyset order: `WHERE … (created_at, id) < (?, ?) ORDER BY created_at DESC, id DESC LIMIT ?`.

use inlet_model::Timestamp;

use crate::catalog::{Created, Order, Page, PageCursor, PageQuery};
use crate::sql::{Bind, Bound, Columns, Session, SqlResult, params};

/// No list is longer, whatever was asked for.
const MAX_LIMIT: usize = 1000;

/// The query for one page of a list: what it is narrowed to, and the place behind which it begins.
pub(crate) struct Listing {
    limit: usize,
    order: Order,
    after: (i64, String),
    conditions: Vec<String>,
    values: Vec<Value>,
    prefix: &'static str,
    time: &'static str,
}

impl Listing {
    pub(crate) fn of(query: PageQuery) -> Self {
        let after = match (query.after, query.order) {
            (Some(place), _) => (place.created_at.as_micros(), place.id),
            // Before everything: no id has such a character, and none is empty.
            (None, Order::NewestFirst) => (i64::MAX, char::MAX.to_string()),
            (None, Order::OldestFirst) => (i64::MIN, String::new()),
        };
        let limit = query.limit.min(MAX_LIMIT);
        Self {
            limit,
            order: query.order,
            after,
            conditions: Vec::new(),
            values: Vec::new(),
            prefix: "",
            time: "created_at",
        }
    }

    /// The table's columns are written with this in front.
    pub(crate) fn prefixed(self, prefix: &'static str) -> Self {
        Self { prefix, ..self }
    }

    /// The column of the time by which the table's rows are ordered is called so.
    pub(crate) fn timed_by(self, time: &'static str) -> Self {
        Self { time, ..self }
    }

    /// Only rows where `condition` holds.
    pub(crate) fn that(mut self, condition: &str) -> Self {
        self.conditions.push(condition.to_owned());
        self
    }

    /// Only rows where `condition` holds, with `value` in the place of its `?`.
    pub(crate) fn only(mut self, condition: &str, value: impl Into<Value>) -> Self {
        self.values.push(value.into());
        let number = self.values.len();
        self.conditions.push(condition.replacen('?', &format!("?{number}"), 1));
        self
    }

    /// Only rows where `condition` holds, if there is a value.
    pub(crate) fn only_if(self, condition: &str, value: Option<impl Into<Value>>) -> Self {
        match value {
            Some(value) => self.only(condition, value),
            None => self,
        }
    }

    /// Only rows made in that time.
    pub(crate) fn created(self, created: Created) -> Self {
        let (prefix, time) = (self.prefix, self.time);
        self.only_if(&format!("{prefix}{time} > ?"), created.after.map(Timestamp::as_micros))
            .only_if(&format!("{prefix}{time} < ?"), created.before.map(Timestamp::as_micros))
    }

    /// The whole statement.
    pub(crate) fn sql(&self, select: &str) -> String {
        let (sign, direction) = match self.order {
            Order::NewestFirst => ("<", "DESC"),
            Order::OldestFirst => (">", "ASC"),
        };
        let (prefix, time) = (self.prefix, self.time);
        let conditions: String =
            self.conditions.iter().map(|condition| format!("{condition} AND ")).collect();
        let [at, id, limit] = [1, 2, 3].map(|place| self.values.len() + place);
        format!(
            "{select} WHERE {conditions}({prefix}{time}, {prefix}id) {sign} (?{at}, ?{id})
             ORDER BY {prefix}{time} {direction}, {prefix}id {direction} LIMIT ?{limit}"
        )
    }

    /// Reads the page; `place` says where an item stands.
    pub(crate) fn read<T>(
        self,
        db: &dyn Session,
        select: &str,
        read: impl FnMut(&mut Columns<'_>) -> SqlResult<T>,
        place: impl Fn(&T) -> (Timestamp, String),
    ) -> SqlResult<Page<T>> {
        let sql = self.sql(select);
        // One more than the page holds: whether it is there says whether another page follows.
        let rows = i64::try_from(self.limit + 1).unwrap_or(i64::MAX);
        let (created_at, id) = &self.after;
        let mut params: Vec<&dyn Bind> = self.values.iter().map(|value| value as &dyn Bind).collect();
        params.extend(params![created_at, id, rows]);
        let items = db.rows(&sql, &params, read)?;
        Ok(cut(items, self.limit, place))
    }
}

/// What a list is narrowed by.
#[derive(Debug)]
pub(crate) enum Value {
    Integer(i64),
    Text(String),
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl Bind for Value {
    fn bind(&self) -> SqlResult<Bound<'_>> {
        match self {
            Self::Integer(number) => number.bind(),
            Self::Text(text) => text.bind(),
        }
    }
}

/// The page of these items, of which one too many says that another page follows.
fn cut<T>(mut items: Vec<T>, limit: usize, place: impl Fn(&T) -> (Timestamp, String)) -> Page<T> {
    let more = items.len() > limit;
    items.truncate(limit);
    let last = items.last().filter(|_| more).map(place);
    Page { items, next: last.map(|(created_at, id)| PageCursor { created_at, id }) }
}

/// One page of several lists of the same order that have no item in common.
pub(crate) fn merge<T>(
    pages: Vec<Page<T>>,
    query: &PageQuery,
    place: impl Fn(&T) -> (Timestamp, String),
) -> Page<T> {
    let follows = pages.iter().any(|page| page.next.is_some());
    let mut items: Vec<T> = pages.into_iter().flat_map(|page| page.items).collect();
    items.sort_by(|one, other| match query.order {
        Order::NewestFirst => place(other).cmp(&place(one)),
        Order::OldestFirst => place(one).cmp(&place(other)),
    });
    let limit = query.limit.min(MAX_LIMIT);
    let fits = items.len() <= limit;
    let mut page = cut(items, limit, &place);
    if fits
        && follows
        && let Some((created_at, id)) = page.items.last().map(place)
    {
        page.next = Some(PageCursor { created_at, id });
    }
    page
}
