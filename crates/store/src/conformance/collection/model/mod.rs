//! A simple model of a collection, and random histories in which a store has to agree with it.
//!
//! The model holds records, changes, counters and scopes in plain maps and does what the docs of the traits say, one
//! record at a time. After each step of a history everything that the store shows is compared with it.
//! Steps that no source and no engine would take (a sweep of a scope that is being read, say) are passed over.

mod apply;
mod compare;
mod history;
mod keeping;
mod step;
mod undoing;
mod world;

use inlet_model::{Entropy, SeededEntropy};

use super::given::Given;
use history::History;
pub use step::{STEP_LEN, Step};

/// How many steps a history drawn by seed has.
const STEPS: usize = 75;

/// Histories drawn by seed: `INLET_TEST_SEEDS` of them, from `INLET_TEST_FIRST_SEED` on.
pub async fn random_histories_agree_with_a_simple_model(given: Given) {
    let first = number_in("INLET_TEST_FIRST_SEED").unwrap_or(0);
    let mut given = given;
    for seed in first..first + number_in("INLET_TEST_SEEDS").unwrap_or(12) {
        let steps = drawn(seed);
        given = follow(given.with_a_new_collection().await, &steps, &format!("seed {seed}")).await;
    }
}

/// Takes the steps in an empty collection, and compares after each. `name` tells which history failed.
pub async fn follow(given: Given, steps: &[Step], name: &str) -> Given {
    let mut history = History::new(given);
    for (place, step) in steps.iter().enumerate() {
        history.say(format!("{name}, step {place}: {step:?}"));
        history = history.take(step).await;
        history.compare().await;
    }
    history.end().await
}

fn drawn(seed: u64) -> Vec<Step> {
    let dice = SeededEntropy::new(seed << 32);
    let mut bytes = [0; STEP_LEN];
    (0..STEPS)
        .map(|_| {
            dice.fill(&mut bytes);
            Step::from_bytes(&bytes)
        })
        .collect()
}

fn number_in(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}
