//! Where a source on disk lies, in one spelling.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::errors::CommandError;

/// What a file that SQLite wrote begins with.
const SQLITE_HEADER: &[u8] = b"SQLite format 3\0";

/// Where the source lies: absolute, with links in its fixed directories resolved, so that one source has one spelling.
#[derive(Debug)]
pub(super) struct Place {
    directory: String,
    name: String,
    /// What comes behind the first wildcard.
    below: String,
    /// The name of a file that is there is taken as it is, whatever characters it has.
    is_there: bool,
}

impl Place {
    pub(super) fn of(source: &str) -> Result<Self, CommandError> {
        if let Some((scheme, _)) = source.split_once("://") {
            return Err(CommandError::input(
                "input.source",
                format!("a source over {scheme} cannot be read yet"),
            )
            .hint("say a path, a glob in quotes, or postgres://…")
            .into());
        }
        let path = Path::new(source);
        if path.is_dir() {
            return Err(CommandError::input("input.source", format!("`{source}` is a directory"))
                .hint(format!("to read the files in it, say '{}/*'", source.trim_end_matches('/')))
                .into());
        }
        let is_there = path.symlink_metadata().is_ok();
        let (fixed, below) =
            if is_there || !is_glob(source) { (source, "") } else { at_first_wildcard(source) };
        let (directory, name) = match fixed.rsplit_once('/') {
            Some((directory, name)) => (if directory.is_empty() { "/" } else { directory }, name),
            None => (".", fixed),
        };
        let directory =
            Path::new(directory).canonicalize().map_err(|error| no_such(source, directory, error))?;
        let directory = directory.to_str().ok_or_else(|| {
            CommandError::input(
                "input.source",
                format!("the directory of `{source}` has a name that is not UTF-8"),
            )
        })?;
        let directory = directory.trim_end_matches('/').to_owned();
        Ok(Self { directory, name: name.to_owned(), below: below.to_owned(), is_there })
    }

    pub(super) fn path(&self) -> String {
        format!("{}/{}", self.directory, self.name)
    }

    /// The path as `files` understands it.
    pub(super) fn pattern(&self) -> String {
        let name = if self.is_there { escaped(&self.name) } else { self.name.clone() };
        format!("{}/{name}{}", escaped(&self.directory), self.below)
    }

    /// Whether it is a SQLite database, by its name or by how it begins.
    pub(super) fn is_database(&self) -> bool {
        let is_pattern = !self.below.is_empty() || (!self.is_there && is_glob(&self.name));
        let ending = Path::new(&self.name).extension().and_then(|ending| ending.to_str()).unwrap_or_default();
        let is_named = ["db", "sqlite", "sqlite3"].iter().any(|known| ending.eq_ignore_ascii_case(known));
        !is_pattern && (is_named || begins_with(Path::new(&self.path()), SQLITE_HEADER))
    }
}

/// Whether a regular file begins with these bytes. To open anything else could wait for ever.
fn begins_with(path: &Path, start: &[u8]) -> bool {
    let mut found = vec![0; start.len()];
    path.is_file()
        && File::open(path).and_then(|mut file| file.read_exact(&mut found)).is_ok()
        && found == start
}

fn no_such(source: &str, directory: &str, error: std::io::Error) -> CommandError {
    CommandError::input(
        "source.not_found",
        format!("`{source}` cannot be read: its directory `{directory}` cannot be opened"),
    )
    .because(error)
    .into()
}

const WILDCARDS: [char; 4] = ['*', '?', '[', '{'];

fn is_glob(text: &str) -> bool {
    text.contains(WILDCARDS)
}

/// The text up to and with the last slash before the first wildcard, and the rest.
fn at_first_wildcard(text: &str) -> (&str, &str) {
    let first = text.find(WILDCARDS).unwrap_or(text.len());
    text.split_at(text[..first].rfind('/').map_or(0, |slash| slash + 1))
}

/// The name as a pattern that matches only it.
fn escaped(name: &str) -> String {
    let mut pattern = String::with_capacity(name.len());
    for character in name.chars() {
        if WILDCARDS.contains(&character) || character == '\\' {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_has_one_spelling() {
        let directory = tempfile::tempdir().unwrap();
        let base = directory.path().canonicalize().unwrap();
        std::fs::create_dir(base.join("real[1]")).unwrap();
        std::fs::write(base.join("real[1]/a*.csv"), "").unwrap();
        std::os::unix::fs::symlink(base.join("real[1]"), base.join("link")).unwrap();
        let base = base.to_str().unwrap();
        let spelled = |text: &str| Place::of(&format!("{base}/{text}")).unwrap().pattern();
        assert_eq!(
            spelled("link/a*.csv"),
            format!("{base}/real\\[1]/a\\*.csv"),
            "the name of a file that is there"
        );
        assert_eq!(spelled("link/*.csv"), format!("{base}/real\\[1]/*.csv"));
        assert_eq!(spelled("link/../link/./**/*.csv"), format!("{base}/real\\[1]/**/*.csv"));
        assert_eq!(spelled("link/new.csv"), format!("{base}/real\\[1]/new.csv"));
    }

    #[test]
    fn what_is_no_file_or_glob_is_refused() {
        for bad in ["https://example.com/a.csv", "/", ".", "/no/such/directory/a.csv", "/no/such/*/a.csv"] {
            assert!(Place::of(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_database_is_told_by_its_name_or_its_beginning() {
        let directory = tempfile::tempdir().unwrap();
        let base = directory.path().canonicalize().unwrap();
        std::fs::write(base.join("shop"), b"SQLite format 3\0and so on").unwrap();
        std::fs::write(base.join("a[1].csv"), "id\n1\n").unwrap();
        std::fs::write(base.join("b[1].db"), "").unwrap();
        let base = base.to_str().unwrap();
        let place = |text: &str| Place::of(&format!("{base}/{text}")).unwrap();
        for (source, expected) in [
            ("shop", true),
            ("new.db", true),
            ("new.SQLite3", true),
            ("b[1].db", true),
            ("a[1].csv", false),
            ("nowhere", false),
            ("*.db", false),
            ("db", false),
        ] {
            assert_eq!(place(source).is_database(), expected, "{source}");
        }
        assert_eq!(place("b[1].db").path(), format!("{base}/b[1].db"));
    }
}
