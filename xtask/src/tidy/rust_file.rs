//! One Rust file as the rules see it: its text, its code, and which of it is test code.

use std::ops::Range;

use super::lexer::{StringLiteral, after_matching, lex, line_of, words};

/// A Rust file, lexed once.
#[derive(Debug)]
pub(crate) struct RustFile {
    /// From the root of the tree, with `/` between the parts.
    pub(crate) path: String,
    pub(crate) text: String,
    /// The text with comments and literals blank.
    pub(crate) code: String,
    pub(crate) strings: Vec<StringLiteral>,
    attributes: Vec<Attribute>,
    /// Where the items under `#[cfg(test)]` stand.
    test_items: Vec<Range<usize>>,
    is_test: bool,
}

/// One attribute, from its `#` to just after its closing bracket.
#[derive(Debug, Clone)]
pub(crate) struct Attribute {
    pub(crate) at: Range<usize>,
    /// The words inside the brackets, in order.
    pub(crate) words: Vec<String>,
}

impl RustFile {
    pub(crate) fn new(path: String, text: String) -> Self {
        let lexed = lex(&text);
        let attributes = attributes(&lexed.code);
        let test_items = attributes
            .iter()
            .filter(|attribute| is_for_tests_only(attribute))
            .map(|attribute| attribute.at.start..end_of_item(&lexed.code, attribute.at.end))
            .collect();
        let is_test = path.split('/').any(|part| part == "tests" || part == "tests.rs");
        Self { path, text, code: lexed.code, strings: lexed.strings, attributes, test_items, is_test }
    }

    /// True if nothing of this file is in the product.
    pub(crate) fn is_test(&self) -> bool {
        self.is_test
    }

    /// True if what stands at this offset is compiled for tests only.
    pub(crate) fn is_test_code(&self, offset: usize) -> bool {
        self.is_test || self.test_items.iter().any(|item| item.contains(&offset))
    }

    pub(crate) fn attributes(&self) -> &[Attribute] {
        &self.attributes
    }

    pub(crate) fn line_count(&self) -> usize {
        self.text.lines().count()
    }

    /// The lines that are not test code.
    pub(crate) fn shipped_line_count(&self) -> usize {
        let lines_of = |item: &Range<usize>| self.text[item.clone()].lines().count();
        self.line_count() - self.test_items.iter().map(lines_of).sum::<usize>().min(self.line_count())
    }

    pub(crate) fn line_of(&self, offset: usize) -> usize {
        line_of(&self.text, offset)
    }

    /// The file's name without its ending.
    pub(crate) fn stem(&self) -> &str {
        let name = self.path.rsplit('/').next().unwrap_or_default();
        name.trim_end_matches(".rs")
    }

    /// Where the files of the modules that stand under `#[cfg(test)] mod name;` are, each without an ending.
    pub(crate) fn test_modules(&self) -> Vec<String> {
        let folder = match self.stem() {
            "mod" | "lib" | "main" => self.path.rsplit_once('/').map_or("", |(folder, _)| folder),
            _ => self.path.trim_end_matches(".rs"),
        };
        let items = self.test_items.iter().map(|item| &self.code[item.clone()]);
        items.filter_map(declared_module).map(|module| format!("{folder}/{module}")).collect()
    }

    /// Notes that this file is one of these modules, or inside one.
    pub(crate) fn mark_if_test(&mut self, modules: &[String]) {
        self.is_test |= modules.iter().any(|module| {
            self.path.strip_prefix(module.as_str()).is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
        });
    }
}

fn attributes(code: &str) -> Vec<Attribute> {
    let mut found = Vec::new();
    for (start, _) in code.match_indices('#') {
        let after = &code[start + 1..];
        let after = after.strip_prefix('!').unwrap_or(after);
        if !after.trim_start().starts_with('[') {
            continue;
        }
        let open = start + code[start..].find('[').unwrap_or_default();
        let end = after_matching(code, open);
        let words = words(&code[open..end]).map(|(_, word)| word.to_owned()).collect();
        found.push(Attribute { at: start..end, words });
    }
    found
}

/// `cfg(test)` or `cfg(all(test, …))`, but not `cfg(any(test, …))`, which ships, nor `cfg(not(test))`.
fn is_for_tests_only(attribute: &Attribute) -> bool {
    let words: Vec<&str> = attribute.words.iter().map(String::as_str).collect();
    matches!(words.as_slice(), ["cfg", "test"] | ["cfg", "all", "test", ..])
}

/// An item ends with its first block, or with the semicolon before it.
fn end_of_item(code: &str, after_attribute: usize) -> usize {
    let mut at = after_attribute;
    while at < code.len() {
        match code.as_bytes()[at] {
            b'{' => return after_matching(code, at),
            b'(' | b'[' => at = after_matching(code, at),
            b';' => return at + 1,
            _ => at += 1,
        }
    }
    code.len()
}

fn declared_module(item: &str) -> Option<&str> {
    if !item.ends_with(';') {
        return None;
    }
    let mut words = words(item).map(|(_, word)| word).skip_while(|word| *word != "mod");
    words.next()?;
    words.next()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> RustFile {
        RustFile::new(path.to_owned(), text.to_owned())
    }

    #[test]
    fn code_under_cfg_test_is_test_code_and_the_rest_is_not() {
        let text = "fn one() {}\n#[cfg(test)]\n#[expect(dead_code)]\nmod tests { fn two() {} }\nfn three() {}\n\
                    #[cfg(any(test, feature = \"testing\"))]\nmod kit { fn four() {} }\n";
        let file = file("crates/model/src/key.rs", text);
        let is_test = |name: &str| file.is_test_code(text.find(name).unwrap());
        assert_eq!(["one", "two", "three", "four"].map(is_test), [false, true, false, false]);
    }

    #[test]
    fn a_module_declared_for_tests_makes_its_files_test_files() {
        let parent = file("crates/model/src/key.rs", "#[cfg(test)]\nmod oracle;\nmod other;\n");
        let modules = parent.test_modules();
        for (path, expected) in [
            ("crates/model/src/key/oracle.rs", true),
            ("crates/model/src/key/oracle/deep.rs", true),
            ("crates/model/src/key/oracles.rs", false),
            ("crates/model/src/key/other.rs", false),
        ] {
            let mut module = file(path, "fn f() {}");
            module.mark_if_test(&modules);
            assert_eq!(module.is_test(), expected, "{path}");
        }
    }

    #[test]
    fn files_and_folders_named_tests_are_test_files() {
        assert!(file("crates/cli/tests/main.rs", "").is_test());
        assert!(file("crates/connectors/src/files/tests.rs", "").is_test());
        assert!(!file("crates/connectors/src/files/read.rs", "").is_test());
    }
}
