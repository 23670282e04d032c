//! What the items of a commit do to the model, by the docs of [`Item`].

use inlet_model::{Counts, HashSeed, Timestamp};
use serde_json::{Value, json};

use super::super::given::Claim;
use super::super::items::{self, Line, batch};
use super::step::{Act, PLACES, Written};
use super::world::{ListingModel, ScopeModel, SweepEnd, SweepModel, World, stream_of};
use crate::collection::Item;

/// A commit as the model does it. Done on a copy of the world, which takes the world's place if the commit is written.
pub(super) struct Writing {
    pub(super) world: World,
    pub(super) connector: usize,
    pub(super) claim: Claim,
    pub(super) generation: u64,
    pub(super) now: Timestamp,
    pub(super) seed: HashSeed,
}

impl Writing {
    /// Does the act, and gives the item that does it in a store; `None` if no source would do it now.
    pub(super) fn act(&mut self, act: &Act) -> Option<Item> {
        match *act {
            Act::Listing { place } => self.listing(usize::from(place)),
            Act::Records { place, ref lines, checkpoint } => {
                self.records(usize::from(place), lines, checkpoint)
            }
            Act::Complete { place, certified } => self.complete(usize::from(place), certified),
            Act::Unchanged { place } => self.unchanged(usize::from(place)),
            Act::Scopes { named } => self.scopes(named),
        }
    }

    fn listing(&mut self, place: usize) -> Option<Item> {
        if !self.may_be_read(place) || self.is_settled(place) {
            return None;
        }
        let generation = self.generation;
        self.scope(place).listing = Some(ListingModel { generation, ..ListingModel::default() });
        Some(items::listing(PLACES[place].0, PLACES[place].1))
    }

    fn records(&mut self, place: usize, lines: &[Written], checkpoint: bool) -> Option<Item> {
        if !self.may_be_read(place) {
            return None;
        }
        let written: Vec<Line> = lines.iter().filter_map(|line| self.line(place, *line)).collect();
        let checkpoint = checkpoint.then(|| self.a_position());
        let scope = self.scope(place);
        match &mut scope.listing {
            Some(listing) => listing.position.clone_from(&checkpoint),
            None if checkpoint.is_some() => scope.cursor.clone_from(&checkpoint),
            None => {}
        }
        let batch = batch(self.seed, PLACES[place].0, PLACES[place].1, &written);
        self.counts(place).bytes += batch.data_bytes();
        Some(Item::Batch { batch, checkpoint })
    }

    /// One line of a batch; `None` where the docs do not say what comes of it.
    fn line(&mut self, place: usize, line: Written) -> Option<Line> {
        let line = match line {
            Written::Put { key, value } => Line::Put(i64::from(key), format!("v{value}")),
            Written::Gone { key } => Line::Gone(i64::from(key)),
            Written::Kept { key } => Line::Kept(i64::from(key)),
            Written::Refused => Line::Refused,
        };
        match &line {
            Line::Refused | Line::RefusedPush(_) => self.counts(place).rejected += 1,
            Line::Kept(key) => self.keep(place, *key)?,
            Line::Put(key, value) if self.scope(place).listing.is_some() => self.list(place, *key, value)?,
            Line::Put(key, value) if self.owner(place, *key).is_none_or(|owner| owner == place) => {
                self.write(place, *key, value);
            }
            Line::Gone(key)
                if self.scope(place).listing.is_none()
                    && self.owner(place, *key).is_none_or(|owner| owner == place) =>
            {
                self.delete(place, *key);
            }
            Line::Put(..) | Line::Gone(_) => return None,
        }
        let counts = self.counts(place);
        counts.read = counts.created + counts.updated + counts.unchanged + counts.rejected;
        Some(line)
    }

    /// A record inside a listing.
    fn list(&mut self, place: usize, key: i64, value: &str) -> Option<()> {
        let owner = self.owner(place, key);
        let seen = self.scope(place).listing.as_ref().is_some_and(|listing| listing.seen.contains(&key));
        match owner {
            // It was not found where it was, and waits for the sweep: it has come here.
            Some(owner) if owner != place && self.is_settled(owner) && self.is_left(owner, key) => {
                if seen {
                    return None;
                }
                if let Some(sweep) = &mut self.scope(owner).sweep {
                    sweep.unseen.remove(&key);
                }
                self.write(place, key, value);
                if let Some(listing) = &mut self.scope(place).listing {
                    listing.seen.insert(key);
                }
            }
            Some(owner) if owner != place && self.is_settled(owner) => self.refuse_duplicate(place),
            // It was taken from this listing by another, and may be gone since.
            Some(owner) if owner != place && seen => return None,
            None if seen => return None,
            _ if seen => self.refuse_duplicate(place),
            _ => {
                if let Some(owner) = owner.filter(|owner| *owner != place) {
                    self.lose(owner);
                }
                self.write(place, key, value);
                if let Some(listing) = &mut self.scope(place).listing {
                    listing.seen.insert(key);
                }
            }
        }
        Some(())
    }

    /// A record that is refused as it is: a listing of its own scope has seen it.
    fn keep(&mut self, place: usize, key: i64) -> Option<()> {
        let owner = self.owner(place, key);
        if owner.is_some_and(|owner| owner != place) {
            return None;
        }
        if let Some(listing) = self.scope(place).listing.as_mut().filter(|_| owner.is_some()) {
            listing.no_cursor |= !listing.seen.insert(key);
        }
        self.counts(place).rejected += 1;
        Some(())
    }

    /// Whether the scope's complete listing did not see the key, which waits for the sweep.
    fn is_left(&mut self, owner: usize, key: i64) -> bool {
        self.scope(owner).sweep.as_ref().is_some_and(|sweep| sweep.unseen.contains(&key))
    }

    fn refuse_duplicate(&mut self, place: usize) {
        self.counts(place).rejected += 1;
        if let Some(listing) = &mut self.scope(place).listing {
            listing.no_cursor = true;
        }
    }

    /// The scope loses a key to another, and is to be listed again.
    fn lose(&mut self, owner: usize) {
        let scope = self.scope(owner);
        scope.cursor = None;
        if let Some(listing) = &mut scope.listing {
            listing.no_cursor = true;
        }
    }

    fn write(&mut self, place: usize, key: i64, value: &str) {
        let at = (stream_of(place), key, self.connector);
        match self.world.records.get_mut(&at) {
            Some(held) if held.value == value => {
                held.scope = place;
                self.counts(place).unchanged += 1;
                return;
            }
            Some(_) => self.counts(place).updated += 1,
            None => self.counts(place).created += 1,
        }
        self.world.put(at, value, place, self.claim.sync_id, self.now);
    }

    fn delete(&mut self, place: usize, key: i64) {
        let at = (stream_of(place), key, self.connector);
        if self.world.records.contains_key(&at) {
            self.world.delete(at, Some(self.claim.sync_id), self.now);
            self.counts(place).deleted += 1;
        } else {
            self.counts(place).unchanged += 1;
        }
    }

    fn complete(&mut self, place: usize, certified: bool) -> Option<Item> {
        if !self.may_be_read(place) {
            return None;
        }
        let listing = self.scope(place).listing.take()?;
        let given = self.a_position();
        let cursor = (!listing.no_cursor).then(|| given.clone());
        let unseen: std::collections::BTreeSet<i64> =
            self.world.keys_of(self.connector, place).difference(&listing.seen).copied().collect();
        let sync_id = self.claim.sync_id;
        let scope = self.scope(place);
        scope.settled_by = Some(sync_id);
        scope.listed_by = Some(Some(listing.generation));
        if certified && !unseen.is_empty() {
            scope.sweep = Some(SweepModel { unseen, end: SweepEnd::Cursor(cursor) });
        } else {
            scope.cursor = cursor;
        }
        Some(items::completed(PLACES[place].0, PLACES[place].1, Some(given), certified))
    }

    fn unchanged(&mut self, place: usize) -> Option<Item> {
        let sync_id = self.claim.sync_id;
        let readable = self.may_be_read(place) && !self.is_settled(place);
        let scope = self.scope(place);
        if !readable || scope.listing.is_some() || scope.cursor.is_none() {
            return None;
        }
        scope.settled_by = Some(sync_id);
        Some(items::unchanged(PLACES[place].0, PLACES[place].1))
    }

    fn scopes(&mut self, named: u8) -> Option<Item> {
        let stream = 0;
        if self.world.connectors[self.connector].running()?.all_named[stream] {
            return None;
        }
        let is_named = |place: usize| named >> place & 1 == 1;
        for place in (0..PLACES.len()).filter(|place| stream_of(*place) == stream && !is_named(*place)) {
            let unseen = self.world.keys_of(self.connector, place);
            let scope = self.scope(place);
            if unseen.is_empty() {
                scope.go();
            } else {
                scope.forget();
            }
            scope.sweep = Some(SweepModel { unseen, end: SweepEnd::Gone });
        }
        self.world.connectors[self.connector].running_mut()?.all_named[stream] = true;
        let names: Vec<&str> = (0..PLACES.len())
            .filter(|place| stream_of(*place) == stream && is_named(*place))
            .map(|place| PLACES[place].1)
            .collect();
        Some(items::scopes(PLACES[0].0, &names))
    }

    /// Whether a source would read the scope now.
    fn may_be_read(&mut self, place: usize) -> bool {
        let all_named =
            self.world.connectors[self.connector].running().is_none_or(|run| run.all_named[stream_of(place)]);
        !all_named && self.scope(place).sweep.is_none()
    }

    fn is_settled(&self, place: usize) -> bool {
        let settled_by = self.world.connectors[self.connector].scopes[place].settled_by;
        settled_by == Some(self.claim.sync_id)
    }

    /// The scope that the key belongs to.
    fn owner(&self, place: usize, key: i64) -> Option<usize> {
        self.world.records.get(&(stream_of(place), key, self.connector)).map(|held| held.scope)
    }

    fn scope(&mut self, place: usize) -> &mut ScopeModel {
        &mut self.world.connectors[self.connector].scopes[place]
    }

    fn counts(&mut self, place: usize) -> &mut Counts {
        let run = self.world.connectors[self.connector].running_mut();
        &mut run.expect("only a run writes").counts[stream_of(place)]
    }

    /// A position that no other is equal to.
    fn a_position(&self) -> Value {
        json!({"at": self.now.as_micros(), "changes": self.world.changes.len()})
    }
}
