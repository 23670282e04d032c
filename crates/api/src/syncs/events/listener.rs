//! One listener: how far it has come, and what it waits for. It is asked for the next piece when the one before has been
//! sent, so that a slow one holds up nobody and holds nothing.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use futures_util::Stream;
use futures_util::stream::unfold;
use inlet_model::{StoreId, SyncId};
use inlet_store::StoreResult;
use inlet_store::catalog::Sync;
use inlet_store::collection::LogQuery;
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::time::Instant;

use super::feed::{Feed, Next, Told, piece};
use super::fill::LINES;
use super::place::Place;
use crate::app::Api;
use crate::auth::{self, Credential};
use crate::serve::Stopping;

/// A stream on which nothing happens says so often that it is there.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// So often it is looked whether the listener's key is still good.
const KEY_CHECK: Duration = Duration::from_secs(1);
/// A client that lost the stream is to come back after so many milliseconds.
const GREETING: &[u8] = b"retry: 2000\n\n";

/// A listener to one sync.
pub(super) struct Listener {
    api: Api,
    sync_id: SyncId,
    store_id: StoreId,
    feed: Arc<Feed>,
    changes: watch::Receiver<()>,
    place: Place,
    progress: u64,
    credential: Credential,
    stopping: Option<Stopping>,
    greeted: bool,
    /// When it was last sent anything.
    sent: Instant,
    /// When its key was last looked at.
    checked: Instant,
    _turn: OwnedSemaphorePermit,
}

/// What woke a listener that waited.
enum Woken {
    Changed,
    Quiet,
    Stopping,
}

impl Listener {
    pub(super) fn new(
        api: Api,
        sync: &Sync,
        feed: Arc<Feed>,
        place: Place,
        credential: Credential,
        stopping: Option<Stopping>,
        turn: OwnedSemaphorePermit,
    ) -> Self {
        let changes = feed.changes();
        Self {
            api,
            sync_id: sync.id,
            store_id: sync.store_id,
            feed,
            changes,
            place,
            progress: 0,
            credential,
            stopping,
            greeted: false,
            sent: Instant::now(),
            checked: Instant::now(),
            _turn: turn,
        }
    }

    /// The events, piece by piece. Dropped, it leaves nothing behind.
    pub(super) fn into_stream(self) -> impl Stream<Item = Result<Bytes, Infallible>> + Send {
        unfold(self, |mut listener| async move {
            let bytes = listener.next().await?;
            listener.sent = Instant::now();
            Some((Ok(bytes), listener))
        })
    }

    /// The next piece; `None` at the end of the stream.
    async fn next(&mut self) -> Option<Bytes> {
        if !std::mem::replace(&mut self.greeted, true) {
            return Some(Bytes::from_static(GREETING));
        }
        loop {
            if self.place.has_end || !self.may_listen().await {
                return None;
            }
            // Before the look, so that no change after it is missed.
            self.changes.mark_unchanged();
            match self.feed.next(&self.place, self.progress) {
                Next::Nothing => {}
                Next::InStores => match self.read_stores().await {
                    Ok(bytes) => return bytes,
                    Err(error) => {
                        error.complain("a listener's events cannot be read");
                        return None;
                    }
                },
                Next::Told(parts, place) => {
                    self.place = place;
                    return Some(parts.concat().into());
                }
                Next::Progress(bytes, number) => {
                    self.progress = number;
                    return Some(bytes);
                }
                Next::End(bytes) => {
                    self.place.has_end = true;
                    return Some([format!("id: {}\n", self.place).as_bytes(), &bytes].concat().into());
                }
                Next::Gone => return None,
            }
            match self.wait().await {
                Woken::Stopping => return None,
                Woken::Quiet if self.sent.elapsed() >= KEEP_ALIVE => {
                    return Some(Bytes::from_static(b": still here\n\n"));
                }
                Woken::Changed | Woken::Quiet => {}
            }
        }
    }

    /// Whether its key is still good, as far as it is time to look.
    async fn may_listen(&mut self) -> bool {
        if self.checked.elapsed() < KEY_CHECK {
            return true;
        }
        self.checked = Instant::now();
        auth::is_still_good(&self.api, self.credential).await
    }

    async fn wait(&mut self) -> Woken {
        let stopping = self.stopping.clone();
        let stop = async move {
            match stopping {
                Some(stopping) => stopping.begun().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            () = stop => Woken::Stopping,
            // The feed, which tells, lives as long as this.
            _ = self.changes.changed() => Woken::Changed,
            () = tokio::time::sleep(KEY_CHECK) => Woken::Quiet,
        }
    }

    /// States and lines that are no longer in memory. None at all: they are gone with their connector.
    async fn read_stores(&mut self) -> StoreResult<Option<Bytes>> {
        let mut moves = self.api.catalog.sync_moves(self.sync_id, self.place.moves).await?;
        let store = self.api.stores.open(self.store_id).await?;
        let lines = store.log(self.sync_id, LogQuery::behind(self.place.lines, LINES)).await?;
        if let Some(last) = lines.last().filter(|_| lines.len() == LINES) {
            // Those behind it come with the lines behind it.
            moves.retain(|step| step.at <= last.at);
        }
        let told = Told::merged(&moves, &lines);
        let (parts, place) = piece(told.iter(), &self.place);
        self.place = place;
        Ok((!parts.is_empty()).then(|| parts.concat().into()))
    }
}
