//! Texts with the character U+0000, which PostgreSQL has none of: it is kept as two others.

use std::borrow::Cow;

/// What begins the two; one that is in a text itself is kept as two, too. No language has this character.
const ESCAPE: char = '\u{10FFFF}';
const OF_NUL: char = '0';
const OF_ESCAPE: char = '1';

/// The text as it is kept.
pub(super) fn escaped(text: &str) -> Cow<'_, str> {
    if !text.contains(['\0', ESCAPE]) {
        return text.into();
    }
    let mut kept = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        match character {
            '\0' => kept.extend([ESCAPE, OF_NUL]),
            ESCAPE => kept.extend([ESCAPE, OF_ESCAPE]),
            other => kept.push(other),
        }
    }
    kept.into()
}

/// The text that is kept so.
pub(super) fn unescaped(kept: &str) -> Cow<'_, str> {
    if !kept.contains(ESCAPE) {
        return kept.into();
    }
    let mut text = String::with_capacity(kept.len());
    let mut characters = kept.chars();
    while let Some(character) = characters.next() {
        match character {
            ESCAPE if characters.next() == Some(OF_NUL) => text.push('\0'),
            other => text.push(other),
        }
    }
    text.into()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_text_comes_back_and_none_is_kept_with_a_nul(text in "[\\x00a0-1\u{10FFFF}]{0,12}|.*") {
            let kept = escaped(&text);
            prop_assert!(!kept.contains('\0'));
            prop_assert_eq!(unescaped(&kept), text.as_str());
        }
    }
}
