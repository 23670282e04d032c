//! How a life of the server ends.

use inlet_store::fault::POINTS;

use super::super::Draw;

/// A fifth of the calls of files and of SQLite fail; PostgreSQL lies behind [a bad way](super::way).
const CALLS_FAIL: &str = "source.open@20%=error,source.read@20%=error";

/// What no server of the story does: rotate keys, remove records, undo syncs, move to another backend; or not in so short a life: upkeep.
const NOT_PASSED: [&str; 6] = ["secrets.", "undo.", "upkeep.", "purge.", "engine.purged", "transfer."];

/// The end of one life, and what goes wrong before.
#[derive(Debug)]
pub(super) struct Drawn {
    kill: Option<(&'static str, u64)>,
    calls_fail: bool,
}

impl Drawn {
    /// Nothing goes wrong.
    pub(super) fn none() -> Self {
        Self { kill: None, calls_fail: false }
    }

    /// The point; nothing if there is none.
    pub(super) fn name(&self) -> &'static str {
        self.kill.map_or("", |(point, _)| point)
    }

    pub(super) fn faults(&self) -> String {
        let kill = self.kill.map(|(point, count)| format!("{point}@{count}=kill"));
        let calls_fail = self.calls_fail.then(|| CALLS_FAIL.to_owned());
        kill.into_iter().chain(calls_fail).collect::<Vec<_>>().join(",")
    }
}

/// The named points, each as often as any other.
#[derive(Debug, Default)]
pub(super) struct Deck(Vec<&'static str>);

impl Deck {
    /// A kill at a named point, the one time it is passed or another, or, every third time, at any moment.
    pub(super) fn draw(&mut self, draw: &mut Draw) -> Drawn {
        let kill = (draw.below(3) > 0).then(|| {
            let point = self.point(draw);
            // What every call and every sync passes is passed often.
            let often = ["catalog.", "commit."].iter().any(|often| point.starts_with(often));
            (point, 1 + draw.below(if often { 40 } else { 3 }))
        });
        Drawn { kill, calls_fail: true }
    }

    fn point(&mut self, draw: &mut Draw) -> &'static str {
        if self.0.is_empty() {
            self.0 = points().collect();
        }
        let place = usize::try_from(draw.below(self.0.len() as u64)).unwrap();
        self.0.swap_remove(place)
    }
}

fn points() -> impl Iterator<Item = &'static str> {
    POINTS.iter().copied().filter(|point| !NOT_PASSED.iter().any(|not| point.starts_with(not)))
}
