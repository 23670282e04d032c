//! Filling a table by a copy, in the binary format: PostgreSQL's manual, page of `COPY`.

use bytes::Bytes;

use crate::postgres::client::{Client, CopyIn};
use crate::sql::collection::Outcome;

/// Rows are sent when so many bytes of them have gathered.
const SENT_AT_ONCE: usize = 256 << 10;

const SIGNATURE: &[u8] = b"PGCOPY\n\xff\r\n\0";
/// Neither flags nor an extension of the header.
const HEADER: [u8; 8] = [0; 8];
const END: i16 = -1;
/// In the place of a length.
const NULL: i32 = -1;

/// A copy under way. One that is dropped before its end leaves nothing.
pub(in crate::postgres) struct Copy<'client> {
    copying: CopyIn<'client>,
    buffer: Vec<u8>,
    /// What each row begins with.
    store: Option<[u8; 16]>,
}

impl<'client> Copy<'client> {
    /// Begins one whose rows begin with the store, if there is one.
    pub(in crate::postgres) fn begin(
        client: &'client mut Client,
        sql: &str,
        store: Option<[u8; 16]>,
    ) -> Outcome<Self> {
        let mut buffer = Vec::with_capacity(SENT_AT_ONCE + SENT_AT_ONCE / 4);
        buffer.extend_from_slice(SIGNATURE);
        buffer.extend_from_slice(&HEADER);
        Ok(Self { copying: client.copy_in(sql)?, buffer, store })
    }

    /// Begins a row with so many columns, that of the store among them.
    pub(in crate::postgres) fn row(&mut self, columns: i16) -> Outcome<&mut Self> {
        if self.buffer.len() >= SENT_AT_ONCE {
            self.send()?;
        }
        self.buffer.extend_from_slice(&columns.to_be_bytes());
        match self.store {
            Some(store) => self.bytes(&store),
            None => Ok(self),
        }
    }

    pub(in crate::postgres) fn bytes(&mut self, bytes: &[u8]) -> Outcome<&mut Self> {
        let length = i32::try_from(bytes.len()).map_err(crate::sql::SqlError::value)?;
        self.buffer.extend_from_slice(&length.to_be_bytes());
        self.buffer.extend_from_slice(bytes);
        Ok(self)
    }

    pub(in crate::postgres) fn null(&mut self) -> &mut Self {
        self.buffer.extend_from_slice(&NULL.to_be_bytes());
        self
    }

    pub(in crate::postgres) fn integer(&mut self, number: i64) -> Outcome<&mut Self> {
        self.bytes(&number.to_be_bytes())
    }

    pub(in crate::postgres) fn finish(mut self) -> Outcome<()> {
        self.buffer.extend_from_slice(&END.to_be_bytes());
        self.send()?;
        Ok(self.copying.finish()?)
    }

    fn send(&mut self) -> Outcome<()> {
        let next = Vec::with_capacity(self.buffer.capacity());
        let full = std::mem::replace(&mut self.buffer, next);
        Ok(self.copying.send(Bytes::from(full))?)
    }
}
