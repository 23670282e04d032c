//! Rust source with everything that is not code blanked out.
//!
//! Comments, strings and characters become spaces of the same length, so that a search finds code only and
//! an offset means the same place in both texts. It knows tokens, not grammar.

/// The code of a file, and the strings that were in it.
#[derive(Debug)]
pub(crate) struct Lexed {
    /// As long as the source; only comments and literals are blank.
    pub(crate) code: String,
    pub(crate) strings: Vec<StringLiteral>,
}

/// One string literal, without its quotes and with its escapes as written.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct StringLiteral {
    pub(crate) offset: usize,
    pub(crate) text: String,
}

/// Blanks what is not code.
pub(crate) fn lex(source: &str) -> Lexed {
    let mut lexer = Lexer { source, at: 0, code: source.as_bytes().to_vec(), strings: Vec::new() };
    while lexer.at < source.len() {
        lexer.step();
    }
    let code = String::from_utf8(lexer.code).expect("only whole tokens are blanked, and with ASCII");
    Lexed { code, strings: lexer.strings }
}

struct Lexer<'a> {
    source: &'a str,
    at: usize,
    code: Vec<u8>,
    strings: Vec<StringLiteral>,
}

impl Lexer<'_> {
    fn step(&mut self) {
        match self.rest() {
            [b'/', b'/', ..] => self.line_comment(),
            [b'/', b'*', ..] => self.block_comment(),
            [b'"', ..] => self.string(),
            [b'\'', ..] => self.character_or_lifetime(),
            [b'r' | b'b' | b'c', ..] if self.starts_a_word() => self.raw_string_or_word(),
            _ => self.at += 1,
        }
    }

    fn rest(&self) -> &[u8] {
        &self.source.as_bytes()[self.at..]
    }

    fn starts_a_word(&self) -> bool {
        self.at == 0 || !is_word_byte(self.source.as_bytes()[self.at - 1])
    }

    fn line_comment(&mut self) {
        let length = self.rest().iter().position(|byte| *byte == b'\n').unwrap_or(self.rest().len());
        self.blank(length);
    }

    fn block_comment(&mut self) {
        let mut depth = 0;
        let mut length = 0;
        while length < self.rest().len() {
            match &self.rest()[length..] {
                [b'/', b'*', ..] => (depth, length) = (depth + 1, length + 2),
                [b'*', b'/', ..] => (depth, length) = (depth - 1, length + 2),
                _ => length += 1,
            }
            if depth == 0 {
                break;
            }
        }
        self.blank(length);
    }

    fn string(&mut self) {
        let rest = self.rest();
        let mut length = 1;
        while length < rest.len() && rest[length] != b'"' {
            length += if rest[length] == b'\\' { 2 } else { 1 };
        }
        self.blank_string(1, length.min(rest.len()), 1);
    }

    /// `r"…"`, `r#"…"#` and the same after `b` or `c`; anything else that starts with these letters is a word,
    /// or the prefix of a plain string that the next step meets.
    fn raw_string_or_word(&mut self) {
        let rest = self.rest();
        let prefix = match rest {
            [b'r', ..] => 1,
            [b'b' | b'c', b'r', ..] => 2,
            _ => return self.at += 1,
        };
        let hashes = rest[prefix..].iter().take_while(|byte| **byte == b'#').count();
        let open = prefix + hashes + 1;
        if rest.get(open - 1) != Some(&b'"') {
            return self.at += 1;
        }
        let close = format!("\"{}", "#".repeat(hashes));
        let length = self.source[self.at + open..].find(&close);
        let end = length.map_or(rest.len(), |length| open + length);
        self.blank_string(open, end, close.len());
    }

    /// A quote begins a character if one character and a quote follow, or an escape; else it is a lifetime.
    fn character_or_lifetime(&mut self) {
        let mut following = self.source[self.at + 1..].chars();
        match (following.next(), following.next()) {
            (Some('\\'), Some(_)) => {
                let escape = self.at + 3;
                let end = self.source.get(escape..).and_then(|text| text.find('\''));
                self.blank(end.map_or(self.rest().len(), |end| end + 4));
            }
            (Some(character), Some('\'')) => self.blank(character.len_utf8() + 2),
            _ => self.at += 1,
        }
    }

    /// Notes and blanks the string from here, whose content is `open..end`, and whose closing quote is `close` long.
    fn blank_string(&mut self, open: usize, end: usize, close: usize) {
        let text = self.source.get(self.at + open..self.at + end).unwrap_or_default().to_owned();
        self.strings.push(StringLiteral { offset: self.at, text });
        self.blank((end + close).min(self.rest().len()));
    }

    fn blank(&mut self, length: usize) {
        for byte in &mut self.code[self.at..self.at + length] {
            if *byte != b'\n' {
                *byte = b' ';
            }
        }
        self.at += length;
    }
}

pub(crate) fn is_word_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || !byte.is_ascii()
}

/// Each word of the code (names, keywords, numbers) with its offset.
pub(crate) fn words(code: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let bytes = code.as_bytes();
        let start = at + bytes[at..].iter().position(|byte| is_word_byte(*byte))?;
        let length = bytes[start..].iter().take_while(|byte| is_word_byte(**byte)).count();
        at = start + length;
        Some((start, &code[start..at]))
    })
}

/// The offset just after the bracket that closes the one at `open`; the end of the code if none does.
pub(crate) fn after_matching(code: &str, open: usize) -> usize {
    let mut depth = 0_usize;
    for (offset, byte) in code.bytes().enumerate().skip(open) {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            _ => continue,
        }
        if depth == 0 {
            return offset + 1;
        }
    }
    code.len()
}

/// The number, from 1, of the line that holds the offset.
pub(crate) fn line_of(text: &str, offset: usize) -> usize {
    1 + text.as_bytes()[..offset.min(text.len())].iter().filter(|byte| **byte == b'\n').count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code_words(source: &str) -> Vec<String> {
        words(&lex(source).code).map(|(_, word)| word.to_owned()).collect()
    }

    #[test]
    fn comments_are_blank_and_block_comments_nest() {
        assert_eq!(code_words("a // b\nc /* d /* e */ f */ g /// h\n//! i"), ["a", "c", "g"]);
    }

    #[test]
    fn strings_of_every_kind_are_blank_and_kept_aside() {
        let source = r###"a "b \" c" d r"e\" f r#"g " h"# i b"j" k br##"l"# m"## n c"o" p"###;
        assert_eq!(code_words(source), ["a", "d", "f", "i", "b", "k", "n", "c", "p"]);
        let texts: Vec<String> = lex(source).strings.into_iter().map(|literal| literal.text).collect();
        assert_eq!(texts, ["b \\\" c", "e\\", "g \" h", "j", "l\"# m", "o"]);
    }

    #[test]
    fn characters_are_blank_and_lifetimes_are_not() {
        let source = r"x<'a, 'b>('{', '\'', '\\', '\u{7d}', 'é', b'}', '\n') -> &'static y";
        assert_eq!(code_words(source), ["x", "a", "b", "b", "static", "y"]);
        assert!(!lex(source).code.contains(['{', '}']));
    }

    #[test]
    fn a_raw_identifier_is_a_word() {
        assert_eq!(code_words("r#type + br + r"), ["r", "type", "br", "r"]);
    }

    #[test]
    fn every_offset_and_line_stays_where_it_was() {
        let source = "let é = \"one\ntwo\"; // three\nlet x = 1;\n";
        let lexed = lex(source);
        assert_eq!(lexed.code.len(), source.len());
        let offset = lexed.code.find('x').unwrap();
        assert_eq!(&source[offset..=offset], "x");
        assert_eq!(line_of(source, offset), 3);
    }

    #[test]
    fn an_unfinished_literal_or_comment_ends_with_the_file() {
        for source in ["\"a", "r#\"a", "/* a", "'\\", "'\\n", "\"a\\", "b'", "r#", "//"] {
            assert_eq!(lex(source).code.len(), source.len(), "{source}");
        }
    }

    #[test]
    fn brackets_match_over_all_kinds() {
        assert_eq!(after_matching("f(a[1], {b}) c", 1), 12);
        assert_eq!(after_matching("(((", 0), 3);
    }
}
