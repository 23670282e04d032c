//! What the link check needs of a Markdown file: its links and the anchors of its headings.

/// A link or a picture, as it is written.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Link {
    pub(crate) line: usize,
    pub(crate) target: String,
}

/// The links of a text: inline, by reference, and in HTML; none in code.
pub(crate) fn links(text: &str) -> Vec<Link> {
    let mut found = Vec::new();
    for (line, prose) in prose(text) {
        let inline = after_each(&prose, "](").filter_map(|rest| rest.split([')', ' ']).next());
        let html = ["href=\"", "src=\""].into_iter().flat_map(|attribute| after_each(&prose, attribute));
        let html = html.filter_map(|rest| rest.split('"').next());
        for target in inline.chain(html).chain(reference(&prose)) {
            let target = target.trim_start_matches('<').trim_end_matches('>').to_owned();
            found.push(Link { line, target });
        }
    }
    found
}

/// What stands in code inside a line of prose, each with its line.
pub(crate) fn code_spans(text: &str) -> impl Iterator<Item = (usize, &str)> {
    unfenced(text)
        .flat_map(|(number, line)| line.split('`').skip(1).step_by(2).map(move |span| (number, span)))
}

/// The anchors of a text's headings, made as forges make them.
pub(crate) fn anchors(text: &str) -> Vec<String> {
    let mut anchors: Vec<String> = Vec::new();
    for (_, line) in unfenced(text) {
        let title = line.trim_start_matches('#');
        if title.len() == line.len() || !title.starts_with(' ') {
            continue;
        }
        let anchor = anchor(title.trim());
        let earlier = anchors.iter().filter(|known| **known == anchor).count();
        anchors.push(if earlier == 0 { anchor } else { format!("{anchor}-{earlier}") });
    }
    anchors
}

fn anchor(title: &str) -> String {
    let kept =
        title.chars().filter(|character| character.is_alphanumeric() || matches!(character, ' ' | '-' | '_'));
    kept.map(|character| if character == ' ' { '-' } else { character }).collect::<String>().to_lowercase()
}

/// `[name]: target` at the start of a line.
fn reference(line: &str) -> Option<&str> {
    let (name, target) = line.strip_prefix('[')?.split_once("]: ")?;
    (!name.contains(']') && !name.starts_with('^')).then(|| target.split_whitespace().next())?
}

fn after_each<'a>(line: &'a str, mark: &'a str) -> impl Iterator<Item = &'a str> {
    line.match_indices(mark).map(move |(start, _)| &line[start + mark.len()..])
}

/// The numbered lines outside of code, with code inside a line left out.
fn prose(text: &str) -> impl Iterator<Item = (usize, String)> {
    unfenced(text).map(|(number, line)| (number, without_code_spans(line)))
}

/// The numbered lines outside of fenced code.
fn unfenced(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut fence: Option<&str> = None;
    text.lines().enumerate().filter_map(move |(index, line)| {
        let mark = ["```", "~~~"].into_iter().find(|mark| line.trim_start().starts_with(mark));
        match (fence, mark) {
            (None, None) => return Some((index + 1, line)),
            (None, Some(_)) => fence = mark,
            (Some(open), Some(mark)) if open == mark => fence = None,
            (Some(_), _) => {}
        }
        None
    })
}

fn without_code_spans(line: &str) -> String {
    line.split('`').step_by(2).collect::<Vec<_>>().join("code")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_of_every_kind_are_found_with_their_lines() {
        let text = "[a](one.md) and ![b](two.png \"Title\")\n\n[c]: three.md\n<img src=\"four.svg\"><a href=\"five\">\n";
        let found: Vec<(usize, String)> =
            links(text).into_iter().map(|link| (link.line, link.target)).collect();
        let expected = [(1, "one.md"), (1, "two.png"), (3, "three.md"), (4, "five"), (4, "four.svg")];
        assert_eq!(found, expected.map(|(line, target)| (line, target.to_owned())));
    }

    #[test]
    fn code_has_no_links() {
        let text = "`[a](b)` [^1]\n```text\n[c](d)\n~~~\n[e](f)\n```\n~~~\n[g](h)\n~~~\n[^1]: a note\n";
        assert_eq!(links(text), []);
    }

    #[test]
    fn code_spans_are_found_in_prose_only() {
        let spans: Vec<(usize, &str)> = code_spans("a `b` c `d`\n```\n`e`\n```\n").collect();
        assert_eq!(spans, [(1, "b"), (1, "d")]);
    }

    #[test]
    fn anchors_are_made_of_headings_and_numbered_when_they_repeat() {
        let text = "# The `inlet` CLI, v1\n## Why?\n```sh\n# a comment\n```\n#tag\n### Why?\n";
        assert_eq!(anchors(text), ["the-inlet-cli-v1", "why", "why-1"]);
    }
}
