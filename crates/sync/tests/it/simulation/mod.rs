//! A deterministic simulation of the engine over the real stores.
//!
//! A seed decides everything: what the sources hold and how they fail, what people ask for, which call of a store fails, hangs,
//! or is the last thing that a process does. The runtime's clock stands still while anything is to be done, so that a minute of
//! a simulation takes some milliseconds, and the same seed always leads to the same events. After each call that may have
//! written, everything that was promised is checked.
//!
//! `INLET_TEST_SEEDS` says how many seeds are tried, `INLET_TEST_FIRST_SEED` where they begin; `INLET_TEST_SEED` replays one and
//! prints all that happened.

mod actions;
mod backends;
mod catalog;
mod clock;
mod decisions;
mod dice;
mod finale;
mod forward;
mod invariants;
mod life;
mod mutants;
mod node;
mod records;
mod seeds;
mod source;
mod stores;
mod stories;
mod syncs;
mod truth;
mod world;
mod writes;

use std::fmt::Write;

use life::simulate;
use mutants::Mutant;

/// Seeds that each run of the tests tries; a tenth of them if it is to be quick.
const USUAL: u64 = 1_000;

/// Seeds within which each planted bug is to be found.
const ENOUGH: u64 = 2_000;

#[test]
fn every_seed_keeps_every_promise() {
    if let Some(seed) = seeds::number_in("INLET_TEST_SEED") {
        let report = simulate(seed, None);
        seeds::show(&report);
        assert_eq!(report.broken, None, "seed {seed}");
        return;
    }
    let first = seeds::number_in("INLET_TEST_FIRST_SEED").unwrap_or(0);
    let usual = if std::env::var_os("INLET_TEST_QUICK").is_some() { USUAL / 10 } else { USUAL };
    // Each call takes a way over the network.
    let usual = if std::env::var_os(backends::DATABASE).is_some() { usual / 20 } else { usual };
    let count = seeds::number_in("INLET_TEST_SEEDS").unwrap_or(usual);
    let found = seeds::first_broken(first..first + count, None);
    if let Some((seed, report)) = found {
        seeds::show(&report);
        panic!(
            "seed {seed} breaks a promise: {:?}\nreplay it: INLET_TEST_SEED={seed} cargo nextest run -p inlet-sync \
             --all-features --no-capture every_seed_keeps_every_promise",
            report.broken
        );
    }
}

#[test]
fn a_seed_always_leads_to_the_same_events() {
    for seed in 0..24 {
        let (one, other) = (simulate(seed, None), simulate(seed, None));
        let differs = one.trace.iter().zip(&other.trace).position(|(one, other)| one != other);
        assert_eq!(differs.map(|at| (&one.trace[at], &other.trace[at])), None, "seed {seed}");
        assert_eq!(one, other, "seed {seed}");
    }
}

#[test]
fn every_planted_bug_is_found() {
    let mut table = String::from("| planted bug | first seed | broken |\n| --- | --- | --- |\n");
    for mutant in Mutant::ALL {
        let found = seeds::first_broken(0..ENOUGH, Some(mutant));
        let (seed, report) = found.unwrap_or_else(|| panic!("{mutant:?} is not found in {ENOUGH} seeds"));
        let broken = report.broken.expect("it was found by what it broke").invariant;
        writeln!(table, "| {} | {seed} | {broken} |", mutant.told()).unwrap();
    }
    insta::assert_snapshot!(table);
}
