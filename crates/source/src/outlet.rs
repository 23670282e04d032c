//! The way out of a source: a channel bounded by bytes.

use std::sync::Arc;

use inlet_model::{Batch, Scope, StreamName};
use serde_json::Value;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use crate::SourceError;

/// What a source says while it reads. The order is part of the contract: see [`Source::read`](crate::Source::read).
#[derive(Debug)]
pub enum Message {
    /// A new listing of the scope begins. What the scope holds and the listing does not see goes when it is complete.
    Listing {
        /// The stream.
        stream: StreamName,
        /// The scope that is listed.
        scope: Scope,
    },
    /// Records, and how far reading has come with them.
    Batch {
        /// The records, of one scope.
        batch: Batch,
        /// The position behind the batch: of the listing if one is open for the scope, else the cursor.
        checkpoint: Option<Value>,
    },
    /// The open listing of the scope has seen everything.
    Complete {
        /// The stream.
        stream: StreamName,
        /// The scope.
        scope: Scope,
        /// The cursor from which incremental reading goes on: the bound taken before the listing began.
        cursor: Option<Value>,
        /// Whether nothing that was there can have been missed. Only then is what was not seen deleted.
        certified: bool,
    },
    /// The scope was looked at and holds what it held when it was last complete.
    Unchanged {
        /// The stream.
        stream: StreamName,
        /// The scope.
        scope: Scope,
    },
    /// The scopes the stream has, all of them, by a certified listing. The records of every other scope go.
    Scopes {
        /// The stream.
        stream: StreamName,
        /// All scopes, in any order.
        scopes: Vec<Scope>,
    },
    /// The pushes to the stream up to this one have been sent as batches, and leave the inbox.
    InboxTaken {
        /// The stream.
        stream: StreamName,
        /// The last push taken.
        through: u64,
    },
    /// The stream was read to its end.
    StreamEnd {
        /// The stream.
        stream: StreamName,
    },
    /// The stream cannot be read on. What was sent stays; the others go on.
    StreamFailed {
        /// The stream.
        stream: StreamName,
        /// Why.
        error: SourceError,
    },
    /// Something a person should know; no failure.
    Warning {
        /// A whole sentence.
        text: String,
    },
}

impl Message {
    /// The stream that it is about.
    #[must_use]
    pub fn stream(&self) -> Option<&StreamName> {
        match self {
            Self::Batch { batch, .. } => Some(batch.stream()),
            Self::Listing { stream, .. }
            | Self::Complete { stream, .. }
            | Self::Unchanged { stream, .. }
            | Self::Scopes { stream, .. }
            | Self::InboxTaken { stream, .. }
            | Self::StreamEnd { stream }
            | Self::StreamFailed { stream, .. } => Some(stream),
            Self::Warning { .. } => None,
        }
    }

    /// The memory that counts against the bound.
    fn weight(&self) -> u32 {
        const LEAST: usize = 256;
        let bytes = match self {
            Self::Batch { batch, .. } => LEAST + batch.bytes(),
            Self::Scopes { scopes, .. } => {
                LEAST + scopes.iter().map(|scope| scope.as_str().len() + 16).sum::<usize>()
            }
            _ => LEAST,
        };
        u32::try_from(bytes).unwrap_or(u32::MAX)
    }
}

/// Nobody takes messages any more: the sync was cancelled, or has failed. The source stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("nobody takes messages any more")]
pub struct Closed;

/// Where a source sends its messages. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Outlet {
    sender: mpsc::Sender<(Message, OwnedSemaphorePermit)>,
    room: Arc<Semaphore>,
    capacity: u32,
}

/// Where the messages arrive, in the order they were sent.
#[derive(Debug)]
pub struct MessageReceiver(mpsc::Receiver<(Message, OwnedSemaphorePermit)>);

/// A channel that holds at most about `capacity` bytes of messages, and at most 1,024 of them.
///
/// A message larger than the whole capacity passes alone.
#[must_use]
pub fn messages(capacity: u32) -> (Outlet, MessageReceiver) {
    let (sender, receiver) = mpsc::channel(1024);
    let room = Arc::new(Semaphore::new(capacity as usize));
    (Outlet { sender, room, capacity }, MessageReceiver(receiver))
}

impl Outlet {
    /// Sends a message; waits while there is no room.
    pub async fn send(&self, message: Message) -> Result<(), Closed> {
        let weight = message.weight().min(self.capacity);
        let permit = tokio::select! {
            biased;
            permit = Arc::clone(&self.room).acquire_many_owned(weight) => permit.map_err(|_| Closed)?,
            () = self.sender.closed() => return Err(Closed),
        };
        self.sender.send((message, permit)).await.map_err(|_| Closed)
    }

    /// [`send`](Self::send) for a thread of the source's own, outside the async runtime.
    pub fn send_blocking(&self, runtime: &tokio::runtime::Handle, message: Message) -> Result<(), Closed> {
        runtime.block_on(self.send(message))
    }

    /// Whether nobody takes messages any more; a source that works long between messages asks now and then.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.sender.is_closed()
    }
}

/// A message taken from the channel. Its room is given back when this is dropped, so that records which wait for
/// their commit still count against the bound.
#[derive(Debug)]
pub struct Taken {
    /// The message.
    pub message: Message,
    /// The room it takes up.
    pub room: OwnedSemaphorePermit,
}

impl MessageReceiver {
    /// The next message; `None` when the source has dropped every [`Outlet`].
    pub async fn next(&mut self) -> Option<Taken> {
        self.0.recv().await.map(|(message, room)| Taken { message, room })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn warning(text: &str) -> Message {
        Message::Warning { text: text.to_owned() }
    }

    #[tokio::test]
    async fn a_sender_waits_until_room_is_given_back() {
        let (out, mut receiver) = messages(300);
        out.send(warning("one")).await.unwrap();
        let second = out.clone();
        let waiting = tokio::spawn(async move { second.send(warning("two")).await });
        let first = receiver.next().await.unwrap();
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished(), "the first message still holds its room");
        drop(first);
        waiting.await.unwrap().unwrap();
        assert!(receiver.next().await.is_some());
    }

    #[tokio::test]
    async fn a_waiting_sender_learns_that_nobody_listens() {
        let (out, receiver) = messages(256);
        out.send(warning("one")).await.unwrap();
        let waiting = tokio::spawn({
            let out = out.clone();
            async move { out.send(warning("two")).await }
        });
        tokio::task::yield_now().await;
        drop(receiver);
        assert_eq!(waiting.await.unwrap(), Err(Closed));
        assert!(out.is_closed());
    }
}
