//! Many seeds over all cores.

use std::num::NonZero;
use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use super::life::{Report, simulate};
use super::mutants::Mutant;

pub(super) fn number_in(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

/// The first of the seeds that breaks a promise, and how.
pub(super) fn first_broken(seeds: Range<u64>, mutant: Option<Mutant>) -> Option<(u64, Report)> {
    let next = AtomicU64::new(seeds.start);
    let end = AtomicU64::new(seeds.end);
    let found = Mutex::new(None::<(u64, Report)>);
    let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
    std::thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= end.load(Ordering::Relaxed) {
                        return;
                    }
                    let report = simulate(seed, mutant);
                    if report.broken.is_some() {
                        // Those before it are still to be tried: which is the first does not depend on who is faster.
                        end.fetch_min(seed, Ordering::Relaxed);
                        let mut found = found.lock().unwrap();
                        if found.as_ref().is_none_or(|(other, _)| seed < *other) {
                            *found = Some((seed, report));
                        }
                    }
                }
            });
        }
    });
    found.into_inner().unwrap()
}

#[expect(clippy::print_stderr, reason = "what a seed led to is shown to whoever replays it")]
pub(super) fn show(report: &Report) {
    report.trace.iter().for_each(|line| eprintln!("{line}"));
}
