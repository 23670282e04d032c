//! What the listeners of one sync are told, made once for all of them.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, Weak};

use axum::body::Bytes;
use inlet_model::SyncId;
use inlet_model::log::LogLine;
use inlet_model::sync::StateMove;
use inlet_store::catalog::Sync;
use tokio::sync::watch;

use super::fill::fill;
use super::place::Place;
use super::view::event;
use crate::app::Api;
use crate::carry::AbortOnDrop;

/// So many of the last states and lines are kept in memory; a listener that is further behind reads them from the stores.
const TAIL: usize = 256;

/// A listener gets about so many bytes of states and lines at once.
const PIECE: usize = 32 << 10;

/// The feeds of the syncs that somebody listens to.
#[derive(Default)]
pub(crate) struct Hub(Mutex<HashMap<SyncId, Weak<Feed>>>);

impl fmt::Debug for Hub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hub")
    }
}

impl Hub {
    /// The feed of a sync; the first listener begins it, and it ends with the last.
    pub(super) fn join(&self, api: &Api, sync: &Sync) -> Arc<Feed> {
        let mut feeds = self.0.lock().expect("no holder panics");
        if let Some(feed) = feeds.get(&sync.id).and_then(Weak::upgrade) {
            return feed;
        }
        feeds.retain(|_, feed| feed.strong_count() > 0);
        let shown = Arc::new(Shown::default());
        let filling = tokio::spawn(fill(api.clone(), sync.connector_id, sync.id, Arc::clone(&shown)));
        let feed = Arc::new(Feed { shown, _filling: AbortOnDrop(filling.abort_handle()) });
        feeds.insert(sync.id, Arc::downgrade(&feed));
        feed
    }
}

/// The feed of one sync.
pub(super) struct Feed {
    shown: Arc<Shown>,
    _filling: AbortOnDrop,
}

impl Feed {
    /// Tells each time when there is something new.
    pub(super) fn changes(&self) -> watch::Receiver<()> {
        self.shown.changed.subscribe()
    }

    /// What is next for a listener that has come to `place`, and whose last progress is the one of that number.
    pub(super) fn next(&self, place: &Place, progress: u64) -> Next {
        self.shown.lock().next(place, progress)
    }
}

/// What is next for a listener.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Nothing for now.
    Nothing,
    /// States and lines that only the stores have any more.
    InStores,
    /// States and lines, each with the place it leads to.
    Told(Vec<Bytes>, Place),
    /// The newest progress, and its number.
    Progress(Bytes, u64),
    /// The end; nothing comes behind it.
    End(Bytes),
    /// The sync is not there any more.
    Gone,
}

/// What the task fills, and the listeners look at.
#[derive(Default)]
pub(super) struct Shown {
    tail: Mutex<Tail>,
    changed: watch::Sender<()>,
}

impl Shown {
    /// Changes what is shown, and tells the listeners.
    pub(super) fn change(&self, change: impl FnOnce(&mut Tail)) {
        change(&mut self.lock());
        self.changed.send_replace(());
    }

    fn lock(&self) -> MutexGuard<'_, Tail> {
        self.tail.lock().expect("no holder panics")
    }
}

/// A state or a line.
#[derive(Debug, Clone)]
pub(super) struct Told {
    kind: Kind,
    bytes: Bytes,
}

/// Which number a state or a line moves on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Move(u64),
    Line(u64),
}

impl Told {
    /// Moves and lines together, by their times.
    pub(super) fn merged(moves: &[StateMove], lines: &[LogLine]) -> Vec<Self> {
        let (mut moves, mut lines) = (moves.iter().peekable(), lines.iter().peekable());
        let mut told = Vec::with_capacity(moves.len() + lines.len());
        // Each kind stays in its own order, even if a clock was set back.
        loop {
            let is_line = match (moves.peek(), lines.peek()) {
                (None, None) => return told,
                (step, line) => step.is_none_or(|step| line.is_some_and(|line| line.at < step.at)),
            };
            told.extend(if is_line { lines.next().map(Self::line) } else { moves.next().map(Self::step) });
        }
    }

    fn step(step: &StateMove) -> Self {
        Self { kind: Kind::Move(step.seq), bytes: event("state", step) }
    }

    fn line(line: &LogLine) -> Self {
        Self { kind: Kind::Line(line.seq), bytes: event("log", line) }
    }

    /// Whether a listener that has come to `place` has not been told.
    fn is_new_to(&self, place: &Place) -> bool {
        match self.kind {
            Kind::Move(seq) => seq > place.moves,
            Kind::Line(seq) => seq > place.lines,
        }
    }

    fn move_on(&self, place: &mut Place) {
        match self.kind {
            Kind::Move(seq) => place.moves = place.moves.max(seq),
            Kind::Line(seq) => place.lines = place.lines.max(seq),
        }
    }
}

/// Writes what is new to a listener at `place`, as far as it fits into one piece; gives also the place it leads to.
pub(super) fn piece<'t>(told: impl Iterator<Item = &'t Told>, place: &Place) -> (Vec<Bytes>, Place) {
    let (mut bytes, mut place, mut size) = (Vec::new(), *place, 0);
    for told in told {
        if size >= PIECE {
            break;
        }
        if told.is_new_to(&place) {
            told.move_on(&mut place);
            size += told.bytes.len();
            bytes.push(Bytes::from(format!("id: {place}\n")));
            bytes.push(told.bytes.clone());
        }
    }
    (bytes, place)
}

/// The newest of what happened.
#[derive(Default)]
pub(super) struct Tail {
    told: VecDeque<Told>,
    /// Everything behind this place is in `told`.
    from: Place,
    progress: Option<(Bytes, u64)>,
    end: Option<Bytes>,
    is_gone: bool,
}

impl Tail {
    /// States and lines are added; the oldest make room for them.
    pub(super) fn tell(&mut self, told: Vec<Told>) {
        self.told.extend(told);
        while self.told.len() > TAIL {
            if let Some(oldest) = self.told.pop_front() {
                oldest.move_on(&mut self.from);
            }
        }
    }

    /// There is newer progress.
    pub(super) fn progress(&mut self, bytes: Bytes) {
        let number = self.progress.as_ref().map_or(1, |(_, number)| number + 1);
        self.progress = Some((bytes, number));
    }

    /// The sync has ended.
    pub(super) fn end(&mut self, bytes: Bytes) {
        self.end = Some(bytes);
    }

    /// The sync is not there any more.
    pub(super) fn gone(&mut self) {
        self.is_gone = true;
    }

    fn next(&self, place: &Place, progress: u64) -> Next {
        if self.is_gone {
            return Next::Gone;
        }
        if !place.has(&self.from) {
            return Next::InStores;
        }
        let (bytes, reached) = piece(self.told.iter(), place);
        if !bytes.is_empty() {
            return Next::Told(bytes, reached);
        }
        if let Some(end) = &self.end {
            return Next::End(end.clone());
        }
        match &self.progress {
            Some((bytes, number)) if *number > progress => Next::Progress(bytes.clone(), *number),
            _ => Next::Nothing,
        }
    }
}

#[cfg(test)]
mod tests {
    use inlet_model::Timestamp;
    use inlet_model::log::LogLevel;
    use inlet_model::sync::{MoveCause, SyncStatus};

    use super::*;

    fn step(seq: u64, at: i64) -> StateMove {
        StateMove {
            seq,
            at: Timestamp::from_millis(at),
            from: None,
            to: SyncStatus::Running,
            cause: MoveCause::Claimed,
            code: None,
            attempt: 1,
        }
    }

    fn line(seq: u64, at: i64) -> LogLine {
        let (code, message) = ("test.line".to_owned(), "x".repeat(1_000));
        LogLine { seq, at: Timestamp::from_millis(at), level: LogLevel::Info, stream: None, code, message }
    }

    /// The ids that a listener gets until there is nothing more in memory, and where it stands then.
    fn ids(tail: &Tail, mut place: Place) -> (Vec<String>, Place) {
        let mut ids = Vec::new();
        while let Next::Told(bytes, reached) = tail.next(&place, 0) {
            let written = bytes.iter().filter_map(|part| part.strip_prefix(b"id: "));
            ids.extend(written.map(|id| String::from_utf8_lossy(id).trim().to_owned()));
            place = reached;
        }
        (ids, place)
    }

    #[test]
    fn states_and_lines_come_by_their_times_behind_any_place() {
        let mut tail = Tail::default();
        tail.tell(Told::merged(&[step(1, 1), step(2, 5)], &[line(1, 2), line(2, 5)]));
        let all = ["m1.l0", "m1.l1", "m2.l1", "m2.l2"];
        for skipped in 0..=all.len() {
            let place = if skipped == 0 { Place::default() } else { all[skipped - 1].parse().unwrap() };
            assert_eq!(ids(&tail, place).0, all[skipped..]);
        }
        let only_lines = "m0.l2".parse().unwrap();
        assert_eq!(ids(&tail, only_lines).0, ["m1.l2", "m2.l2"]);
    }

    #[test]
    fn a_clock_that_was_set_back_loses_nothing() {
        let mut tail = Tail::default();
        tail.tell(Told::merged(&[step(1, 9), step(2, 3)], &[line(1, 8), line(2, 1)]));
        let (ids, place) = ids(&tail, Place::default());
        assert_eq!((ids.len(), place.to_string().as_str()), (4, "m2.l2"));
    }

    #[test]
    fn what_memory_has_forgotten_is_in_the_stores() {
        let mut tail = Tail::default();
        let lines: Vec<LogLine> = (1..=TAIL as u64 + 10).map(|seq| line(seq, 1)).collect();
        tail.tell(Told::merged(&[], &lines));
        assert_eq!(tail.next(&Place { lines: 9, ..Place::default() }, 0), Next::InStores);
        let (ids, place) = ids(&tail, Place { lines: 10, ..Place::default() });
        assert_eq!((ids.len(), place.lines), (TAIL, TAIL as u64 + 10));
    }

    #[test]
    fn progress_gives_way_to_states_and_the_end_comes_last() {
        let mut tail = Tail::default();
        tail.progress(Bytes::from_static(b"old"));
        tail.progress(Bytes::from_static(b"new"));
        assert_eq!(tail.next(&Place::default(), 0), Next::Progress(Bytes::from_static(b"new"), 2));
        assert_eq!(tail.next(&Place::default(), 2), Next::Nothing);
        tail.tell(Told::merged(&[step(1, 1)], &[]));
        tail.end(Bytes::from_static(b"end"));
        let (ids, place) = ids(&tail, Place::default());
        assert_eq!(ids, ["m1.l0"]);
        assert_eq!(tail.next(&place, 0), Next::End(Bytes::from_static(b"end")));
        tail.gone();
        assert_eq!(tail.next(&place, 0), Next::Gone);
    }
}
