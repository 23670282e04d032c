//! What a release has fixed for good: files written by it are out there, and its steps of migration made them.
//!
//! A change of format is a new step and a new golden file, never a change of these.

use std::path::Path;

use xxhash_rust::xxh3::xxh3_128;

/// Each file with the hash (XXH3, 128 bits) that it has had since the release.
const FILES: &[(&str, &[(&str, u128)])] = &[(
    "0.1.0",
    &[
        ("golden/v3/catalog.db", 0x5f1c316b_bd1c9220_b0f2d3c1_e402ed07),
        ("golden/v1/collection.db", 0x7c4b081d_2e2cd228_208bc16d_f61c32e8),
        ("src/sqlite/catalog/migrations/v1.sql", 0xecdd6556_c18193fd_d51d2490_05cb7a1f),
        ("src/sqlite/catalog/migrations/v2.sql", 0x5bc861d9_3aea73c7_3ae7d7aa_b6f1251d),
        ("src/sqlite/catalog/migrations/v3.sql", 0xc398bb7a_6b1aeb1b_ed240f06_93ccba3d),
        ("src/sqlite/collection/migrations/v1.sql", 0x447c9b55_cd1398a6_9388ad5e_1f8ef94f),
    ],
)];

#[test]
fn what_a_release_has_fixed_is_as_it_was() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for (release, files) in FILES {
        for (name, fixed) in *files {
            let found = xxh3_128(&std::fs::read(root.join(name)).unwrap());
            assert_eq!(format!("{found:032x}"), format!("{fixed:032x}"), "{name} of {release}");
        }
    }
}
