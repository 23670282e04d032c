//! Named points at which tests break things: the only way to show what a crash at that very place leaves.
//!
//! Without the feature `testing` a point compiles to nothing. With it, `INLET_FAULTS` says what happens where:
//! `name@n=action`, separated by commas; `n` counts the times the point is passed, from 1 (`*`: every time; `20%`: about every
//! fifth time, drawn by the seed `INLET_FAULTS_SEED`); the action is `kill` (the process dies on the spot, as by `kill -9`),
//! `sleep:MILLIS` or `error` (at the points that can fail). `INLET_FAULTS_LOG` names a file that gets a line `name@n` for each
//! action, before it, and `name@n over` after a sleep.

/// Passes the point `name`. Kills or delays the process if a test asked for it.
#[cfg(not(feature = "testing"))]
#[inline(always)]
pub fn point(_name: &'static str) {}

/// As [`point`], where something can fail: whether it is to.
#[cfg(not(feature = "testing"))]
#[inline(always)]
#[must_use]
pub fn fails(_name: &'static str) -> bool {
    false
}

#[cfg(feature = "testing")]
pub use testing::{FAILING, POINTS, fails, point};

#[cfg(feature = "testing")]
mod testing {
    use std::collections::HashMap;
    use std::fs::OpenOptions;
    use std::io::Write as _;
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
        "inbox.read",
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
        "transfer.begun",
        "transfer.page.before",
        "transfer.page.after",
        "transfer.written",
        "transfer.checked",
        "transfer.finished",
        "source.open",
        "source.read",
    ];

    /// Those that can fail.
    pub const FAILING: &[&str] = &["source.open", "source.read"];

    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    enum Action {
        Kill,
        Sleep(Duration),
        Error,
    }

    /// Which times a point is passed are meant.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    enum When {
        Always,
        At(u64),
        Percent(u64),
    }

    impl When {
        fn is_due(self, name: &str, count: u64, seed: u64) -> bool {
            match self {
                Self::Always => true,
                Self::At(at) => at == count,
                Self::Percent(percent) => drawn(name, count, seed) % 100 < percent,
            }
        }
    }

    #[derive(Debug, PartialEq, Eq)]
    struct Plan {
        when: When,
        action: Action,
    }

    static PLANS: LazyLock<HashMap<String, Vec<Plan>>> =
        LazyLock::new(|| parse(&std::env::var("INLET_FAULTS").unwrap_or_default()));
    static SEED: LazyLock<u64> = LazyLock::new(|| {
        let seed = std::env::var("INLET_FAULTS_SEED").ok();
        seed.map_or(0, |seed| seed.parse().expect("INLET_FAULTS_SEED is a number"))
    });
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
        let (name, when) = point.split_once('@')?;
        let when = match (when, when.strip_suffix('%')) {
            ("*", _) => When::Always,
            (_, Some(percent)) => When::Percent(percent.parse().ok()?),
            (at, None) => When::At(at.parse().ok()?),
        };
        let action = match action.split_once(':') {
            None if action == "kill" => Action::Kill,
            None if action == "error" && FAILING.contains(&name) => Action::Error,
            Some(("sleep", millis)) => Action::Sleep(Duration::from_millis(millis.parse().ok()?)),
            _ => return None,
        };
        POINTS.contains(&name).then(|| (name.to_owned(), Plan { when, action }))
    }

    /// The same for the same point, time and seed (FNV-1a, mixed as by SplitMix64).
    fn drawn(name: &str, count: u64, seed: u64) -> u64 {
        let bytes = name.bytes().chain(count.to_le_bytes()).chain(seed.to_le_bytes());
        let hash = bytes.fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        let mixed = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Passes the point `name`. Kills or delays the process if a test asked for it.
    pub fn point(name: &'static str) {
        pass(name);
    }

    /// As [`point`], where something can fail: whether it is to.
    #[must_use]
    pub fn fails(name: &'static str) -> bool {
        assert!(FAILING.contains(&name), "the fault point {name} is not among those that can fail");
        pass(name) == Some(Action::Error)
    }

    #[expect(clippy::disallowed_methods, reason = "a delay that a crash test asked for is meant to block")]
    fn pass(name: &'static str) -> Option<Action> {
        assert!(POINTS.contains(&name), "the fault point {name} is not in the list");
        let plans = PLANS.get(name)?;
        let mut passed = PASSED.lock().expect("no holder panics");
        let count = passed.entry(name).or_default();
        *count += 1;
        let count = *count;
        let due = plans.iter().find(|plan| plan.when.is_due(name, count, *SEED)).map(|plan| plan.action);
        drop(passed);
        match due? {
            Action::Kill => {
                log(&format!("{name}@{count}"));
                std::process::abort();
            }
            Action::Sleep(duration) => {
                log(&format!("{name}@{count}"));
                std::thread::sleep(duration);
                log(&format!("{name}@{count} over"));
            }
            Action::Error => log(&format!("{name}@{count}")),
        }
        due
    }

    fn log(line: &str) {
        let Some(path) = std::env::var_os("INLET_FAULTS_LOG") else { return };
        let file = OpenOptions::new().append(true).create(true).open(path);
        // In one write, which no other comes between.
        let written = file.and_then(|mut file| file.write_all(format!("{line}\n").as_bytes()));
        written.expect("the file of INLET_FAULTS_LOG can be written");
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn plans_say_where_when_and_what() {
            let plans = parse("commit.before@2=kill,commit.before@*=sleep:7,source.read@20%=error");
            let (kill, sleep) = (Action::Kill, Action::Sleep(Duration::from_millis(7)));
            assert_eq!(
                plans["commit.before"],
                [Plan { when: When::At(2), action: kill }, Plan { when: When::Always, action: sleep }]
            );
            assert_eq!(plans["source.read"], [Plan { when: When::Percent(20), action: Action::Error }]);
            for wrong in ["commit.before@1=error", "nowhere@1=kill", "source.read@1=fall", "source.read=kill"]
            {
                assert_eq!(parse_one(wrong), None, "{wrong}");
            }
        }

        #[test]
        fn a_share_is_drawn_alike_by_one_seed_and_otherwise_by_another() {
            let due = |seed| -> Vec<u64> {
                (1..=1000).filter(|count| When::Percent(20).is_due("source.read", *count, seed)).collect()
            };
            assert_eq!(due(1), due(1));
            assert_ne!(due(1), due(2));
            assert!((150..250).contains(&due(1).len()), "{}", due(1).len());
        }
    }
}
