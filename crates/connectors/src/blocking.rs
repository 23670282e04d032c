//! Work that blocks, on a thread of its own, and how it is stopped.

use std::time::Duration;

use inlet_source::{Closed, ErrorKind, Message, Outlet, SourceError};
use tokio::runtime::Handle;
use tokio::sync::{oneshot, watch};

/// Tells a thread that nobody waits for it any more. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Stop(watch::Receiver<()>);

impl Stop {
    /// Whether the thread should end.
    pub(crate) fn is_set(&self) -> bool {
        self.0.has_changed().is_err()
    }

    async fn set(&mut self) {
        while self.0.changed().await.is_ok() {}
    }
}

/// An [`Outlet`] for a thread: sending ends when the receiver has gone, and also when the thread is to stop.
#[derive(Debug)]
pub(crate) struct ThreadOutlet {
    out: Outlet,
    runtime: Handle,
    stop: Stop,
}

impl ThreadOutlet {
    pub(crate) fn new(out: Outlet, runtime: Handle, stop: Stop) -> Self {
        Self { out, runtime, stop }
    }

    /// Sends a message; waits while there is no room.
    pub(crate) fn send(&mut self, message: Message) -> Result<(), Closed> {
        let Self { out, runtime, stop } = self;
        runtime.block_on(async {
            tokio::select! {
                sent = out.send(message) => sent,
                () = stop.set() => Err(Closed),
            }
        })
    }

    /// Whether the thread should end.
    pub(crate) fn is_closed(&self) -> bool {
        self.out.is_closed() || self.stop.is_set()
    }

    /// [`is_closed`](Self::is_closed) for those who do not hold the outlet.
    pub(crate) fn watch(&self) -> impl Fn() -> bool + Send + Sync + 'static + use<> {
        let (out, stop) = (self.out.clone(), self.stop.clone());
        move || out.is_closed() || stop.is_set()
    }
}

/// Runs `work` on a thread of its own and waits for what it gives. If the wait is given up, the thread's [`Stop`] is
/// set, and a thread that hangs in the operating system is left to itself.
pub(crate) async fn on_thread<T: Send + 'static>(
    name: &'static str,
    work: impl FnOnce(Stop) -> T + Send + 'static,
) -> Result<T, SourceError> {
    let (result, given) = oneshot::channel();
    let (_waiting, stop) = watch::channel(());
    let stop = Stop(stop);
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(move || {
            // Nobody waits for the result of a thread that was stopped.
            let _ = result.send(work(stop));
        })
        .map_err(|error| {
            SourceError::new(ErrorKind::Unavailable, name, "no thread could be started").because(error)
        })?;
    given.await.map_err(|_| SourceError::new(ErrorKind::Internal, name, "the thread ended without a result"))
}

/// [`on_thread`] for what should take a moment: waits at most `limit`.
pub(crate) async fn on_thread_within<T: Send + 'static>(
    limit: Duration,
    name: &'static str,
    work: impl FnOnce(Stop) -> Result<T, SourceError> + Send + 'static,
) -> Result<T, SourceError> {
    match tokio::time::timeout(limit, on_thread(name, work)).await {
        Ok(done) => done?,
        Err(_) => Err(SourceError::new(ErrorKind::TimedOut, name, "the operating system does not answer")
            .with("seconds", limit.as_secs())),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[tokio::test]
    async fn gives_back_what_the_work_gives() {
        assert_eq!(on_thread("test", |_| 7).await.unwrap(), 7);
    }

    #[tokio::test]
    async fn a_thread_learns_that_nobody_waits() {
        let (started, has_started) = mpsc::sync_channel(1);
        let (ended, has_ended) = mpsc::sync_channel(1);
        let (out, mut receiver) = inlet_source::messages(1);
        let runtime = Handle::current();
        let work = tokio::spawn(on_thread("test", move |stop| {
            let mut out = ThreadOutlet::new(out, runtime, stop);
            started.send(out.send(Message::Warning { text: "fills the channel".to_owned() })).unwrap();
            let second = out.send(Message::Warning { text: "finds no room".to_owned() });
            ended.send((second, out.is_closed())).unwrap();
        }));
        let first = receiver.next().await.unwrap();
        assert_eq!(has_started.recv().unwrap(), Ok(()));
        work.abort();
        assert!(work.await.unwrap_err().is_cancelled());
        assert_eq!(has_ended.recv().unwrap(), (Err(Closed), true));
        drop(first);
    }

    #[tokio::test]
    async fn a_wait_has_a_limit() {
        let (release, wait) = mpsc::sync_channel::<()>(1);
        let hung = on_thread_within(Duration::from_millis(1), "test", move |_| {
            let _ = wait.recv();
            Ok(())
        });
        assert_eq!(hung.await.unwrap_err().kind(), ErrorKind::TimedOut);
        drop(release);
    }
}
