//! Finds the functions of a file and how long each is.

use super::lexer::{after_matching, is_word_byte, line_of, words};

/// A function with a body.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Function<'a> {
    pub(crate) name: &'a str,
    pub(crate) offset: usize,
    /// From the line of its `fn` to the line of its closing brace.
    pub(crate) lines: usize,
}

/// The functions of the code, which must be blank where comments and literals were.
pub(crate) fn functions(code: &str) -> Vec<Function<'_>> {
    words(code)
        .filter(|(_, word)| *word == "fn")
        .filter_map(|(offset, _)| {
            let name = name_at(code, offset + 2)?;
            let body = body_after(code, offset + 2)?;
            let end = after_matching(code, body);
            let lines = line_of(code, end) - line_of(code, offset) + 1;
            Some(Function { name, offset, lines })
        })
        .collect()
}

/// The name after `fn`; a function pointer's type has none.
fn name_at(code: &str, after: usize) -> Option<&str> {
    let rest = code[after..].trim_start();
    let rest = rest.strip_prefix('$').unwrap_or(rest);
    let length = rest.bytes().take_while(|byte| is_word_byte(*byte)).count();
    (length > 0).then(|| &rest[..length])
}

/// Where the signature ends and the body begins; a trait's method may have none.
fn body_after(code: &str, signature: usize) -> Option<usize> {
    let bytes = code.as_bytes();
    let mut angles = 0_usize;
    let mut at = signature;
    while at < bytes.len() {
        match bytes[at] {
            b'(' | b'[' => {
                at = after_matching(code, at);
                continue;
            }
            // A block between angles is a constant: `Array<{ N + 1 }>`.
            b'{' if angles > 0 => {
                at = after_matching(code, at);
                continue;
            }
            b'{' => return Some(at),
            b';' | b'}' => return None,
            b'<' => angles += 1,
            b'>' if !matches!(bytes[at - 1], b'-' | b'=') => angles = angles.saturating_sub(1),
            _ => {}
        }
        at += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::lexer::lex;

    fn lengths(source: &str) -> Vec<(String, usize)> {
        let lexed = lex(source);
        functions(&lexed.code).iter().map(|function| (function.name.to_owned(), function.lines)).collect()
    }

    #[test]
    fn a_function_reaches_from_its_fn_to_its_closing_brace() {
        let source =
            "/// Doc.\n#[must_use]\npub const fn one(\n    a: u8,\n) -> u8 {\n    a\n}\nfn two() {}\n";
        assert_eq!(lengths(source), [("one".to_owned(), 5), ("two".to_owned(), 1)]);
    }

    #[test]
    fn braces_in_strings_comments_and_characters_do_not_count() {
        let source =
            "fn f() {\n  let a = \"}\"; // }\n  /* } */ let b = '}';\n  let c = r#\"}\"#;\n}\nfn g() {}\n";
        assert_eq!(lengths(source), [("f".to_owned(), 5), ("g".to_owned(), 1)]);
    }

    #[test]
    fn pointers_bodiless_methods_and_words_in_names_are_no_functions() {
        let source = "type F = fn(u8) -> u8;\ntrait T { fn a(&self) -> [u8; 4]; fn b(&self) {\n} }\nlet fn_like = 1;\n";
        assert_eq!(lengths(source), [("b".to_owned(), 2)]);
    }

    #[test]
    fn constants_in_a_signature_are_not_the_body() {
        let source = "fn f<const N: usize>(a: [u8; { 2 }]) -> Array<{ N + 1 }>\nwhere\n    F: Fn() -> u8,\n{\n    a\n}\n";
        assert_eq!(lengths(source), [("f".to_owned(), 6)]);
    }

    #[test]
    fn an_inner_function_counts_for_both() {
        let source = "fn outer() {\n  fn inner() {\n  }\n}\n";
        assert_eq!(lengths(source), [("outer".to_owned(), 4), ("inner".to_owned(), 2)]);
    }
}
