//! From the values that a database keeps to ours.

use std::borrow::Cow;
use std::error::Error;
use std::str::FromStr;

use inlet_model::Timestamp;
use serde::de::value::StrDeserializer;
use serde::de::{DeserializeOwned, IntoDeserializer};

use super::{SqlError, SqlResult};

/// A value as a database gives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Cell<'a> {
    Null,
    Integer(i64),
    Text(Cow<'a, str>),
    Blob(&'a [u8]),
}

/// A row of an answer.
pub(crate) trait Row {
    /// The value of the column of that number, from 0.
    fn cell(&self, column: usize) -> SqlResult<Cell<'_>>;
}

type Reason = Box<dyn Error + Send + Sync>;

/// What a column can be read as.
pub(crate) trait Plain: Sized {
    fn read(cell: Cell<'_>) -> Result<Self, Reason>;
}

/// Takes the columns of a row one after the other.
pub(crate) struct Columns<'row> {
    row: &'row dyn Row,
    next: usize,
}

impl<'row> Columns<'row> {
    pub(crate) fn of(row: &'row dyn Row) -> Self {
        Self { row, next: 0 }
    }

    /// Goes on with the column of that number, from 0.
    pub(crate) fn at(&mut self, column: usize) -> &mut Self {
        self.next = column;
        self
    }

    /// A value as it is kept.
    pub(crate) fn plain<T: Plain>(&mut self) -> SqlResult<T> {
        self.read(T::read)
    }

    /// A value bound as [`Text`](super::Text).
    pub(crate) fn text<T: FromStr<Err: Error + Send + Sync + 'static>>(&mut self) -> SqlResult<T> {
        self.read(from_text)
    }

    /// A value bound as [`Text`](super::Text), or NULL.
    pub(crate) fn optional_text<T: FromStr<Err: Error + Send + Sync + 'static>>(
        &mut self,
    ) -> SqlResult<Option<T>> {
        self.read(|cell| optional(cell, from_text))
    }

    /// A value bound as [`Json`](super::Json).
    pub(crate) fn json<T: DeserializeOwned>(&mut self) -> SqlResult<T> {
        self.read(from_json)
    }

    /// A value bound as [`Json`](super::Json), or NULL.
    pub(crate) fn optional_json<T: DeserializeOwned>(&mut self) -> SqlResult<Option<T>> {
        self.read(|cell| optional(cell, from_json))
    }

    /// A value bound as [`Name`](super::Name).
    pub(crate) fn name<T: DeserializeOwned>(&mut self) -> SqlResult<T> {
        self.read(from_name)
    }

    /// A value bound as [`Name`](super::Name), or NULL.
    pub(crate) fn optional_name<T: DeserializeOwned>(&mut self) -> SqlResult<Option<T>> {
        self.read(|cell| optional(cell, from_name))
    }

    /// A value bound as [`Unsigned`](super::Unsigned).
    pub(crate) fn unsigned(&mut self) -> SqlResult<u64> {
        self.read(|cell| Ok(u64::try_from(i64::read(cell)?)?))
    }

    /// A value bound as [`Unsigned`](super::Unsigned), or NULL.
    pub(crate) fn optional_unsigned(&mut self) -> SqlResult<Option<u64>> {
        self.plain::<Option<i64>>()?.map(u64::try_from).transpose().map_err(SqlError::row)
    }

    /// An id that is kept as its bytes.
    pub(crate) fn id(&mut self) -> SqlResult<u128> {
        self.plain().map(u128::from_be_bytes)
    }

    /// Bytes, where they lie.
    pub(crate) fn blob(&mut self) -> SqlResult<&'row [u8]> {
        self.read(|cell| match cell {
            Cell::Blob(bytes) => Ok(bytes),
            other => Err(unexpected("bytes", &other)),
        })
    }

    /// A time.
    pub(crate) fn time(&mut self) -> SqlResult<Timestamp> {
        self.plain().map(Timestamp::from_micros)
    }

    /// A time, or NULL.
    pub(crate) fn optional_time(&mut self) -> SqlResult<Option<Timestamp>> {
        Ok(self.plain::<Option<i64>>()?.map(Timestamp::from_micros))
    }

    /// The next column, which must be what we write.
    pub(crate) fn read<T>(&mut self, read: impl FnOnce(Cell<'row>) -> Result<T, Reason>) -> SqlResult<T> {
        let column = self.next;
        self.next += 1;
        read(self.row.cell(column)?).map_err(|reason| SqlError::Column { column, reason })
    }
}

impl Plain for i64 {
    fn read(cell: Cell<'_>) -> Result<Self, Reason> {
        match cell {
            Cell::Integer(number) => Ok(number),
            other => Err(unexpected("an integer", &other)),
        }
    }
}

macro_rules! plain_integers {
    ($($integer:ty),*) => {$(
        impl Plain for $integer {
            fn read(cell: Cell<'_>) -> Result<Self, Reason> {
                Ok(Self::try_from(i64::read(cell)?)?)
            }
        }
    )*};
}

plain_integers!(u8, u16, u32, i32, usize);

impl Plain for bool {
    fn read(cell: Cell<'_>) -> Result<Self, Reason> {
        i64::read(cell).map(|number| number != 0)
    }
}

impl Plain for String {
    fn read(cell: Cell<'_>) -> Result<Self, Reason> {
        text_of(cell).map(Cow::into_owned)
    }
}

impl Plain for Vec<u8> {
    fn read(cell: Cell<'_>) -> Result<Self, Reason> {
        match cell {
            Cell::Blob(bytes) => Ok(bytes.to_vec()),
            other => Err(unexpected("bytes", &other)),
        }
    }
}

impl<const N: usize> Plain for [u8; N] {
    fn read(cell: Cell<'_>) -> Result<Self, Reason> {
        match cell {
            Cell::Blob(bytes) => Ok(bytes.try_into()?),
            other => Err(unexpected("bytes", &other)),
        }
    }
}

impl<T: Plain> Plain for Option<T> {
    fn read(cell: Cell<'_>) -> Result<Self, Reason> {
        optional(cell, T::read)
    }
}

fn optional<'a, T>(
    cell: Cell<'a>,
    read: impl FnOnce(Cell<'a>) -> Result<T, Reason>,
) -> Result<Option<T>, Reason> {
    if cell == Cell::Null { Ok(None) } else { read(cell).map(Some) }
}

fn from_text<T: FromStr<Err: Error + Send + Sync + 'static>>(cell: Cell<'_>) -> Result<T, Reason> {
    Ok(text_of(cell)?.parse()?)
}

fn from_json<T: DeserializeOwned>(cell: Cell<'_>) -> Result<T, Reason> {
    Ok(serde_json::from_str(&text_of(cell)?)?)
}

fn from_name<T: DeserializeOwned>(cell: Cell<'_>) -> Result<T, Reason> {
    let name = text_of(cell)?;
    let name: StrDeserializer<'_, serde::de::value::Error> = (*name).into_deserializer();
    Ok(T::deserialize(name)?)
}

fn text_of(cell: Cell<'_>) -> Result<Cow<'_, str>, Reason> {
    match cell {
        Cell::Text(text) => Ok(text),
        other => Err(unexpected("a text", &other)),
    }
}

/// Says what stands there, but not its content.
fn unexpected(wanted: &str, found: &Cell<'_>) -> Reason {
    let found = match found {
        Cell::Null => "NULL",
        Cell::Integer(_) => "an integer",
        Cell::Text(_) => "a text",
        Cell::Blob(_) => "bytes",
    };
    format!("{found} stands where {wanted} is to be").into()
}
