//! The tree the rules look at: every file's path, and the text of those that are read.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{fs, io};

use serde::Deserialize;

use super::rust_file::RustFile;

/// Folders that hold what is built, fetched or stored, never what is written.
const SKIPPED: &[&str] = &[".git", "target", "node_modules", "inlet-data", "__pycache__"];

/// Everything the rules look at, read once.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    packages: Vec<Package>,
    paths: BTreeSet<String>,
    rust: Vec<RustFile>,
    markdown: Vec<TextFile>,
    manifests: Vec<TextFile>,
}

/// A file of which the rules see only the text.
#[derive(Debug)]
pub(crate) struct TextFile {
    /// From the root of the tree, with `/` between the parts.
    pub(crate) path: String,
    pub(crate) text: String,
}

/// A crate of this workspace, as `cargo metadata` tells it.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) manifest_path: String,
    pub(crate) dependencies: Vec<Dependency>,
}

/// One dependency that a crate declares.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    /// `None` for a normal one, else `dev` or `build`.
    pub(crate) kind: Option<String>,
}

/// Why the tree could not be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TreeError {
    #[error("cannot read {}", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("cannot run `cargo metadata`")]
    RunCargo(#[source] io::Error),
    #[error("`cargo metadata` failed: {0}")]
    Cargo(String),
    #[error("`cargo metadata` answered in a form that is not understood")]
    Metadata(#[source] serde_json::Error),
}

#[derive(Deserialize)]
struct Metadata {
    workspace_root: PathBuf,
    packages: Vec<Package>,
}

impl Tree {
    /// Reads the workspace that this crate belongs to.
    pub(crate) fn of_this_workspace() -> Result<Self, TreeError> {
        let metadata = cargo_metadata(Path::new(env!("CARGO_MANIFEST_DIR")))?;
        let mut tree = Self { packages: metadata.packages, ..Self::default() };
        let prefix = format!("{}/", metadata.workspace_root.display());
        for package in &mut tree.packages {
            package.manifest_path = package.manifest_path.replace(&prefix, "");
        }
        tree.walk(&metadata.workspace_root, "")?;
        tree.mark_test_files();
        Ok(tree)
    }

    pub(crate) fn packages(&self) -> &[Package] {
        &self.packages
    }

    pub(crate) fn rust_files(&self) -> &[RustFile] {
        &self.rust
    }

    pub(crate) fn rust_file(&self, path: &str) -> Option<&RustFile> {
        self.rust.iter().find(|file| file.path == path)
    }

    pub(crate) fn markdown_files(&self) -> &[TextFile] {
        &self.markdown
    }

    pub(crate) fn manifest(&self, path: &str) -> Option<&TextFile> {
        self.manifests.iter().find(|file| file.path == path)
    }

    /// True for a file or a folder.
    pub(crate) fn exists(&self, path: &str) -> bool {
        path.is_empty() || self.paths.contains(path)
    }

    /// Every path below `folder`, relative to it.
    pub(crate) fn below<'a>(&'a self, folder: &'a str) -> impl Iterator<Item = &'a str> {
        self.paths.iter().filter_map(move |path| path.strip_prefix(folder)?.strip_prefix('/'))
    }

    pub(crate) fn file_count(&self) -> usize {
        self.rust.len() + self.markdown.len() + self.manifests.len()
    }

    fn walk(&mut self, folder: &Path, inside: &str) -> Result<(), TreeError> {
        let unreadable = |source| TreeError::Read { path: folder.to_owned(), source };
        let mut entries = Vec::new();
        for entry in fs::read_dir(folder).map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?;
            let kind = entry.file_type().map_err(unreadable)?;
            entries.push((entry.file_name().to_string_lossy().into_owned(), kind.is_dir()));
        }
        entries.sort();
        for (name, is_folder) in entries {
            if SKIPPED.contains(&name.as_str()) {
                continue;
            }
            let path = if inside.is_empty() { name.clone() } else { format!("{inside}/{name}") };
            if is_folder {
                self.paths.insert(path.clone());
                self.walk(&folder.join(&name), &path)?;
            } else {
                self.read(&folder.join(&name), path)?;
            }
        }
        Ok(())
    }

    fn read(&mut self, file: &Path, path: String) -> Result<(), TreeError> {
        if is_read(&path) {
            let text = fs::read_to_string(file)
                .map_err(|source| TreeError::Read { path: file.to_owned(), source })?;
            self.add(path, text);
        } else {
            self.paths.insert(path);
        }
        Ok(())
    }

    fn add(&mut self, path: String, text: String) {
        self.paths.insert(path.clone());
        if path.ends_with(".rs") {
            self.rust.push(RustFile::new(path, text));
        } else if path.ends_with(".md") {
            self.markdown.push(TextFile { path, text });
        } else if path.ends_with("Cargo.toml") {
            self.manifests.push(TextFile { path, text });
        }
    }

    fn mark_test_files(&mut self) {
        let modules: Vec<String> = self.rust.iter().flat_map(RustFile::test_modules).collect();
        for file in &mut self.rust {
            file.mark_if_test(&modules);
        }
    }
}

fn is_read(path: &str) -> bool {
    [".rs", ".md", "Cargo.toml"].iter().any(|ending| path.ends_with(ending))
}

fn cargo_metadata(folder: &Path) -> Result<Metadata, TreeError> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--format-version", "1", "--no-deps"])
        .current_dir(folder)
        .output()
        .map_err(TreeError::RunCargo)?;
    if !output.status.success() {
        return Err(TreeError::Cargo(String::from_utf8_lossy(&output.stderr).trim().to_owned()));
    }
    serde_json::from_slice(&output.stdout).map_err(TreeError::Metadata)
}

#[cfg(test)]
impl Tree {
    /// A tree made of the given files, for showing what a rule catches.
    pub(crate) fn planted(files: &[(&str, &str)]) -> Self {
        let mut tree = Self::default();
        for (path, text) in files {
            let folders = path.match_indices('/').map(|(end, _)| path[..end].to_owned());
            tree.paths.extend(folders);
            tree.add((*path).to_owned(), (*text).to_owned());
        }
        tree.mark_test_files();
        tree
    }

    /// The same tree with a crate that has these dependencies, each a name and a kind.
    pub(crate) fn with_package(mut self, name: &str, dependencies: &[(&str, Option<&str>)]) -> Self {
        let folder = name.trim_start_matches("inlet-");
        let dependencies = dependencies
            .iter()
            .map(|(name, kind)| Dependency { name: (*name).to_owned(), kind: kind.map(str::to_owned) });
        self.packages.push(Package {
            name: name.to_owned(),
            manifest_path: format!("crates/{folder}/Cargo.toml"),
            dependencies: dependencies.collect(),
        });
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_workspace_is_read_whole() {
        let tree = Tree::of_this_workspace().unwrap();
        assert!(tree.packages().iter().any(|package| package.manifest_path == "xtask/Cargo.toml"));
        assert!(tree.rust_file("xtask/src/tidy/tree.rs").is_some());
        assert!(tree.manifest("crates/model/Cargo.toml").is_some());
        assert!(tree.exists("crates/model") && !tree.exists("target"));
    }

    #[test]
    fn below_lists_what_a_folder_holds_and_nothing_beside_it() {
        let tree = Tree::planted(&[("a/b/c.rs", ""), ("a/bc/d.rs", "")]);
        assert_eq!(tree.below("a/b").collect::<Vec<_>>(), ["c.rs"]);
    }
}
