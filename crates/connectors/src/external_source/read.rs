//! Reading the streams: the pushes that wait for each, oldest first, until none waits any more.

use inlet_model::{Batch, Scope};
use inlet_source::{
    Closed, ErrorKind, Inbox, InboxEntry, Message, Outlet, ReadRequest, SourceError, StreamRequest,
};
use memchr::memchr_iter;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::convert::LineWriter;
use crate::trouble::Trouble;

/// How far a stream's pushes have been taken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Position {
    /// The last push taken whole.
    seq: u64,
    /// The lines taken of the one behind it.
    #[serde(default)]
    lines: u64,
}

impl Position {
    fn of(stream: &StreamRequest) -> Self {
        let cursor = stream.scopes.get(&Scope::whole()).and_then(|state| state.cursor.clone());
        cursor.and_then(|cursor| serde_json::from_value(cursor).ok()).unwrap_or_default()
    }

    fn to_value(self) -> Value {
        serde_json::to_value(self).expect("numbers are JSON")
    }
}

/// Reads the streams of `request`, each until its inbox is empty.
pub(super) async fn read(request: &ReadRequest, out: &Outlet) -> Result<(), SourceError> {
    for stream in &request.streams {
        let name = stream.name.clone();
        let end = match Reading::new(request, stream, out).run().await {
            Ok(()) => Message::StreamEnd { stream: name },
            Err(Trouble::Failed(error)) => Message::StreamFailed { stream: name, error },
            Err(Trouble::Closed) => return Ok(()),
        };
        if out.send(end).await.is_err() {
            return Ok(());
        }
    }
    Ok(())
}

struct Reading<'a> {
    request: &'a ReadRequest,
    stream: &'a StreamRequest,
    out: &'a Outlet,
    writer: LineWriter<'a>,
    batch: Batch,
    position: Position,
}

impl<'a> Reading<'a> {
    fn new(request: &'a ReadRequest, stream: &'a StreamRequest, out: &'a Outlet) -> Self {
        Self {
            request,
            stream,
            out,
            writer: LineWriter::new(stream, request.max_record_bytes),
            batch: Batch::new(stream.name.clone(), Scope::whole(), request.seed),
            position: Position::of(stream),
        }
    }

    async fn run(mut self) -> Result<(), Trouble> {
        let Some(inbox) = self.request.inbox.as_deref() else { return Ok(()) };
        loop {
            let pushes = self.waiting(inbox).await?;
            let Some(last) = pushes.last() else { return Ok(()) };
            for push in &pushes {
                self.push(push).await?;
            }
            self.flush().await?;
            self.out
                .send(Message::InboxTaken { stream: self.stream.name.clone(), through: last.seq })
                .await?;
        }
    }

    async fn waiting(&self, inbox: &dyn Inbox) -> Result<Vec<InboxEntry>, Trouble> {
        inbox.after(&self.stream.name, self.position.seq, self.request.batch_bytes).await.map_err(|error| {
            let message = "the pushes that wait could not be read";
            Trouble::Failed(SourceError::new(ErrorKind::Unavailable, "read pushes", message).because(error))
        })
    }

    /// Takes the lines of a push, but for those that were taken earlier: these only count.
    async fn push(&mut self, push: &InboxEntry) -> Result<(), Trouble> {
        let taken_before = std::mem::take(&mut self.position.lines);
        self.writer.begin(push);
        let mut start = 0;
        for end in memchr_iter(b'\n', &push.lines) {
            self.position.lines += 1;
            self.writer.line(&mut self.batch, self.position.lines, &push.lines[start..end]);
            start = end + 1;
            let is_full = self.batch.bytes() >= self.request.batch_bytes;
            if self.position.lines == taken_before || (is_full && self.position.lines < taken_before) {
                self.batch = self.new_batch();
            } else if is_full {
                self.flush().await?;
            }
        }
        self.position = Position { seq: push.seq, lines: 0 };
        Ok(())
    }

    fn new_batch(&self) -> Batch {
        Batch::new(self.stream.name.clone(), Scope::whole(), self.request.seed)
    }

    /// Sends what there is, and the position behind it. Others may run in between, however long a push is.
    async fn flush(&mut self) -> Result<(), Closed> {
        if !self.batch.is_empty() {
            let next = self.new_batch();
            let batch = std::mem::replace(&mut self.batch, next);
            let checkpoint = Some(self.position.to_value());
            self.out.send(Message::Batch { batch, checkpoint }).await?;
        }
        tokio::task::yield_now().await;
        Ok(())
    }
}
