//! Attributes that mute a lint or a test.

use super::rust_file::Attribute;
use super::{Finding, Tree};

/// No lint is allowed (`#[expect]` ends itself when it is no longer needed), and no test is ignored.
pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.rust_files() {
        for attribute in file.attributes() {
            if let Some(message) = offence(attribute) {
                findings.push(Finding::new(&file.path, file.line_of(attribute.at.start), message));
            }
        }
    }
    findings
}

fn offence(attribute: &Attribute) -> Option<&'static str> {
    let mut words = attribute.words.iter().map(String::as_str);
    let first = words.next()?;
    let is = |name: &str| {
        first == name || (first == "cfg_attr" && attribute.words.iter().any(|word| word == name))
    };
    if is("allow") {
        Some("`allow` stays when its cause is gone: use #[expect(…, reason = \"…\")]")
    } else if is("ignore") {
        Some("an ignored test proves nothing: mend it, or assert today's behaviour and say what is wrong")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<usize> {
        check(&Tree::planted(&[("crates/api/src/auth.rs", text)]))
            .iter()
            .map(|finding| finding.line)
            .collect()
    }

    #[test]
    fn allow_and_ignore_are_caught_in_every_spelling() {
        let text = "#![allow(dead_code)]\n#[allow(clippy::all, reason = \"x\")]\n#[ignore]\n#[ignore = \"slow\"]\n\
                    #[cfg_attr(test, allow(unused))]\n#[cfg_attr(windows, ignore)]\n# [ allow ( x ) ]\n";
        assert_eq!(lines(text), [1, 2, 3, 4, 5, 6, 7]);
    }

    #[test]
    fn expect_and_mere_mentions_pass() {
        let text = "#[expect(dead_code, reason = \"allow(x)\")]\n// #[allow(x)]\nconst A: &str = \"#[ignore]\";\n\
                    #[serde(rename = \"ignore\")]\nfn allow(ignore: u8) {}\n";
        assert_eq!(lines(text), [0; 0]);
    }
}
