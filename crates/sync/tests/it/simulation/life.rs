//! A simulation from its beginning to its end: the lives of a process, one after the other, each ended by a crash or in order.

use std::sync::Arc;
use std::time::Duration;

use inlet_model::{Clock, NodeRoles};
use inlet_source::{ConnectorType, Environment, Registry};
use inlet_store::catalog::SyncLimits;
use inlet_sync::{Engine, EngineMetrics, EngineOptions, EngineParts, RetryOptions};
use tokio::runtime::Builder;

use super::catalog::NodeCatalog;
use super::invariants::Broken;
use super::mutants::Mutant;
use super::node::Node;
use super::source::SimulatedType;
use super::stores::NodeStores;
use super::world::{Weather, World};
use crate::fixture::vault;

/// A node that is silent for so long loses its syncs.
pub(super) const LEASE: Duration = Duration::from_secs(9);

/// After so many lives nothing goes wrong any more, so that a simulation ends.
const LIVES: u64 = 8;

/// What a simulation came to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Report {
    pub(crate) broken: Option<Broken>,
    /// All that happened, in order.
    pub(crate) trace: Vec<String>,
}

/// A process with its engine.
pub(super) struct Process {
    pub(super) node: Arc<Node>,
    pub(super) engine: Engine,
}

/// How a life ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// Nothing is left to do.
    Finished,
    /// Another follows.
    Stopped,
    /// It died.
    Died,
}

/// Simulates what follows from a seed, with a bug that is planted.
pub(crate) fn simulate(seed: u64, mutant: Option<Mutant>) -> Report {
    let world = World::new(seed, mutant);
    let lives = 1 + world.dice.below(3);
    for life in 1.. {
        if life > LIVES {
            world.state().weather = Weather::default();
        }
        let end = live(&world, life >= lives);
        world.say(format_args!("-- {end:?}"));
        world.compare_records();
        if end == End::Finished || world.is_broken() {
            break;
        }
        if world.dice.chance(200) {
            world.backends.reopen();
        }
    }
    let (broken, trace) = world.ended();
    Report { broken, trace }
}

/// One life of a process, and of others beside it.
fn live(world: &Arc<World>, is_last: bool) -> End {
    in_a_life(world, async {
        tokio::select! {
            biased;
            () = world.died.notified() => End::Died,
            end = go_on(world, is_last) => end,
        }
    })
}

/// Does `work` in a process of its own. Whatever goes on in it is over then, wherever it is.
pub(super) fn in_a_life<T>(world: &World, work: impl Future<Output = T>) -> T {
    world.live();
    let runtime = Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        world.clock.begin_life();
        let end = work.await;
        world.clock.end_life();
        end
    })
}

async fn go_on(world: &Arc<World>, is_last: bool) -> End {
    let Some(process) = start(world, "n1", false).await else { return End::Died };
    let mut processes = vec![process];
    world.make_connectors();
    for _ in 0..2 + world.dice.below(7) {
        tokio::time::sleep(world.dice.millis(world.dice.pick(&[50, 500, 5_000]))).await;
        world.change_truths();
        world.act(&mut processes).await;
    }
    if is_last {
        world.finish(&processes).await;
        return End::Finished;
    }
    if world.dice.chance(300) {
        return End::Died;
    }
    for process in processes {
        process.engine.stop(Duration::from_secs(10)).await;
    }
    End::Stopped
}

/// Starts a process; `None` if it could not.
pub(super) async fn start(world: &Arc<World>, name: &'static str, has_neighbours: bool) -> Option<Process> {
    let node = Node::new(world, name);
    let simulated: Arc<dyn ConnectorType> = Arc::new(SimulatedType(Arc::clone(world)));
    let registry = Registry::new([simulated]);
    let parts = EngineParts {
        catalog: Arc::new(NodeCatalog::new(&node)),
        stores: Arc::new(NodeStores::new(&node)),
        signals: Arc::new(inlet_store::NoSignals),
        metrics: EngineMetrics::register(&mut Default::default(), &registry),
        registry,
        environment: Environment::default(),
        vault: vault(),
        clock: Arc::new(WorldClock(Arc::clone(world))),
        entropy: Arc::clone(&world.entropy) as _,
    };
    match Engine::start(parts, options(world, has_neighbours)).await {
        Ok(engine) => Some(Process { node, engine }),
        Err(error) => {
            world.say(format_args!("{name} cannot start: {error}"));
            tokio::time::sleep(Duration::from_secs(1)).await;
            None
        }
    }
}

/// The clock of the world, for those who own theirs.
#[derive(Debug)]
struct WorldClock(Arc<World>);

impl Clock for WorldClock {
    fn now(&self) -> inlet_model::Timestamp {
        self.0.clock.now()
    }
}

/// So small that everything is met within a minute.
fn options(world: &World, has_neighbours: bool) -> EngineOptions {
    let history = world.dice.pick(&[None, Some(Duration::from_secs(20))]);
    EngineOptions {
        name: String::new(),
        roles: NodeRoles::ALL,
        is_alone: !has_neighbours,
        limits: SyncLimits::default(),
        running_syncs: 1 + world.dice.index(3),
        sync_bytes: 4_096,
        commit_delay: Duration::from_millis(world.dice.pick(&[0, 250, 1_000])),
        commit_bytes: world.dice.pick(&[600, 2_000]),
        stall_limit: Duration::from_secs(20),
        max_record_bytes: 1 << 16,
        retry: RetryOptions {
            retries: 3,
            first_delay: Duration::from_secs(1),
            longest_delay: Duration::from_secs(8),
        },
        lease: LEASE,
        period: Duration::from_secs(5),
        history,
        undo_time: Duration::from_secs(10),
        runs: Duration::from_secs(600),
        upkeep_period: Duration::from_secs(15),
    }
}
