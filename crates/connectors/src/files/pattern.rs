//! The path of a config: a file, or a glob, cut into the part that is fixed and the part that is searched.

use std::path::PathBuf;

use globset::{GlobBuilder, GlobMatcher};
use inlet_model::StreamName;

use super::format;

/// The longest path, in bytes.
const MAX_LEN: usize = 4096;
/// The most directories in a path.
pub(super) const MAX_DEPTH: usize = 64;

/// A path as the user wrote it.
#[derive(Debug, Clone)]
pub(super) struct Pattern {
    /// Whether it begins at `/`; else it begins at one of the roots.
    pub(super) absolute: bool,
    /// The names that hold no wildcard, from the front. Of a single file: all but its own.
    pub(super) prefix: Vec<String>,
    /// What is below.
    pub(super) target: Target,
}

/// What a path leads to.
#[derive(Debug, Clone)]
pub(super) enum Target {
    /// One file, by its name.
    File(String),
    /// All files that match, name by name.
    Glob(Vec<Step>),
}

/// One name of a glob.
#[derive(Debug, Clone)]
pub(super) enum Step {
    /// This name.
    Name(String),
    /// Every name that matches. As in a shell, a name with a leading dot only if the pattern begins with one.
    Matching { matcher: GlobMatcher, dotted: bool },
    /// `**`: any number of directories, none included.
    AnyDepth,
}

impl Step {
    /// Whether a directory entry of this name is meant.
    pub(super) fn matches(&self, name: &str) -> bool {
        match self {
            Self::Name(own) => own == name,
            Self::Matching { matcher, dotted } => *dotted == name.starts_with('.') && matcher.is_match(name),
            Self::AnyDepth => !name.starts_with('.'),
        }
    }
}

/// Why a text is no path.
#[derive(Debug, thiserror::Error)]
pub(super) enum PatternError {
    #[error("a path has 1 to {MAX_LEN} bytes and no zero byte")]
    Length,
    #[error("`..` is not allowed in a path: write the path without it")]
    Parent,
    #[error("a path ends with the name of a file, or a pattern for names")]
    NoName,
    #[error("a path has at most {MAX_DEPTH} directories")]
    Depth,
    #[error(
        "`{step}` is no pattern: {why}; write a `*`, `?`, `[` or `{{` that is part of a name with a backslash before it"
    )]
    Glob { step: String, why: String },
}

impl PatternError {
    /// Stable and dotted.
    pub(super) fn code(&self) -> &'static str {
        match self {
            Self::Parent => "files.outside_roots",
            Self::Length | Self::NoName | Self::Depth | Self::Glob { .. } => "files.bad_path",
        }
    }
}

impl Pattern {
    pub(super) fn parse(text: &str) -> Result<Self, PatternError> {
        if text.is_empty() || text.len() > MAX_LEN || text.contains('\0') {
            return Err(PatternError::Length);
        }
        let names: Vec<&str> = text.split('/').filter(|name| !name.is_empty() && *name != ".").collect();
        if names.contains(&"..") {
            return Err(PatternError::Parent);
        }
        if names.len() > MAX_DEPTH {
            return Err(PatternError::Depth);
        }
        if names.is_empty() || text.ends_with('/') {
            return Err(PatternError::NoName);
        }
        let mut steps = names.into_iter().map(step).collect::<Result<Vec<_>, _>>()?;
        steps.dedup_by(|a, b| matches!((a, b), (Step::AnyDepth, Step::AnyDepth)));
        let fixed = steps.iter().position(|step| !matches!(step, Step::Name(_)));
        let below = steps.split_off(fixed.unwrap_or(steps.len() - 1));
        let prefix = steps.into_iter().filter_map(Step::into_name).collect();
        let target = match (fixed, below) {
            (None, below) => {
                Target::File(below.into_iter().find_map(Step::into_name).ok_or(PatternError::NoName)?)
            }
            (Some(_), mut below) => {
                if let Some(Step::AnyDepth) = below.last() {
                    below.push(step("*")?);
                }
                Target::Glob(below)
            }
        };
        Ok(Self { absolute: text.starts_with('/'), prefix, target })
    }

    pub(super) fn is_glob(&self) -> bool {
        matches!(self.target, Target::Glob(_))
    }

    /// The part that is fixed, as a path.
    pub(super) fn fixed(&self) -> PathBuf {
        let root = self.absolute.then_some("/");
        let name = match &self.target {
            Target::File(name) => Some(name.as_str()),
            Target::Glob(_) => None,
        };
        root.into_iter().chain(self.prefix.iter().map(String::as_str)).chain(name).collect()
    }

    /// The name of the stream if the user gives none: `orders` of `orders.csv.gz`, `weather` of `weather-*.csv`, else
    /// the last directory of `text`, the path as written.
    pub(super) fn stream_name(&self, text: &str) -> StreamName {
        let from_file = match &self.target {
            Target::File(name) => format::stem(name),
            Target::Glob(_) => literal_part(format::stem(text.rsplit('/').next().unwrap_or(text))),
        };
        let candidates = [Some(from_file), self.prefix.last().map(String::as_str), Some("files")];
        let named = candidates.into_iter().flatten().find_map(|name| StreamName::new(name).ok());
        named.expect("`files` is the name of a stream")
    }
}

impl Step {
    fn into_name(self) -> Option<String> {
        match self {
            Self::Name(name) => Some(name),
            Self::Matching { .. } | Self::AnyDepth => None,
        }
    }
}

fn step(text: &str) -> Result<Step, PatternError> {
    if text == "**" {
        return Ok(Step::AnyDepth);
    }
    let Some(name) = unescaped(text) else {
        let bad = |why: String| PatternError::Glob { step: text.to_owned(), why };
        if text.contains("**") {
            return Err(bad("`**` stands alone between two slashes".to_owned()));
        }
        let glob = GlobBuilder::new(text).literal_separator(true).backslash_escape(true).build();
        let glob = glob.map_err(|error| bad(error.kind().to_string()))?;
        return Ok(Step::Matching { matcher: glob.compile_matcher(), dotted: text.starts_with('.') });
    };
    Ok(Step::Name(name))
}

/// The name that `text` stands for if it holds no wildcard.
fn unescaped(text: &str) -> Option<String> {
    let mut name = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            '*' | '?' | '[' | '{' => return None,
            '\\' => name.push(characters.next()?),
            plain => name.push(plain),
        }
    }
    Some(name)
}

/// What stands before the first wildcard, else behind the last, without separators at that end.
fn literal_part(text: &str) -> &str {
    let is_separator = |character: char| matches!(character, '-' | '_' | '.' | ' ');
    let is_wild = |character: char| matches!(character, '*' | '?' | '[' | ']' | '{' | '}' | '\\');
    let front = text.split(is_wild).next().unwrap_or(text).trim_end_matches(is_separator);
    if !front.is_empty() {
        return front;
    }
    text.rsplit(is_wild).next().unwrap_or(text).trim_start_matches(is_separator)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> String {
        Pattern::parse(text).unwrap().stream_name(text).to_string()
    }

    #[test]
    fn streams_are_named_after_the_file_the_pattern_or_the_directory() {
        for (path, expected) in [
            ("/data/orders.csv.gz", "orders"),
            ("orders.JSONL.zst", "orders"),
            ("/data/orders", "orders"),
            ("/data/2024.01.csv", "2024.01"),
            ("/data/weather-*.csv", "weather"),
            ("/data/*_orders.csv", "orders"),
            ("/data/orders_{2023,2024}.json", "orders"),
            ("/data/orders/*.csv", "orders"),
            ("/data/orders/**/*.csv", "orders"),
            ("/data/orders/**", "orders"),
            ("*.csv", "files"),
            ("/.csv", ".csv"),
        ] {
            assert_eq!(name(path), expected, "{path}");
        }
    }

    #[test]
    fn the_fixed_part_is_what_comes_before_the_first_wildcard() {
        let pattern = Pattern::parse("/data//a\\*b/./20*/x.csv").unwrap();
        assert_eq!((pattern.absolute, &pattern.prefix), (true, &vec!["data".to_owned(), "a*b".to_owned()]));
        assert!(matches!(&pattern.target, Target::Glob(steps) if steps.len() == 2));
        assert_eq!(pattern.fixed(), PathBuf::from("/data/a*b"));
        let single = Pattern::parse("data/x.csv").unwrap();
        assert_eq!((single.absolute, &single.prefix), (false, &vec!["data".to_owned()]));
        assert_eq!(single.fixed(), PathBuf::from("data/x.csv"));
        assert!(matches!(single.target, Target::File(name) if name == "x.csv"));
    }

    #[test]
    fn steps_match_as_a_shell_would() {
        let matches = |pattern: &str, name: &str| step(pattern).unwrap().matches(name);
        assert!(matches("*.csv", "a.csv") && !matches("*.csv", ".a.csv") && matches(".*", ".a.csv"));
        assert!(matches("[a-c]?.{csv,tsv}", "b1.tsv") && !matches("[!a]*", "a"));
        assert!(matches("**", "directory") && !matches("**", ".git"));
    }

    #[test]
    fn what_is_no_path_is_said_to_be_none() {
        for (path, code) in [
            ("", "files.bad_path"),
            ("a\0b", "files.bad_path"),
            ("/data/", "files.bad_path"),
            ("/", "files.bad_path"),
            ("../secret", "files.outside_roots"),
            ("/data/*/../../etc/passwd", "files.outside_roots"),
            ("a**b", "files.bad_path"),
            ("[a.csv", "files.bad_path"),
            ("{a.csv", "files.bad_path"),
            ("{a/b,c}.csv", "files.bad_path"),
        ] {
            assert_eq!(Pattern::parse(path).unwrap_err().code(), code, "{path:?}");
        }
        assert!(Pattern::parse(&"a/".repeat(70)).is_err());
    }
}
