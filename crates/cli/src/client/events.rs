//! Server-sent events: an answer that is read as it comes.

use std::time::Duration;

use axum::body::Bytes;
use serde::de::DeserializeOwned;

use super::CallError;
use super::transport::Parts;

/// The server says at least each quarter of a minute that it is there; after so long it is not.
const SILENCE: Duration = Duration::from_secs(60);

/// No event is longer.
const MAX_EVENT: usize = 16 << 20;

/// An event.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Event {
    /// What it is.
    pub(crate) name: String,
    data: String,
}

impl Event {
    /// Its data as `T`.
    pub(crate) fn read<T: DeserializeOwned>(&self) -> Result<T, CallError> {
        serde_json::from_str(&self.data).map_err(|error| CallError::Unreadable(Box::new(error)))
    }

    /// Its data as the server wrote it.
    pub(crate) fn into_text(self) -> String {
        self.data
    }
}

/// Events as they come.
pub(crate) struct Events {
    parts: Parts,
    parser: Parser,
}

impl Events {
    pub(super) fn of(parts: Parts) -> Self {
        Self { parts, parser: Parser::default() }
    }

    /// The `id` of the last event: what a later call goes on behind.
    pub(crate) fn last_id(&self) -> Option<&str> {
        self.parser.last_id.as_deref()
    }

    /// The next event; `None` at the end. May be dropped while it waits.
    pub(crate) async fn next(&mut self) -> Result<Option<Event>, CallError> {
        loop {
            if let Some(event) = self.parser.next()? {
                return Ok(Some(event));
            }
            match tokio::time::timeout(SILENCE, self.parts.next()).await {
                Ok(part) => match part? {
                    Some(bytes) => self.parser.take(&bytes),
                    None => return Ok(None),
                },
                Err(_) => return Err(self.parts.silent()),
            }
        }
    }
}

/// Takes events out of the text of a stream (HTML Living Standard, section 9.2.6), as far as our server writes it.
#[derive(Debug, Default)]
struct Parser {
    text: Vec<u8>,
    event: Event,
    last_id: Option<String>,
}

impl Parser {
    fn take(&mut self, bytes: &Bytes) {
        self.text.extend_from_slice(bytes);
    }

    fn next(&mut self) -> Result<Option<Event>, CallError> {
        let unreadable = |what: &str| CallError::Unreadable(what.into());
        while let Some(end) = self.text.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.text.drain(..=end).collect();
            let line = std::str::from_utf8(&line).map_err(|_| unreadable("an event is not UTF-8"))?;
            let line = line.trim_end_matches(['\n', '\r']);
            if line.is_empty() {
                let event = std::mem::take(&mut self.event);
                if !event.name.is_empty() {
                    return Ok(Some(event));
                }
                continue;
            }
            let (field, value) = line.split_once(':').unwrap_or((line, ""));
            let value = value.strip_prefix(' ').unwrap_or(value);
            match field {
                "event" => value.clone_into(&mut self.event.name),
                "data" => self.event.data.push_str(value),
                "id" => self.last_id = Some(value.to_owned()),
                // Comments, and what a later version may say.
                _ => {}
            }
        }
        if self.text.len() > MAX_EVENT { Err(unreadable("an event is too long")) } else { Ok(None) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_found_however_the_text_is_cut() {
        let text = "retry: 2000\n\n: still here\n\nid: m1.l0\nevent: state\ndata: {\"a\":1}\n\nevent: progress\ndata: é\n\n";
        for size in 1..text.len() {
            let mut parser = Parser::default();
            let mut events = Vec::new();
            for part in text.as_bytes().chunks(size) {
                parser.take(&Bytes::copy_from_slice(part));
                while let Some(event) = parser.next().unwrap() {
                    events.push((event.name, event.data));
                }
            }
            let expected = [("state", "{\"a\":1}"), ("progress", "é")];
            assert_eq!(events, expected.map(|(name, data)| (name.to_owned(), data.to_owned())));
            assert_eq!(parser.last_id.as_deref(), Some("m1.l0"));
        }
    }
}
