//! Holds `docs/values.md` to the code: every row of its checked tables is true.

use super::{Key, to_json};
use crate::json::{Canonicalizer, Limits, is_canonical_number};

const PAGE: &str = include_str!("../../../../docs/values.md");

/// The rows of the table under the heading `### {title} (checked)`, their cells without backticks.
fn rows<const COLUMNS: usize>(title: &str) -> Vec<[&'static str; COLUMNS]> {
    let heading = format!("### {title} (checked)\n");
    let (_, section) = PAGE.split_once(&heading).unwrap_or_else(|| panic!("the page has no {heading:?}"));
    let table = section.lines().skip_while(|line| line.is_empty()).take_while(|line| line.starts_with('|'));
    let rows: Vec<_> = table.skip(2).map(cells).collect();
    assert!(!rows.is_empty(), "the table under {heading:?} has rows");
    rows
}

fn cells<const COLUMNS: usize>(line: &'static str) -> [&'static str; COLUMNS] {
    let inner =
        line.strip_prefix('|').and_then(|line| line.strip_suffix('|')).unwrap_or_else(|| panic!("{line}"));
    let cells: Vec<_> = inner
        .split('|')
        .map(str::trim)
        .map(|cell| cell.strip_prefix('`').and_then(|cell| cell.strip_suffix('`')).unwrap_or(cell))
        .collect();
    cells.try_into().unwrap_or_else(|_| panic!("{COLUMNS} cells: {line}"))
}

#[test]
fn every_table_that_says_so_is_checked() {
    assert_eq!(PAGE.matches(" (checked)\n").count(), 5, "as many as there are tests below");
}

#[test]
fn texts_of_a_csv_file_that_are_numbers() {
    for [text, number] in rows("Texts of a CSV file that are numbers") {
        assert_eq!(if is_canonical_number(text.as_bytes()) { "yes" } else { "no" }, number, "{text}");
    }
}

#[test]
fn input_and_canonical_form() {
    let mut reader = Canonicalizer::new(Limits::default());
    for [input, canonical] in rows("Input and canonical form") {
        let mut out = Vec::new();
        reader.object(input.as_bytes(), &mut out).unwrap_or_else(|error| panic!("{input}: {error}"));
        assert_eq!(std::str::from_utf8(&out).unwrap(), canonical, "{input}");
    }
}

#[test]
fn refused_records_and_their_codes() {
    let mut reader = Canonicalizer::new(Limits::default());
    for [input, code] in rows("Refused records and their codes") {
        let error = reader.object(input.as_bytes(), &mut Vec::new()).expect_err(input);
        assert_eq!(error.code(), code, "{input}");
    }
}

#[test]
fn keys_in_a_url() {
    for [text, json] in rows("Keys in a URL") {
        assert_eq!(Key::from_url(text, None).unwrap().to_json(), json, "{text}");
    }
}

#[test]
fn keys_and_their_bytes() {
    for [json, hex, back] in rows("Keys and their bytes") {
        let key = Key::from_json(json.as_bytes()).unwrap_or_else(|error| panic!("{json}: {error}"));
        let encoded: String = key.as_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(encoded, hex, "{json}");
        let mut out = Vec::new();
        to_json(key.as_bytes(), &mut out).unwrap();
        assert_eq!(std::str::from_utf8(&out).unwrap(), back, "{json}");
    }
}
