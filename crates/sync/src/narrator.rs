//! Tells of each stream what becomes of it, as its messages pass. A batch costs it a look at a name.

use std::collections::HashMap;

use inlet_model::log::NewLogLine;
use inlet_model::{Scope, StreamName};
use inlet_source::{Message, StreamRequest};

use crate::lines;

/// Finds out what is new to tell.
#[derive(Debug)]
pub(crate) struct Narrator {
    /// How each stream begins, until it does.
    beginnings: HashMap<StreamName, NewLogLine>,
    /// The stream whose messages pass.
    stream: Option<StreamName>,
    /// Whether it was told that it is listed.
    is_listed: bool,
}

impl Narrator {
    /// Before any message of these streams.
    pub(crate) fn of(streams: &[StreamRequest]) -> Self {
        let beginning =
            |stream: &StreamRequest| (stream.name.clone(), lines::stream_begun(&stream.name, &stream.scopes));
        Self { beginnings: streams.iter().map(beginning).collect(), stream: None, is_listed: false }
    }

    /// What a message tells besides its content. That a stream has failed, whoever handles the failure tells.
    pub(crate) fn hear(&mut self, message: &Message) -> Vec<NewLogLine> {
        match message {
            Message::Listing { stream, scope } => {
                self.begin(stream).into_iter().chain(self.listing(stream, scope)).collect()
            }
            Message::Batch { batch, .. } => self.begin(batch.stream()).into_iter().collect(),
            Message::Complete { stream, .. }
            | Message::Unchanged { stream, .. }
            | Message::Scopes { stream, .. }
            | Message::InboxTaken { stream, .. } => self.begin(stream).into_iter().collect(),
            Message::StreamEnd { stream } => {
                self.begin(stream).into_iter().chain([lines::stream_complete(stream)]).collect()
            }
            Message::StreamFailed { .. } | Message::Warning { .. } => Vec::new(),
        }
    }

    fn begin(&mut self, stream: &StreamName) -> Option<NewLogLine> {
        if self.stream.as_ref() == Some(stream) {
            return None;
        }
        self.stream = Some(stream.clone());
        self.is_listed = false;
        self.beginnings.remove(stream)
    }

    fn listing(&mut self, stream: &StreamName, scope: &Scope) -> Option<NewLogLine> {
        let is_new = !std::mem::replace(&mut self.is_listed, true);
        is_new.then(|| lines::listing_begun(stream, scope))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use inlet_model::sync::SyncMode;
    use inlet_model::{Batch, HashSeed};

    use super::*;

    #[test]
    fn each_stream_is_told_of_once_however_many_messages_pass() {
        let name = |name: &str| StreamName::new(name).unwrap();
        let request = |stream: &str| StreamRequest {
            name: name(stream),
            mode: SyncMode::Incremental,
            primary_key: Vec::new(),
            cursor_field: None,
            fields: None,
            appends: false,
            scopes: BTreeMap::new(),
        };
        let mut narrator = Narrator::of(&[request("a"), request("b")]);
        let listing =
            |stream: &str, scope: &str| Message::Listing { stream: name(stream), scope: Scope::new(scope) };
        let batch = |stream: &str| {
            let batch = Batch::new(name(stream), Scope::whole(), HashSeed(1));
            Message::Batch { batch, checkpoint: None }
        };
        let end = |stream: &str| Message::StreamEnd { stream: name(stream) };
        let mut codes = |message: Message| {
            narrator.hear(&message).iter().map(|line| line.code().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(codes(listing("a", "1")), ["stream.begun", "stream.listing_begun"]);
        assert_eq!(codes(batch("a")), [""; 0]);
        assert_eq!(codes(listing("a", "2")), [""; 0]);
        assert_eq!(codes(end("a")), ["stream.complete"]);
        assert_eq!(codes(batch("b")), ["stream.begun"]);
        assert_eq!(codes(batch("b")), [""; 0]);
        assert_eq!(codes(end("b")), ["stream.complete"]);
    }
}
