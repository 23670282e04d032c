//! From our values to those that a database keeps.

use std::borrow::Cow;
use std::fmt::Display;

use serde::Serialize;

use super::{SqlError, SqlResult};

/// A value as a database keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Bound<'a> {
    Null,
    Integer(i64),
    Text(Cow<'a, str>),
    Blob(&'a [u8]),
}

/// What can be a parameter of a statement.
pub(crate) trait Bind {
    fn bind(&self) -> SqlResult<Bound<'_>>;
}

impl<T: Bind + ?Sized> Bind for &T {
    fn bind(&self) -> SqlResult<Bound<'_>> {
        (**self).bind()
    }
}

impl<T: Bind> Bind for Option<T> {
    fn bind(&self) -> SqlResult<Bound<'_>> {
        self.as_ref().map_or(Ok(Bound::Null), Bind::bind)
    }
}

macro_rules! bind_integers {
    ($($integer:ty),*) => {$(
        impl Bind for $integer {
            fn bind(&self) -> SqlResult<Bound<'_>> {
                Ok(Bound::Integer(i64::from(*self)))
            }
        }
    )*};
}

// A truth is kept as 0 or 1.
bind_integers!(bool, u8, u16, u32, i32, i64);

impl Bind for str {
    fn bind(&self) -> SqlResult<Bound<'_>> {
        Ok(Bound::Text(self.into()))
    }
}

impl Bind for String {
    fn bind(&self) -> SqlResult<Bound<'_>> {
        self.as_str().bind()
    }
}

impl Bind for [u8] {
    fn bind(&self) -> SqlResult<Bound<'_>> {
        Ok(Bound::Blob(self))
    }
}

impl Bind for Vec<u8> {
    fn bind(&self) -> SqlResult<Bound<'_>> {
        self.as_slice().bind()
    }
}

impl<const N: usize> Bind for [u8; N] {
    fn bind(&self) -> SqlResult<Bound<'_>> {
        self.as_slice().bind()
    }
}

impl Bind for Bound<'_> {
    fn bind(&self) -> SqlResult<Bound<'_>> {
        Ok(match self {
            Bound::Null => Bound::Null,
            Bound::Integer(number) => Bound::Integer(*number),
            Bound::Text(text) => Bound::Text(Cow::Borrowed(text)),
            Bound::Blob(bytes) => Bound::Blob(bytes),
        })
    }
}

/// Binds a value as its text.
pub(crate) struct Text<T>(pub(crate) T);

impl<T: Display> Bind for Text<T> {
    fn bind(&self) -> SqlResult<Bound<'_>> {
        Ok(Bound::Text(self.0.to_string().into()))
    }
}

/// Binds a value as its JSON.
pub(crate) struct Json<T>(pub(crate) T);

impl<T: Serialize> Bind for Json<T> {
    fn bind(&self) -> SqlResult<Bound<'_>> {
        serde_json::to_string(&self.0).map(|text| Bound::Text(text.into())).map_err(SqlError::value)
    }
}

/// Binds a number of which databases know the lower half.
pub(crate) struct Unsigned(pub(crate) u64);

impl Bind for Unsigned {
    fn bind(&self) -> SqlResult<Bound<'_>> {
        i64::try_from(self.0).map(Bound::Integer).map_err(SqlError::value)
    }
}

/// Binds a variant of a plain enum as its name in JSON, without the quotes.
pub(crate) struct Name<T>(pub(crate) T);

impl<T: Serialize> Bind for Name<T> {
    fn bind(&self) -> SqlResult<Bound<'_>> {
        name_of(&self.0).map(|name| Bound::Text(name.into()))
    }
}

/// What [`Name`] binds.
pub(crate) fn name_of(value: &impl Serialize) -> SqlResult<String> {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(name)) => Ok(name),
        Ok(_) => Err(SqlError::value("not a plain enum")),
        Err(error) => Err(SqlError::value(error)),
    }
}
