//! A process that runs syncs: what may happen to it at each call of a store.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use inlet_model::{Clock, Timestamp};
use inlet_store::{StoreError, StoreErrorKind, StoreResult};

use super::world::World;

/// A process. Its stores go through it.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) world: Arc<World>,
    name: &'static str,
    frozen: Mutex<Frozen>,
    fails_at: Mutex<Option<&'static str>>,
}

#[derive(Debug, Clone, Copy)]
enum Frozen {
    Not,
    /// Not yet: the next call of that name hangs for so long, and all that comes after it; without a time, for ever.
    At(&'static str, Option<Duration>),
    Until(Timestamp),
    ForEver,
}

impl Node {
    pub(crate) fn new(world: &Arc<World>, name: &'static str) -> Arc<Self> {
        let frozen = Mutex::new(Frozen::Not);
        Arc::new(Self { world: Arc::clone(world), name, frozen, fails_at: Mutex::new(None) })
    }

    /// From its next call of that name on its calls hang for so long; without a time, for ever.
    pub(crate) fn freeze_at(&self, name: &'static str, time: Option<Duration>) {
        *self.frozen.lock().unwrap() = Frozen::At(name, time);
        self.say(format_args!("is to freeze at its next {name}"));
    }

    /// The next call of that name fails, as if the store did not answer just then.
    pub(crate) fn fail_at(&self, name: &'static str) {
        *self.fails_at.lock().unwrap() = Some(name);
    }

    /// From now on its calls hang for so long; without a time, for ever.
    pub(crate) fn freeze(&self, time: Option<Duration>) {
        let until = time.map(|time| self.world.clock.now().plus(time));
        *self.frozen.lock().unwrap() = until.map_or(Frozen::ForEver, Frozen::Until);
        self.say(format_args!("freezes until {until:?}"));
    }

    pub(crate) fn say(&self, event: impl std::fmt::Display) {
        self.world.say(format_args!("{} {event}", self.name));
    }

    /// A call that does its work on the spot, if nothing happens to it.
    pub(crate) async fn call<T>(
        &self,
        name: &'static str,
        work: impl Future<Output = StoreResult<T>>,
    ) -> StoreResult<T> {
        self.before(name).await?;
        let answer = self.world.backends.block_on(work);
        self.after(name, kind_of(&answer)).await;
        answer
    }

    /// What happens before a call does its work: it hangs, fails, or is the last thing that the process does.
    pub(crate) async fn before(&self, name: &'static str) -> StoreResult<()> {
        let (world, weather) = (&self.world, self.world.weather());
        world.check_pace();
        if world.dice.chance(weather.store_hangs) {
            let pause = world.dice.millis(4_000);
            self.say(format_args!("{name} hangs for {pause:?}"));
            tokio::time::sleep(pause).await;
        }
        self.thaw(name).await;
        self.stay_if_over().await;
        if world.dice.chance(weather.crashes) {
            self.say(format_args!("{name} was not begun: the process dies"));
            world.die();
            self.stay_if_over().await;
        }
        let is_to_fail = self.fails_at.lock().unwrap().take_if(|at| *at == name).is_some();
        if is_to_fail || world.dice.chance(weather.store_fails) {
            let kind = self.failure_of(name);
            self.say(format_args!("{name} fails: {kind:?}"));
            return Err(StoreError::new(kind, name));
        }
        Ok(())
    }

    /// What happens when the work is done: the answer comes, or the process dies.
    pub(crate) async fn after(&self, name: &'static str, failed: Option<StoreErrorKind>) {
        match failed {
            None => self.say(name),
            Some(kind) => self.say(format_args!("{name}: {kind:?}")),
        }
        if self.world.dice.chance(self.world.weather().crashes) {
            self.say(format_args!("{name} is not answered: the process dies"));
            self.world.die();
        }
        self.stay_if_over().await;
    }

    /// When it is answered again, if it is frozen and ever will be.
    pub(crate) fn thaws_at(&self) -> Option<Timestamp> {
        match *self.frozen.lock().unwrap() {
            Frozen::Until(until) => Some(until),
            Frozen::Not | Frozen::At(..) | Frozen::ForEver => None,
        }
    }

    async fn thaw(&self, name: &'static str) {
        let frozen = *self.frozen.lock().unwrap();
        match frozen {
            Frozen::At(at, time) if at == name => self.freeze(time),
            Frozen::Not | Frozen::At(..) => return,
            Frozen::Until(_) | Frozen::ForEver => {}
        }
        self.thawed().await;
        // Which of the calls that hang is answered first is nobody's to say.
        tokio::time::sleep(self.world.dice.millis(50)).await;
    }

    async fn thawed(&self) {
        loop {
            let frozen = *self.frozen.lock().unwrap();
            match frozen {
                Frozen::Not | Frozen::At(..) => return,
                Frozen::ForEver => std::future::pending().await,
                Frozen::Until(until) if until <= self.world.clock.now() => {
                    self.say("thaws");
                    *self.frozen.lock().unwrap() = Frozen::Not;
                }
                Frozen::Until(until) => tokio::time::sleep(until.since(self.world.clock.now())).await,
            }
        }
    }

    /// Whoever calls a store of a process that is dead gets no answer.
    async fn stay_if_over(&self) {
        if self.world.is_over() {
            std::future::pending().await
        }
    }

    /// Mostly what passes by itself. What does not may only come where a sync can still tell of it.
    fn failure_of(&self, name: &'static str) -> StoreErrorKind {
        let lasting = matches!(name, "commit" | "begin_run" | "sweep" | "inbox_streams");
        if lasting && self.world.dice.chance(200) {
            self.world.dice.pick(&[StoreErrorKind::Internal, StoreErrorKind::Damaged])
        } else {
            self.world.dice.pick(&[StoreErrorKind::Unavailable, StoreErrorKind::DiskFull])
        }
    }
}

/// How a call failed, if it did.
pub(crate) fn kind_of<T>(answer: &StoreResult<T>) -> Option<StoreErrorKind> {
    answer.as_ref().err().map(StoreError::kind)
}
