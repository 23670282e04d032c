//! Kills the real binary, at named points and at random moments, and shows that nothing is lost and nothing doubled.
//!
//! Each test makes a directory of files, syncs it, changes the files, and kills the sync of the changed files somewhere. Then the
//! command is given again, without a fault, and the collection must equal the files.
//!
//! `INLET_TEST_SEEDS` says how many kills each test draws; a failing one names its seed, and `INLET_TEST_FIRST_SEED` begins there.
//!
//! `mixed` is the long one: one server with all kinds of sources, under load, killed as often as `INLET_TEST_KILLS` says. Two hundred times:
//! `INLET_TEST_KILLS=200 cargo nextest run -p inlet-cli --all-features crash::mixed`.

mod approvals;
mod corpus;
mod disk_full;
mod inspect;
mod mixed;
mod named_points;
mod process;
mod purges;
mod pushes;
mod random_moments;
mod reverts;
mod rotation;

/// The seeds of this run: `usual` of them unless `INLET_TEST_SEEDS` says otherwise, one when tests are to be quick.
fn seeds(usual: u64) -> impl Iterator<Item = u64> {
    let number =
        |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().expect("a number of seeds"));
    let usual = if std::env::var_os("INLET_TEST_QUICK").is_some() { 1 } else { usual };
    let first = number("INLET_TEST_FIRST_SEED").unwrap_or(0);
    first..first + number("INLET_TEST_SEEDS").unwrap_or(usual)
}

/// A small generator whose whole state is its seed, so that a failing test repeats.
#[derive(Debug)]
struct Draw(u64);

impl Draw {
    /// SplitMix64.
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
}
