//! How the sources of each character read a stream.

use inlet_model::sync::SyncMode;
use inlet_model::{Scope, ScopeState, StreamName};
use inlet_source::{ErrorKind, Message, SourceError, StreamRequest};
use serde_json::{Value, json};

use super::super::mutants::Mutant;
use super::super::truth::{Character, LATENESS, is_in, scope_named};
use super::super::writes::Sent;
use super::{Mishap, Page, Reader};

impl Reader<'_> {
    /// Reads a stream to its end.
    pub(super) async fn stream(&self, request: &StreamRequest) -> Result<(), Mishap> {
        let whole = request.scopes.get(&Scope::whole()).cloned().unwrap_or_default();
        match self.source.character() {
            Character::Certified => self.list_by_key(&request.name, &whole).await,
            Character::Unresumable => self.list_snapshot(&request.name).await,
            Character::Drifting | Character::Asking => self.list_by_offset(&request.name).await,
            Character::Cursor => match &whole.cursor {
                Some(cursor) if whole.listing.is_none() && !self.is_to_be_listed(request, &whole) => {
                    self.newer(&request.name, cursor).await
                }
                _ => self.list_by_key(&request.name, &whole).await,
            },
            Character::Scoped => self.scopes(request).await,
        }
    }

    /// Whether a full refresh has still to list the scope.
    fn is_to_be_listed(&self, request: &StreamRequest, scope: &ScopeState) -> bool {
        request.mode == SyncMode::FullRefresh && scope.listed_by != Some(self.generation)
    }

    /// The time before which no row can appear any more.
    fn bound(&self) -> u64 {
        self.source.world.clock.tick().saturating_sub(LATENESS)
    }

    /// Lists by key, from where an open listing stands. A row that is there throughout is seen, wherever it goes on.
    async fn list_by_key(&self, stream: &StreamName, state: &ScopeState) -> Result<(), Mishap> {
        let reading = self.reading(stream, &Scope::whole());
        let place = state.listing.as_ref().and_then(|listing| listing.position.clone());
        let (mut after, bound) = match &place {
            Some(place) => (place["after"].as_i64().unwrap(), place["bound"].as_u64().unwrap()),
            None => {
                self.say(listing(stream, &Scope::whole())).await?;
                (-1, self.bound())
            }
        };
        loop {
            if self.listing_mishap().await? {
                break;
            }
            let size = self.page_size();
            let page: Page = self.source.truth(|truth| {
                let rows = truth.stream(stream).rows.range(after + 1..);
                rows.take(size).map(|(id, row)| (*id, row.clone())).collect()
            });
            let Some((last, _)) = page.last() else { break };
            after = *last;
            self.send(&reading, &page, Some(json!({"after": after, "bound": bound}))).await?;
            if self.source.world.dice.chance(100) {
                self.send(&reading, &Page::new(), Some(json!({"after": after, "bound": bound}))).await?;
            }
        }
        let bound = if self.source.world.has(Mutant::BoundAtEnd) { self.bound() } else { bound };
        let is_cursor = self.source.character() == Character::Cursor;
        let cursor = is_cursor.then(|| self.checkpoint(&reading, Sent::new(), json!({"since": bound})));
        self.say(complete(stream, &Scope::whole(), cursor, true)).await
    }

    /// Lists what was there at one moment.
    async fn list_snapshot(&self, stream: &StreamName) -> Result<(), Mishap> {
        let rows: Page = self
            .source
            .truth(|truth| truth.stream(stream).rows.iter().map(|(id, row)| (*id, row.clone())).collect());
        self.list(stream, &Scope::whole(), rows, Value::Null).await
    }

    /// Lists these rows; a cursor is set if one is given.
    async fn list(
        &self,
        stream: &StreamName,
        scope: &Scope,
        rows: Page,
        cursor: Value,
    ) -> Result<(), Mishap> {
        let reading = self.reading(stream, scope);
        self.say(listing(stream, scope)).await?;
        let mut sent = Sent::new();
        let mut rest = rows.as_slice();
        while !rest.is_empty() {
            if self.listing_mishap().await? {
                break;
            }
            let (page, behind) = rest.split_at(self.page_size().min(rest.len()));
            sent.extend(self.send(&reading, &page.to_vec(), None).await?);
            rest = behind;
        }
        let checkpoint =
            self.checkpoint(&reading, sent, if cursor.is_null() { json!({}) } else { cursor.clone() });
        self.say(complete(stream, scope, (!cursor.is_null()).then_some(checkpoint), true)).await
    }

    /// Lists by offset: a row that goes makes those behind it one place nearer, and one of them is missed.
    async fn list_by_offset(&self, stream: &StreamName) -> Result<(), Mishap> {
        let reading = self.reading(stream, &Scope::whole());
        self.say(listing(stream, &Scope::whole())).await?;
        let mut offset = 0;
        loop {
            if self.listing_mishap().await? {
                break;
            }
            let size = self.page_size();
            let page: Page = self.source.truth(|truth| {
                let rows = truth.stream(stream).rows.iter().skip(offset).take(size);
                rows.map(|(id, row)| (*id, row.clone())).collect()
            });
            if page.is_empty() {
                break;
            }
            offset += page.len();
            self.send(&reading, &page, None).await?;
            if self.source.world.dice.chance(50) {
                // The same page twice: each record of it comes a second time, and is refused.
                self.send(&reading, &page, None).await?;
            }
        }
        self.say(complete(stream, &Scope::whole(), None, false)).await
    }

    /// Reads what is as new as the cursor or newer, in the order of time.
    async fn newer(&self, stream: &StreamName, cursor: &Value) -> Result<(), Mishap> {
        let reading = self.reading(stream, &Scope::whole());
        let (since, bound) = (cursor["since"].as_u64().unwrap(), self.bound());
        let first = if self.source.world.has(Mutant::GreaterForGreaterOrEqual) { since + 1 } else { since };
        let mut behind = (first, -1);
        loop {
            self.source.mishap().await?;
            let size = self.page_size();
            let page: Page = self.source.truth(|truth| {
                let mut rows: Page =
                    truth.stream(stream).rows.iter().map(|(id, row)| (*id, row.clone())).collect();
                rows.retain(|(id, row)| (row.updated, *id) > behind);
                rows.sort_by_key(|(id, row)| (row.updated, *id));
                rows.truncate(size);
                rows
            });
            let Some((id, row)) = page.last() else { break };
            behind = (row.updated, *id);
            // Not beyond the bound: a row of an earlier time may still appear.
            let place = json!({"since": row.updated.min(bound).max(since)});
            self.send(&reading, &page, Some(place.clone())).await?;
            if self.source.world.dice.chance(100) {
                self.send(&reading, &page, Some(place)).await?;
            }
        }
        self.send(&reading, &Page::new(), Some(json!({"since": bound.max(since)}))).await.map(|_| ())
    }

    /// Reads each scope that has changed, and says which there are.
    async fn scopes(&self, request: &StreamRequest) -> Result<(), Mishap> {
        let stream = &request.name;
        let versions = || self.source.truth(|truth| truth.stream(stream).scopes.clone());
        for (number, version) in versions() {
            let scope = scope_named(number);
            let state = request.scopes.get(&scope).cloned().unwrap_or_default();
            let known = state.cursor.as_ref().map(|cursor| &cursor["version"]);
            let is_known = known.is_some_and(|known| *known == version) && state.listing.is_none();
            if is_known && !self.is_to_be_listed(request, &state) {
                self.say(Message::Unchanged { stream: stream.clone(), scope }).await?;
                continue;
            }
            let rows: Page = self.source.truth(|truth| {
                let rows = truth.stream(stream).rows.iter().filter(|(id, _)| is_in(**id, number));
                rows.map(|(id, row)| (*id, row.clone())).collect()
            });
            if versions().get(&number) != Some(&version) {
                // It changed after the scopes were listed.
                let error = SourceError::new(ErrorKind::Changed, "read", "the scope has changed");
                return Err(Mishap::Stream(error));
            }
            self.list(stream, &scope, rows, json!({"version": version})).await?;
        }
        let scopes = versions().into_keys().map(scope_named).collect();
        self.say(Message::Scopes { stream: stream.clone(), scopes }).await
    }
}

fn listing(stream: &StreamName, scope: &Scope) -> Message {
    Message::Listing { stream: stream.clone(), scope: scope.clone() }
}

fn complete(stream: &StreamName, scope: &Scope, cursor: Option<Value>, certified: bool) -> Message {
    Message::Complete { stream: stream.clone(), scope: scope.clone(), cursor, certified }
}
