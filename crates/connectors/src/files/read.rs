//! Reading the stream: one file after another, each a scope with listings of its own.

use std::path::Path;
use std::sync::Arc;

use inlet_model::{Clock, Scope};
use inlet_source::formats::Target;
use inlet_source::{Closed, ErrorKind, Message, Outlet, ReadRequest, SourceError, StreamRequest};
use tokio::runtime::Handle;

use super::config::Settings;
use super::convert;
use super::cursor::{self, Plan, Seen};
use super::listing::{self, Files};
use crate::blocking::{Stop, ThreadOutlet, on_thread};
use crate::roots::{Fingerprint, OpenError};
use crate::trouble::Trouble;

/// Reads the streams of `request`, of which there is at most one that exists.
pub(super) async fn read(
    settings: Arc<Settings>,
    request: ReadRequest,
    out: Outlet,
) -> Result<(), SourceError> {
    let runtime = Handle::current();
    on_thread("read files", move |stop| {
        let out = ThreadOutlet::new(out, runtime, stop.clone());
        let mut reading = Reading { settings: &settings, request: &request, out, stop };
        // That nobody listens any more is the one thing nobody need be told.
        let _: Result<(), Closed> = request.streams.iter().try_for_each(|stream| reading.stream(stream));
    })
    .await
}

struct Reading<'a> {
    settings: &'a Settings,
    request: &'a ReadRequest,
    out: ThreadOutlet,
    stop: Stop,
}

/// What became of a file.
enum Outcome {
    /// It was read, or had not changed.
    Done,
    /// It was there when the files were listed, and is not any more.
    Vanished,
}

impl Reading<'_> {
    fn stream(&mut self, stream: &StreamRequest) -> Result<(), Closed> {
        match self.files(stream) {
            Ok(()) => self.out.send(Message::StreamEnd { stream: stream.name.clone() }),
            Err(Trouble::Failed(error)) => {
                self.out.send(Message::StreamFailed { stream: stream.name.clone(), error })
            }
            Err(Trouble::Closed) => Err(Closed),
        }
    }

    /// Reads all files. One that cannot be read fails the stream, but only after the others have been read.
    fn files(&mut self, stream: &StreamRequest) -> Result<(), Trouble> {
        let config = &self.settings.config;
        if stream.name != config.stream {
            let message = format!("there is no stream `{}`; the stream is `{}`", stream.name, config.stream);
            return Err(SourceError::new(ErrorKind::Config, "read stream", message).into());
        }
        let files = self.list()?;
        let (mut vanished, mut failures) = (false, Vec::new());
        for (scope, path) in &files.0 {
            match self.file(stream, scope, path) {
                Ok(Outcome::Done) => {}
                Ok(Outcome::Vanished) => vanished = true,
                Err(Trouble::Failed(error)) => failures.push(error),
                Err(Trouble::Closed) => return Err(Trouble::Closed),
            }
        }
        let others = failures.len().saturating_sub(1);
        if let Some(first) = failures.into_iter().next() {
            return Err(
                if others == 0 { first } else { first.with("other files that failed", others) }.into()
            );
        }
        if config.pattern.is_glob() && !vanished {
            self.certify(stream, files)?;
        }
        Ok(())
    }

    /// Names the scopes there are, if they are still those that were there at the beginning.
    fn certify(&mut self, stream: &StreamRequest, files: Files) -> Result<(), Trouble> {
        if self.list()? != files {
            let text =
                format!("Files of `{}` came or went during the sync; the next one settles it.", stream.name);
            return Ok(self.out.send(Message::Warning { text })?);
        }
        let scopes = files.0.into_keys().collect();
        Ok(self.out.send(Message::Scopes { stream: stream.name.clone(), scopes })?)
    }

    fn list(&mut self) -> Result<Files, Trouble> {
        let Settings { config, roots, .. } = self.settings;
        let out = &self.out;
        let listed = listing::list(&config.pattern, roots, &mut || out.is_closed());
        if self.out.is_closed() { Err(Trouble::Closed) } else { Ok(listed?) }
    }

    fn file(&mut self, stream: &StreamRequest, scope: &Scope, path: &Path) -> Result<Outcome, Trouble> {
        let Settings { config, roots, clock } = self.settings;
        let (file, fingerprint) = match roots.open(path) {
            Ok(opened) => opened,
            Err(OpenError::NotFound) if config.pattern.is_glob() => {
                let text = format!("`{}` vanished during the sync; the next one settles it.", path.display());
                self.out.send(Message::Warning { text })?;
                return Ok(Outcome::Vanished);
            }
            Err(error) => return Err(error.about(path).into()),
        };
        let mut seen = Seen {
            settled: fingerprint.is_settled(seconds(&**clock)),
            file: fingerprint,
            settings: cursor::settings(config, stream),
        };
        let state = stream.scopes.get(scope);
        let from = match cursor::plan(state, stream.mode, self.request.generation, &seen) {
            Plan::Skip => {
                self.out.send(Message::Unchanged { stream: stream.name.clone(), scope: scope.clone() })?;
                return Ok(Outcome::Done);
            }
            Plan::Resume(position) => {
                // The part that was read earlier may have been read unsettled.
                seen.settled = position.seen.settled;
                Some(position.place)
            }
            Plan::List => {
                self.out.send(Message::Listing { stream: stream.name.clone(), scope: scope.clone() })?;
                None
            }
        };
        let target = Target { request: self.request, stream, scope };
        let read = convert::open(config, scope.as_str(), &file, &self.stop)
            .and_then(|opened| opened.read(target, from, &seen, &mut self.out));
        match read {
            Err(Trouble::Closed) => return Err(Trouble::Closed),
            read => unchanged_since(path, &seen.file, read)?,
        }
        self.out.send(Message::Complete {
            stream: stream.name.clone(),
            scope: scope.clone(),
            cursor: Some(seen.to_value()),
            certified: true,
        })?;
        Ok(Outcome::Done)
    }
}

/// Whether what `path` leads to is still the file that was read: if not, that is what went wrong, whatever else did.
fn unchanged_since(path: &Path, before: &Fingerprint, read: Result<(), Trouble>) -> Result<(), Trouble> {
    if Fingerprint::at(path).is_ok_and(|now| now == *before) {
        return read.map_err(|trouble| match trouble {
            Trouble::Failed(error) => Trouble::Failed(error.with("path", path.display())),
            Trouble::Closed => Trouble::Closed,
        });
    }
    let error = SourceError::new(ErrorKind::Changed, "read file", "the file changed while it was read")
        .with("path", path.display())
        .hint("the next sync reads it again; write files under another name and rename them when they are whole");
    Err(match read {
        Err(Trouble::Failed(cause)) => error.because(cause),
        _ => error,
    }
    .into())
}

fn seconds(clock: &dyn Clock) -> i64 {
    clock.now().as_millis().div_euclid(1000)
}
