//! Between the model's values and SQLite's: ids and names as text, times as microseconds, the rest as JSON.

use std::error::Error;
use std::fmt::Display;
use std::str::FromStr;

use inlet_model::Timestamp;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use rusqlite::{Result, Row};
use serde::Serialize;
use serde::de::value::StrDeserializer;
use serde::de::{DeserializeOwned, IntoDeserializer};

/// Binds a value as its text.
pub(super) struct Text<T>(pub(super) T);

impl<T: Display> ToSql for Text<T> {
    fn to_sql(&self) -> Result<ToSqlOutput<'_>> {
        Ok(self.0.to_string().into())
    }
}

/// Binds a value as its JSON.
pub(super) struct Json<T>(pub(super) T);

impl<T: Serialize> ToSql for Json<T> {
    fn to_sql(&self) -> Result<ToSqlOutput<'_>> {
        let text = serde_json::to_string(&self.0)
            .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
        Ok(text.into())
    }
}

/// Binds a number of which SQLite knows the lower half.
pub(super) struct Unsigned(pub(super) u64);

impl ToSql for Unsigned {
    fn to_sql(&self) -> Result<ToSqlOutput<'_>> {
        let number = i64::try_from(self.0)
            .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
        Ok(number.into())
    }
}

/// Binds a variant of a plain enum as its name in JSON, without the quotes.
pub(super) struct Name<T>(pub(super) T);

impl<T: Serialize> ToSql for Name<T> {
    fn to_sql(&self) -> Result<ToSqlOutput<'_>> {
        name_of(&self.0).map(Into::into)
    }
}

/// What [`Name`] binds.
pub(super) fn name_of(value: &impl Serialize) -> Result<String> {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(name)) => Ok(name),
        Ok(_) => Err(rusqlite::Error::ToSqlConversionFailure("not a plain enum".into())),
        Err(error) => Err(rusqlite::Error::ToSqlConversionFailure(Box::new(error))),
    }
}

/// Takes the columns of a row one after the other.
pub(super) struct Columns<'row> {
    row: &'row Row<'row>,
    next: usize,
}

impl<'row> Columns<'row> {
    pub(super) fn of(row: &'row Row<'row>) -> Self {
        Self { row, next: 0 }
    }

    /// A value that SQLite knows.
    pub(super) fn plain<T: FromSql>(&mut self) -> Result<T> {
        let index = self.next;
        self.next += 1;
        self.row.get(index)
    }

    /// A value bound as [`Text`].
    pub(super) fn text<T: FromStr<Err: Error + Send + Sync + 'static>>(&mut self) -> Result<T> {
        self.plain::<FromText<T>>().map(|column| column.0)
    }

    /// A value bound as [`Text`], or NULL.
    pub(super) fn optional_text<T: FromStr<Err: Error + Send + Sync + 'static>>(
        &mut self,
    ) -> Result<Option<T>> {
        Ok(self.plain::<Option<FromText<T>>>()?.map(|column| column.0))
    }

    /// A value bound as [`Json`].
    pub(super) fn json<T: DeserializeOwned>(&mut self) -> Result<T> {
        self.plain::<FromJson<T>>().map(|column| column.0)
    }

    /// A value bound as [`Json`], or NULL.
    pub(super) fn optional_json<T: DeserializeOwned>(&mut self) -> Result<Option<T>> {
        Ok(self.plain::<Option<FromJson<T>>>()?.map(|column| column.0))
    }

    /// A value bound as [`Name`].
    pub(super) fn name<T: DeserializeOwned>(&mut self) -> Result<T> {
        self.plain::<FromName<T>>().map(|column| column.0)
    }

    /// A value bound as [`Name`], or NULL.
    pub(super) fn optional_name<T: DeserializeOwned>(&mut self) -> Result<Option<T>> {
        Ok(self.plain::<Option<FromName<T>>>()?.map(|column| column.0))
    }

    /// A value bound as [`Unsigned`].
    pub(super) fn unsigned(&mut self) -> Result<u64> {
        let index = self.next;
        let number = self.plain::<i64>()?;
        u64::try_from(number).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(index, number))
    }

    /// A time.
    pub(super) fn time(&mut self) -> Result<Timestamp> {
        self.plain().map(Timestamp::from_micros)
    }

    /// A time, or NULL.
    pub(super) fn optional_time(&mut self) -> Result<Option<Timestamp>> {
        Ok(self.plain::<Option<i64>>()?.map(Timestamp::from_micros))
    }
}

struct FromText<T>(T);

impl<T: FromStr<Err: Error + Send + Sync + 'static>> FromSql for FromText<T> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        value.as_str()?.parse().map(Self).map_err(FromSqlError::other)
    }
}

struct FromJson<T>(T);

impl<T: DeserializeOwned> FromSql for FromJson<T> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        serde_json::from_str(value.as_str()?).map(Self).map_err(FromSqlError::other)
    }
}

struct FromName<T>(T);

impl<T: DeserializeOwned> FromSql for FromName<T> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let name: StrDeserializer<'_, serde::de::value::Error> = value.as_str()?.into_deserializer();
        T::deserialize(name).map(Self).map_err(FromSqlError::other)
    }
}
