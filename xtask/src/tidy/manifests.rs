//! What every crate's manifest has: the lints of the workspace, and no version of its own.

use super::tree::TextFile;
use super::{Finding, Tree};

/// Every crate keeps the workspace's lints, and takes each dependency from the one table of versions.
pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let manifests = tree.packages().iter().filter_map(|package| tree.manifest(&package.manifest_path));
    manifests.flat_map(|manifest| missing_lints(manifest).into_iter().chain(own_versions(manifest))).collect()
}

fn missing_lints(manifest: &TextFile) -> Option<Finding> {
    let has_lints = lines_by_section(manifest)
        .any(|(_, section, line)| section == "[lints]" && line == "workspace = true");
    let message = "no `[lints] workspace = true`: the workspace's lints do not hold here";
    (!has_lints).then(|| Finding::new(&manifest.path, 1, message))
}

fn own_versions(manifest: &TextFile) -> impl Iterator<Item = Finding> {
    let dependencies =
        lines_by_section(manifest).filter(|(_, section, _)| section.ends_with("dependencies]"));
    let own = dependencies.filter(|(_, _, line)| line.contains('=') && !line.starts_with(['#', '[']));
    let own = own.filter(|(_, _, line)| !line.contains("workspace = true"));
    own.map(|(number, _, line)| {
        let name = line.split([' ', '=', '.']).next().unwrap_or_default();
        let message = format!("`{name}` has a version of its own: put it into the root Cargo.toml");
        Finding::new(&manifest.path, number, message)
    })
}

/// The trimmed lines with their numbers and the section they stand in.
fn lines_by_section(manifest: &TextFile) -> impl Iterator<Item = (usize, &str, &str)> {
    let mut section = "";
    manifest.text.lines().enumerate().map(move |(index, line)| {
        let line = line.trim();
        if line.starts_with('[') {
            section = line;
        }
        (index + 1, section, line)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(manifest: &str) -> Vec<(usize, String)> {
        let tree = Tree::planted(&[("crates/store/Cargo.toml", manifest)]).with_package("inlet-store", &[]);
        check(&tree).into_iter().map(|finding| (finding.line, finding.message)).collect()
    }

    #[test]
    fn a_crate_without_the_lints_is_caught() {
        assert_eq!(found("[package]\nname = \"inlet-store\"\n").len(), 1);
        assert_eq!(found("[lints]\nworkspace = true\n"), []);
    }

    #[test]
    fn a_version_outside_of_the_one_table_is_caught() {
        let lints = "[lints]\nworkspace = true\n";
        let target = "[target.'cfg(target_os = \"linux\")'.dependencies]\nlibc.workspace = true\n";
        assert_eq!(found(&format!("{lints}{target}")), []);
        let own = format!("{lints}[dependencies]\nzstd.workspace = true\nrusqlite = \"0.43\"\n");
        let expected = "`rusqlite` has a version of its own: put it into the root Cargo.toml";
        assert_eq!(found(&own), [(5, expected.to_owned())]);
        let features =
            format!("{lints}[dev-dependencies]\ninsta = {{ workspace = true, features = [\"json\"] }}\n");
        assert_eq!(found(&features), []);
    }
}
