//! Which files a path leads to.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use inlet_model::Scope;
use inlet_source::{ErrorKind, SourceError};

use super::pattern::{MAX_DEPTH, Pattern, Step, Target};
use crate::roots::Roots;

/// The most files one path may lead to.
const MAX_FILES: usize = 100_000;
/// The most directory entries looked at.
const MAX_ENTRIES: usize = 2_000_000;

/// The files a path leads to, by scope: the file's name, or its path below the fixed part of a glob.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Files(pub(super) BTreeMap<Scope, PathBuf>);

/// Lists the files that `pattern` leads to now. There is at least one, and none was overlooked: what cannot be listed
/// with certainty is an error.
pub(super) fn list(
    pattern: &Pattern,
    roots: &Roots,
    is_stopped: &mut dyn FnMut() -> bool,
) -> Result<Files, SourceError> {
    let fixed = pattern.fixed();
    let base = roots.resolve(&fixed).map_err(|error| error.about(&fixed))?;
    let steps = match &pattern.target {
        Target::File(name) => {
            return match fs::symlink_metadata(&base) {
                Ok(_) => Ok(Files(BTreeMap::from([(Scope::new(name), base)]))),
                Err(error) => Err(unreadable(&base, error)),
            };
        }
        Target::Glob(steps) => steps,
    };
    let mut walk = Walk { roots, is_stopped, found: BTreeMap::new(), entries: 0 };
    walk.directory(&base, "", steps, 0)?;
    if walk.found.is_empty() {
        return Err(SourceError::new(ErrorKind::NotFound, "list files", "no file matches the path")
            .with("directory", base.display())
            .hint("nothing is deleted; check the path, and that the disk it lies on is mounted"));
    }
    Ok(Files(walk.found))
}

fn unreadable(path: &Path, cause: io::Error) -> SourceError {
    let (kind, message) = match cause.kind() {
        _ if is_absent(&cause) => (ErrorKind::NotFound, "there is no such file or directory"),
        io::ErrorKind::PermissionDenied => (ErrorKind::Denied, "the server may not read this"),
        _ => (ErrorKind::Unavailable, "the operating system refuses"),
    };
    SourceError::new(kind, "list files", message).with("path", path.display()).because(cause)
}

struct Walk<'a> {
    roots: &'a Roots,
    is_stopped: &'a mut dyn FnMut() -> bool,
    found: BTreeMap<Scope, PathBuf>,
    entries: usize,
}

impl Walk<'_> {
    /// Finds the files below `directory` that match `steps`. `relative` is its path below the fixed part.
    fn directory(
        &mut self,
        directory: &Path,
        relative: &str,
        steps: &[Step],
        depth: usize,
    ) -> Result<(), SourceError> {
        let Some((step, below)) = steps.split_first() else { return Ok(()) };
        if depth > MAX_DEPTH {
            return Err(limit("directories lie deeper than is searched", MAX_DEPTH, directory));
        }
        if matches!(step, Step::AnyDepth) {
            self.directory(directory, relative, below, depth)?;
        }
        if let Step::Name(name) = step {
            return self.entry(&directory.join(name), &join(relative, name), steps, depth);
        }
        let listed = fs::read_dir(directory).map_err(|error| unreadable(directory, error))?;
        for entry in listed {
            let entry = entry.map_err(|error| unreadable(directory, error))?;
            self.count(directory)?;
            let name = entry.file_name();
            if !step.matches(&name.to_string_lossy()) {
                continue;
            }
            let Some(name) = name.to_str() else {
                return Err(SourceError::new(ErrorKind::Format, "list files", "a file's name is not UTF-8")
                    .with("path", entry.path().display()));
            };
            self.entry(&entry.path(), &join(relative, name), steps, depth)?;
        }
        Ok(())
    }

    /// Takes a directory entry whose name matches the first of `steps`: a file at the end of a path, else a directory.
    fn entry(
        &mut self,
        path: &Path,
        relative: &str,
        steps: &[Step],
        depth: usize,
    ) -> Result<(), SourceError> {
        let metadata = match fs::symlink_metadata(path) {
            Ok(metadata) => metadata,
            Err(error) if is_absent(&error) => return Ok(()),
            Err(error) => return Err(unreadable(path, error)),
        };
        let is_link = metadata.is_symlink();
        // A link that leads nowhere counts as a file: that it cannot be opened is then seen and said.
        let is_directory = if is_link { path.is_dir() } else { metadata.is_dir() };
        let any_depth = matches!(steps.first(), Some(Step::AnyDepth));
        match (is_directory, steps.len() == 1) {
            (false, true) => self.file(path, relative),
            (true, false) => {
                // `**` does not follow links: they can lead round in circles.
                if is_link && any_depth {
                    return Ok(());
                }
                self.refuse_outside(path, is_link)?;
                self.directory(path, relative, if any_depth { steps } else { &steps[1..] }, depth + 1)
            }
            (true, true) | (false, false) => Ok(()),
        }
    }

    fn file(&mut self, path: &Path, relative: &str) -> Result<(), SourceError> {
        self.found.insert(Scope::new(relative), path.to_path_buf());
        if self.found.len() > MAX_FILES {
            return Err(limit("more files match than one stream may have", MAX_FILES, path));
        }
        Ok(())
    }

    fn refuse_outside(&self, path: &Path, is_link: bool) -> Result<(), SourceError> {
        if !is_link {
            return Ok(());
        }
        let canonical = path.canonicalize().map_err(|error| unreadable(path, error))?;
        match self.roots.of(&canonical) {
            Some(_) => Ok(()),
            None => Err(crate::roots::OpenError::Outside.about(path)),
        }
    }

    fn count(&mut self, directory: &Path) -> Result<(), SourceError> {
        const ASK_EVERY: usize = 256;
        self.entries += 1;
        if self.entries > MAX_ENTRIES {
            return Err(limit("more directory entries than are looked at", MAX_ENTRIES, directory));
        }
        if self.entries.is_multiple_of(ASK_EVERY) && (self.is_stopped)() {
            return Err(SourceError::new(ErrorKind::Unavailable, "list files", "the listing was stopped"));
        }
        Ok(())
    }
}

fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

fn limit(message: &str, most: usize, path: &Path) -> SourceError {
    SourceError::new(ErrorKind::Limit, "list files", message)
        .with("most", most)
        .with("path", path.display())
        .hint("make the path narrower")
}

fn join(relative: &str, name: &str) -> String {
    if relative.is_empty() { name.to_owned() } else { format!("{relative}/{name}") }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn tree(files: &[&str]) -> (tempfile::TempDir, PathBuf) {
        let directory = tempfile::tempdir().unwrap();
        let base = directory.path().canonicalize().unwrap();
        for file in files {
            let path = base.join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "x").unwrap();
        }
        (directory, base)
    }

    fn listed(base: &Path, path: &str) -> Result<Vec<String>, ErrorKind> {
        let roots = Roots::new(vec![base.to_path_buf()]);
        list(&Pattern::parse(path).unwrap(), &roots, &mut || false)
            .map(|files| files.0.keys().map(|scope| scope.as_str().to_owned()).collect())
            .map_err(|error| error.kind())
    }

    #[test]
    fn a_path_is_one_file_and_a_glob_all_that_match() {
        let (_directory, base) =
            tree(&["d/a.csv", "d/b.csv", "d/c.txt", "d/.h.csv", "d/e/a.csv", "d/e/f/a.csv", "x.csv"]);
        for (path, expected) in [
            ("d/a.csv", &["a.csv"][..]),
            ("d/*.csv", &["a.csv", "b.csv"]),
            ("d/*", &["a.csv", "b.csv", "c.txt"]),
            ("d/**/a.csv", &["a.csv", "e/a.csv", "e/f/a.csv"]),
            ("**/e/**", &["d/e/a.csv", "d/e/f/a.csv"]),
            ("d/*/a.csv", &["e/a.csv"]),
            ("{d,nowhere}/[bc].*", &["d/b.csv", "d/c.txt"]),
            ("?.csv", &["x.csv"]),
        ] {
            assert_eq!(listed(&base, path).unwrap(), expected, "{path}");
        }
    }

    #[test]
    fn nothing_found_is_an_error_and_not_an_empty_set() {
        let (_directory, base) = tree(&["d/a.csv"]);
        for path in ["x.csv", "d/*.json", "nowhere/*.csv", "d/a.csv/*"] {
            assert_eq!(listed(&base, path), Err(ErrorKind::NotFound), "{path}");
        }
    }

    #[test]
    fn links_are_followed_within_the_roots_but_not_by_any_depth() {
        let (_directory, base) = tree(&["root/d/a.csv", "outside/a.csv"]);
        let root = base.join("root");
        symlink(root.join("d"), root.join("link")).unwrap();
        symlink(&root, root.join("d/circle")).unwrap();
        assert_eq!(listed(&root, "*/a.csv").unwrap(), ["d/a.csv", "link/a.csv"]);
        assert_eq!(listed(&root, "**/*.csv").unwrap(), ["d/a.csv"]);
        symlink(base.join("outside"), root.join("out")).unwrap();
        assert_eq!(listed(&root, "*/a.csv"), Err(ErrorKind::Denied));
    }

    #[test]
    fn a_listing_can_be_stopped() {
        let names: Vec<String> = (0..300).map(|number| format!("{number}.csv")).collect();
        let (_directory, base) = tree(&names.iter().map(String::as_str).collect::<Vec<_>>());
        let roots = Roots::new(vec![base]);
        assert!(list(&Pattern::parse("*.csv").unwrap(), &roots, &mut || true).is_err());
    }
}
