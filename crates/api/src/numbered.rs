//! Lists whose items are numbered, such as the lines of a log: read page by page, by their numbers.

use inlet_store::catalog::Order;

use crate::pages::{self, DATA_MAX, PageView, Signer, take_limit};
use crate::problem::Problem;
use crate::query::Query;

/// Which list is asked for, what it is narrowed to included, and which part of it.
#[derive(Debug)]
pub(crate) struct Numbered {
    list: String,
    /// The number behind which the page begins; `None`: with the first item.
    pub(crate) after: Option<u64>,
    limit: usize,
}

impl Numbered {
    /// Takes `limit` and `cursor` of the list at `path`; every other parameter must have been taken by then.
    pub(crate) fn take(signer: &Signer, path: &str, mut query: Query) -> Result<Self, Problem> {
        let limit = take_limit(&mut query, DATA_MAX)?;
        let cursor = query.take("cursor");
        let list = format!("{path}{}", query.narrowed());
        query.finish()?;
        let number = |token: String| {
            let place = signer.open(&list, &token)?;
            place.try_into().map(u64::from_be_bytes).map_err(|_| pages::invalid())
        };
        let after = cursor.map(number).transpose()?;
        Ok(Self { list, after, limit })
    }

    /// How many items to read: one more than fit, which tells that there are more.
    pub(crate) fn read(&self) -> usize {
        self.limit + 1
    }

    /// The page of the items that were read.
    pub(crate) fn page<T>(
        &self,
        signer: &Signer,
        mut data: Vec<T>,
        number: impl Fn(&T) -> u64,
    ) -> PageView<T> {
        let has_more = data.len() > self.limit;
        data.truncate(self.limit);
        let last = data.last().filter(|_| has_more);
        let next_cursor = last.map(|last| signer.sign(&self.list, &number(last).to_be_bytes()));
        PageView { data, next_cursor }
    }
}

/// `order`, of a list that begins with the oldest.
pub(crate) fn take_order(query: &mut Query) -> Result<Order, Problem> {
    match query.narrow("order").as_deref() {
        None | Some("asc") => Ok(Order::OldestFirst),
        Some("desc") => Ok(Order::NewestFirst),
        Some(_) => Err(Query::invalid("order", "is `asc` (oldest first) or `desc` (newest first)")),
    }
}
