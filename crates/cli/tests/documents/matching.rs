//! Whether a command printed what a document says.

use std::path::Path;

use crate::harness::redacted;

/// Stands for any text in a line, and alone on a line for any lines.
const ANY: &str = "…";

/// Whether `printed` is what `expected` says.
pub(super) fn agree(expected: &str, printed: &str) -> bool {
    let [expected, printed] = [expected, printed].map(|text| redacted(text, Path::new("/nowhere")));
    let lines =
        |text: &str| text.trim_end().lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>();
    lines_agree(&lines(&expected), &lines(&printed))
}

fn lines_agree(expected: &[String], printed: &[String]) -> bool {
    match expected.split_first() {
        None => printed.is_empty(),
        Some((line, rest)) if line == ANY => {
            (0..=printed.len()).any(|skipped| lines_agree(rest, &printed[skipped..]))
        }
        Some((line, rest)) => printed
            .split_first()
            .is_some_and(|(first, others)| line_agrees(line, first) && lines_agree(rest, others)),
    }
}

fn line_agrees(expected: &str, printed: &str) -> bool {
    let mut parts = expected.split(ANY);
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = printed.strip_prefix(first) else { return false };
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        let Some(found) = rest.find(part) else { return false };
        rest = &rest[found + part.len()..];
    }
    true
}

/// The ids in a text, each once, in order.
pub(super) fn ids(text: &str) -> Vec<String> {
    let mut ids: Vec<String> = Vec::new();
    for word in text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_') {
        let is_id = word.len() == 30 && redacted(word, Path::new("/nowhere")).starts_with('[');
        if is_id && !ids.iter().any(|known| known == word) {
            ids.push(word.to_owned());
        }
    }
    ids
}

#[test]
fn dots_stand_for_anything_and_nothing_else_does() {
    assert!(agree("a\n…\nd…f\n", "a\nb\nc\nd e f\n"));
    assert!(agree("…\nz", "z"));
    assert!(agree("a…c…e", "abcde"));
    for (expected, printed) in [("a", "b"), ("a\n…\nd", "a\nb"), ("a…c", "ab"), ("a", "a\nb"), ("a\nb", "a")]
    {
        assert!(!agree(expected, printed), "{expected:?} {printed:?}");
    }
}

#[test]
fn an_id_is_found_once() {
    let id = "con_01k455vb4pex5vsknk084sn02q";
    assert_eq!(ids(&format!("{{\"id\":\"{id}\"}} /v1/{id}/x con_1")), [id]);
}
