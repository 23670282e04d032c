//! `inlet demo`: what a newcomer sees.

use super::harness::Home;

#[test]
fn it_brings_real_data_in_twice_and_starts_afresh_each_time() {
    let home = Home::new();
    let first = home.inlet("demo --no-serve");
    insta::assert_snapshot!(home.shown(&first));
    let second = home.inlet("demo --no-serve");
    assert_eq!(home.shown(&second), home.shown(&first));
    let airports = home.inlet_well("records nyc --stream airports --all --output json --data-dir inlet-demo");
    assert_eq!(airports.lines().count(), 1458);
}
