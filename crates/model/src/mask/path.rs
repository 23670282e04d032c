//! Where in a record a masked value stands.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A top-level field by its name, or, if it begins with a slash, values deeper down by a JSON Pointer (RFC 6901). An array on
/// the way is passed through: what follows holds for each of its elements.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MaskPath {
    text: String,
    steps: Vec<String>,
}

/// A text that is no path of a masked value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MaskPathError {
    /// It is empty, or longer than [`MaskPath::MAX_LEN`] characters.
    #[error("a masked field is named by 1 to {} characters", MaskPath::MAX_LEN)]
    Length,
    /// It goes deeper than [`MaskPath::MAX_STEPS`].
    #[error("a masked field lies at most {} levels deep", MaskPath::MAX_STEPS)]
    TooDeep,
    /// A tilde stands alone.
    #[error("in a JSON Pointer `~` is written `~0`, and `/` in a name `~1`")]
    Tilde,
}

impl MaskPath {
    /// The longest path, in characters.
    pub const MAX_LEN: usize = 1_000;
    /// The most steps of one.
    pub const MAX_STEPS: usize = 16;

    /// Reads a path.
    pub fn parse(text: &str) -> Result<Self, MaskPathError> {
        if !(1..=Self::MAX_LEN).contains(&text.chars().count()) {
            return Err(MaskPathError::Length);
        }
        let steps = match text.strip_prefix('/') {
            None => vec![text.to_owned()],
            Some(pointer) => pointer.split('/').map(unescaped).collect::<Result<_, _>>()?,
        };
        if steps.len() > Self::MAX_STEPS {
            return Err(MaskPathError::TooDeep);
        }
        Ok(Self { text: text.to_owned(), steps })
    }

    /// The names on the way, the top-level field first: never none.
    #[must_use]
    pub fn steps(&self) -> &[String] {
        &self.steps
    }

    /// Whether the other is the same place, or lies within what is masked here.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        other.steps.starts_with(&self.steps)
    }
}

fn unescaped(step: &str) -> Result<String, MaskPathError> {
    let mut parts = step.split('~');
    let mut name = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        name.push(match part.as_bytes().first() {
            Some(b'0') => '~',
            Some(b'1') => '/',
            _ => return Err(MaskPathError::Tilde),
        });
        name.push_str(&part[1..]);
    }
    Ok(name)
}

impl TryFrom<String> for MaskPath {
    type Error = MaskPathError;

    fn try_from(text: String) -> Result<Self, MaskPathError> {
        Self::parse(&text)
    }
}

impl From<MaskPath> for String {
    fn from(path: MaskPath) -> Self {
        path.text
    }
}

impl fmt::Display for MaskPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(text: &str) -> Result<Vec<String>, MaskPathError> {
        MaskPath::parse(text).map(|path| path.steps().to_vec())
    }

    #[test]
    fn a_name_is_one_step_and_a_pointer_several() {
        assert_eq!(steps("e-mail ~x").unwrap(), ["e-mail ~x"]);
        assert_eq!(steps("/a/b c/0").unwrap(), ["a", "b c", "0"]);
        assert_eq!(steps("/~1etc~0x").unwrap(), ["/etc~x"]);
        assert_eq!(steps("/").unwrap(), [""]);
    }

    #[test]
    fn what_is_no_path_is_refused() {
        assert_eq!(steps(""), Err(MaskPathError::Length));
        assert_eq!(steps(&"ä".repeat(1_001)), Err(MaskPathError::Length));
        assert_eq!(steps("/a~"), Err(MaskPathError::Tilde));
        assert_eq!(steps("/a~2"), Err(MaskPathError::Tilde));
        assert_eq!(steps(&"/a".repeat(17)), Err(MaskPathError::TooDeep));
    }

    #[test]
    fn a_path_covers_what_lies_within() {
        let path = |text| MaskPath::parse(text).unwrap();
        assert!(path("a").covers(&path("/a/b")));
        assert!(path("a").covers(&path("/a")));
        assert!(!path("/a/b").covers(&path("a")));
        assert!(!path("/a/b").covers(&path("/a/bc")));
    }
}
