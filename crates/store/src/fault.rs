//! Named points at which tests break things: the only way to show what a crash at that very place leaves.
//!
//! Without the feature `testing` a point compiles to nothing. With it, `INLET_FAULTS` says what happens where:
//! `name@n=action`, separated by commas; `n` counts the times the point is passed, from 1 (`*`: every time); the action is `kill`
//! (the process dies on the spot, as by `kill -9`), `sleep:MILLIS` or `error` (where the point can fail).

/// Passes the point `name`. Kills or delays the process if a test asked for it.
#[cfg(not(feature = "testing"))]
#[inline(always)]
pub fn point(_name: &'static str) {}

#[cfg(feature = "testing")]
pub use testing::{POINTS, point};

#[cfg(feature = "testing")]
mod testing {
    use std::collections::HashMap;
    use std::sync::{LazyLock, Mutex};
    use std::time::Duration;

    /// Every point there is, so that a test can draw one. A point that is not in the list panics when it is passed.
    pub const POINTS: &[&str] = &[
        "commit.begin",
        "commit.before",
        "commit.after",
        "sweep.before",
        "sweep.after",
        "deletes.found.before",
        "deletes.approve.before",
        "deletes.approve.after",
        "deletes.drop.before",
        "deletes.drop.after",
        "purge.before",
        "purge.after",
        "undo.before",
        "undo.after",
        "upkeep.before",
        "upkeep.after",
        "run.begin.before",
        "run.begin.after",
        "run.finish.before",
        "run.finish.after",
        "push.before",
        "push.after",
        "catalog.write.before",
        "catalog.write.after",
        "secrets.ring",
        "secrets.renewed",
        "engine.scheduled",
        "engine.claimed",
        "engine.batch",
        "engine.read_end",
        "engine.asked",
        "engine.approved",
        "engine.discarded",
        "engine.swept",
        "engine.finished",
        "engine.purged",
        "webhook.answered",
    ];

    #[derive(Debug, Clone, Copy)]
    enum Action {
        Kill,
        Sleep(Duration),
    }

    #[derive(Debug)]
    struct Plan {
        at: Option<u64>,
        action: Action,
    }

    static PLANS: LazyLock<HashMap<String, Vec<Plan>>> =
        LazyLock::new(|| parse(&std::env::var("INLET_FAULTS").unwrap_or_default()));
    static PASSED: LazyLock<Mutex<HashMap<&'static str, u64>>> = LazyLock::new(Mutex::default);

    fn parse(text: &str) -> HashMap<String, Vec<Plan>> {
        let mut plans: HashMap<String, Vec<Plan>> = HashMap::new();
        for part in text.split(',').filter(|part| !part.is_empty()) {
            let (name, plan) =
                parse_one(part).unwrap_or_else(|| panic!("INLET_FAULTS: cannot read `{part}`"));
            plans.entry(name).or_default().push(plan);
        }
        plans
    }

    fn parse_one(part: &str) -> Option<(String, Plan)> {
        let (point, action) = part.split_once('=')?;
        let (name, at) = point.split_once('@')?;
        let at = if at == "*" { None } else { Some(at.parse().ok()?) };
        let action = match action.split_once(':') {
            None if action == "kill" => Action::Kill,
            Some(("sleep", millis)) => Action::Sleep(Duration::from_millis(millis.parse().ok()?)),
            _ => return None,
        };
        POINTS.contains(&name).then(|| (name.to_owned(), Plan { at, action }))
    }

    /// Passes the point `name`. Kills or delays the process if a test asked for it.
    #[expect(clippy::disallowed_methods, reason = "a delay that a crash test asked for is meant to block")]
    pub fn point(name: &'static str) {
        assert!(POINTS.contains(&name), "the fault point {name} is not in the list");
        let Some(plans) = PLANS.get(name) else { return };
        let mut passed = PASSED.lock().expect("no holder panics");
        let count = passed.entry(name).or_default();
        *count += 1;
        let due = plans.iter().find(|plan| plan.at.is_none_or(|at| at == *count)).map(|plan| plan.action);
        drop(passed);
        match due {
            Some(Action::Kill) => std::process::abort(),
            Some(Action::Sleep(duration)) => std::thread::sleep(duration),
            None => {}
        }
    }
}
