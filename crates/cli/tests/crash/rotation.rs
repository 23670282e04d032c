//! A kill at every step of a rotation of the encryption key: each leaves secrets that the directory's keys open, and the next
//! rotation ends it.

use std::process::Stdio;

use crate::encryption::{kept, plant, readable, with_secrets};

#[test]
fn a_kill_at_any_step_of_a_rotation_loses_no_secret() {
    // Three transactions' worth.
    const SECRETS: usize = 250;
    let home = with_secrets(SECRETS);
    let data = home.join("inlet-data");
    for fault in [
        "secrets.ring@1",
        "catalog.write.before@1",
        "catalog.write.after@1",
        "secrets.renewed@1",
        "catalog.write.before@2",
        "secrets.renewed@2",
        "catalog.write.after@3",
    ] {
        let old = kept(&data);
        let mut command = home.command(["keys", "rotate-encryption"]);
        command.env("INLET_FAULTS", format!("{fault}=kill")).stdout(Stdio::null()).stderr(Stdio::null());
        assert!(!command.status().unwrap().success(), "{fault} was not passed");
        let between = kept(&data);
        assert_eq!((between.len(), &between[1..]), (2, &old[..]), "{fault}: both keys are kept");
        assert_eq!(readable(&data, &between), SECRETS, "{fault}");

        home.inlet_well("keys rotate-encryption");
        assert_eq!(kept(&data), between[..1], "{fault}: it was gone on with");
        assert_eq!(readable(&data, &kept(&data)), SECRETS, "{fault}");
    }
    // A server that starts between the two seals with the new key.
    let old = kept(&data);
    let mut command = home.command(["keys", "rotate-encryption"]);
    command.env("INLET_FAULTS", "secrets.renewed@1=kill").stdout(Stdio::null()).stderr(Stdio::null());
    assert!(!command.status().unwrap().success());
    home.inlet_well("records default");
    plant(&data, &kept(&data)[0], 1);
    home.inlet_well("keys rotate-encryption");
    assert_ne!(kept(&data), old);
    assert_eq!(readable(&data, &kept(&data)), SECRETS + 1);
}
