//! Behaviour of the whole module: what is canonical, what is refused, and properties over generated text.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::value::RawValue;

use super::*;

fn canonical(text: impl AsRef<[u8]>) -> Result<String, JsonError> {
    let mut out = Vec::new();
    let span = Canonicalizer::new(Limits::default()).value(text.as_ref(), &mut out)?;
    assert_eq!(span, 0..out.len());
    Ok(String::from_utf8(out).unwrap())
}

fn record_error(text: impl AsRef<[u8]>, limits: Limits) -> JsonError {
    let mut out = b"before".to_vec();
    let error = Canonicalizer::new(limits).object(text.as_ref(), &mut out).unwrap_err();
    assert_eq!(out, b"before", "an error leaves the output as it was");
    error
}

#[test]
fn sorts_members_at_every_level_and_drops_white_space() {
    let text = " {\"b\" : [ {\"z\":1, \"a\":{ } } ,\t[ ] ],\r\n \"a\":{\"y\":null,\"x\":true} } ";
    assert_eq!(canonical(text).unwrap(), r#"{"a":{"x":true,"y":null},"b":[{"a":{},"z":1},[]]}"#);
}

#[test]
fn keeps_numbers_and_strings_as_they_are_spelled() {
    let text = r#"[1.0,1e5,1E+05,-0,0.10,12345678901234567890123,"\u0041\/\ud800ä","😀"]"#;
    assert_eq!(canonical(text).unwrap(), text);
}

#[test]
fn sorts_by_what_names_mean_and_not_by_how_they_are_spelled() {
    assert_eq!(canonical(r#"{"\u0062":1,"c":2,"a":3}"#).unwrap(), r#"{"a":3,"\u0062":1,"c":2}"#);
    assert_eq!(
        canonical(r#"{"\ud83d\ude00":1,"\ud800":2,"\uffff":3,"z":4,"":5,"a\u0000":6,"a":7}"#).unwrap(),
        r#"{"":5,"a":7,"a\u0000":6,"z":4,"\ud800":2,"\uffff":3,"\ud83d\ude00":1}"#
    );
}

#[test]
fn a_name_twice_in_one_object_is_an_error_however_spelled() {
    for text in [
        r#"{"a":1,"a":2}"#,
        r#"{"b":0,"a":1,"c":3,"a":2}"#,
        r#"{"a":1,"\u0061":2}"#,
        r#"{"x":{"ä":1,"b":0,"\u00e4":2}}"#,
        r#"{"\ud83d\ude00":1,"😀":2}"#,
        r#"{"longer than eight":1,"b":1,"longer than eight":2}"#,
        r#"{"":1,"":2}"#,
    ] {
        let error = record_error(text, Limits::default());
        assert_eq!(error.code(), "json.duplicate_name", "{text}");
        assert!(text[error.offset()..].starts_with('2'), "{text}: {error}");
    }
    assert!(canonical(r#"[{"a":{"a":1}},{"a":2}]"#).is_ok(), "the same name in different objects is fine");
}

#[test]
fn refuses_each_kind_of_bad_text_where_it_is_bad() {
    for (text, code, offset) in [
        ("", "json.syntax", 0),
        ("  ", "json.syntax", 2),
        ("{", "json.syntax", 1),
        ("{\"a\"}", "json.syntax", 4),
        ("{\"a\":}", "json.syntax", 5),
        ("{\"a\":1,}", "json.syntax", 7),
        ("{\"a\":1 \"b\":2}", "json.syntax", 7),
        ("{a:1}", "json.syntax", 1),
        ("{'a':1}", "json.syntax", 1),
        ("{\"a\":1}}", "json.syntax", 7),
        ("{\"a\":[1,]}", "json.syntax", 8),
        ("{\"a\":[1}}", "json.syntax", 7),
        ("{\"a\":[}", "json.syntax", 6),
        ("{} // no", "json.syntax", 3),
        ("{/**/}", "json.syntax", 1),
        ("{\"a\":nul}", "json.syntax", 5),
        ("{\"a\":NaN}", "json.syntax", 5),
        ("{\"a\":Infinity}", "json.syntax", 5),
        ("{\"a\":-Infinity}", "json.syntax", 5),
        ("{\"a\":01}", "json.syntax", 5),
        ("{\"a\":+1}", "json.syntax", 5),
        ("{\"a\":.5}", "json.syntax", 5),
        ("{\"a\":1.}", "json.syntax", 5),
        ("{\"a\":1e}", "json.syntax", 5),
        ("{\"a\":truex}", "json.syntax", 9),
        ("{\"a\":\"x\ny\"}", "json.syntax", 7),
        ("{\"a\":\"x\\y\"}", "json.syntax", 7),
        ("{\"a\":\"x", "json.syntax", 7),
        ("{\"a\":\"\\u12\"}", "json.syntax", 6),
        ("\u{feff}{}", "json.syntax", 0),
        ("{\u{a0}}", "json.syntax", 1),
        ("[]", "json.not_an_object", 0),
        (" 1", "json.not_an_object", 1),
        ("null", "json.not_an_object", 0),
    ] {
        let error = record_error(text, Limits::default());
        assert_eq!((error.code(), error.offset()), (code, offset), "{text:?}: {error}");
    }
    let error = record_error(b"{\"a\":\"\xff\"}", Limits::default());
    assert_eq!((error.code(), error.offset()), ("json.invalid_utf8", 6));
}

#[test]
fn says_what_is_wrong_in_words() {
    let say =
        |text: &str| record_error(text, Limits { max_depth: 2, max_bytes: 40, max_members: 3 }).to_string();
    insta::assert_snapshot!(say("{\"a\":1 é}"), @"expected a comma or the end of the object, found 'é', at byte 7");
    insta::assert_snapshot!(say("{\"a\":"), @"expected a value, but the text ends, at byte 5");
    insta::assert_snapshot!(say("{\"a\":\"\u{1}\"}"), @r"a string holds the control character U+0001, which JSON writes as \u0001, at byte 6");
    insta::assert_snapshot!(say(r#"{"a":1,"a":2}"#), @r#"the name "a" stands twice in one object, at byte 11"#);
    insta::assert_snapshot!(say("{\"a\":[[1]]}"), @"arrays and objects are nested more than 2 deep, at byte 6");
    insta::assert_snapshot!(say(&" ".repeat(41)), @"the value is larger than 40 bytes, at byte 40");
    insta::assert_snapshot!(say(r#"{"a":1,"b":{"c":1,"d":1}}"#), @"objects have more than 3 members, at byte 22");
    insta::assert_snapshot!(say("\"a\""), @"a record must be an object, found a string, at byte 0");
    insta::assert_snapshot!(say("{\"a\":01}"), @"a number is not written as JSON writes numbers, at byte 5");
    insta::assert_snapshot!(say(r#"{"a":"\x"}"#), @"a backslash in a string begins no escape that JSON knows, at byte 6");
}

#[test]
fn depth_is_limited_and_costs_no_stack() {
    let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
    assert!(canonical(nested(128)).is_ok());
    assert_eq!(canonical(nested(129)).unwrap_err().code(), "json.too_deep");
    assert_eq!(canonical("{\"a\":".repeat(10_000)).unwrap_err().code(), "json.too_deep");
    let deepest = Limits { max_depth: u16::MAX, ..Limits::default() };
    let mut out = Vec::new();
    Canonicalizer::new(deepest).value(nested(65_535).as_bytes(), &mut out).unwrap();
    assert_eq!(out.len(), 2 * 65_535);
}

#[test]
fn members_are_limited_only_while_their_objects_are_open() {
    let limits = Limits { max_members: 2, ..Limits::default() };
    let mut reader = Canonicalizer::new(limits);
    assert!(reader.value(br#"[{"a":1,"b":2},{"a":1,"b":2},{"a":{"b":1}}]"#, &mut Vec::new()).is_ok());
    let error = reader.value(br#"{"a":1,"b":2,"c":3}"#, &mut Vec::new()).unwrap_err();
    assert_eq!(error.code(), "json.too_many_members");
}

#[test]
fn finds_fields_by_name() {
    let input = br#" {"name" : "x\ty", "id":42,"\u0069\u006e":-1.50, "list":[2, 1], "":null, "id of something":true}"#;
    let mut out = b"earlier records".to_vec();
    let mut reader = Canonicalizer::new(Limits::default());
    let record = reader.object(input, &mut out).unwrap();
    assert_eq!(out[record.span()], out[15..]);
    let scalar = |name| record.get(name).unwrap().scalar().map(|raw| std::str::from_utf8(raw).unwrap());
    assert_eq!(scalar("name"), Some(r#""x\ty""#));
    assert_eq!(scalar("id"), Some("42"));
    assert_eq!(scalar("in"), Some("-1.50"));
    assert_eq!(scalar(""), Some("null"));
    assert_eq!(scalar("id of something"), Some("true"));
    assert_eq!(scalar("list"), None, "an array is no scalar");
    assert_eq!(&out[record.get("list").unwrap().span()], b"[2,1]");
    for name in ["i", "ide", "names", "id of somethin", "id of something "] {
        assert!(record.get(name).is_none(), "{name}");
    }
    let names: Vec<_> = record.fields().map(|field| field.name().unwrap()).collect();
    assert_eq!(names, ["", "id", "id of something", "in", "list", "name"]);
}

#[test]
fn a_reader_is_as_good_as_new_after_an_error() {
    let mut reader = Canonicalizer::new(Limits::default());
    let mut out = Vec::new();
    reader.object(br#"{"b":1,"\u0061":[{"c":"#, &mut out).unwrap_err();
    let record = reader.object(br#"{"b":1,"a":2}"#, &mut out).unwrap();
    assert_eq!((record.len(), out.as_slice()), (2, &br#"{"a":2,"b":1}"#[..]));
}

/// A JSON value whose scalars are kept as spelled.
#[derive(Debug, Clone)]
enum Tree {
    Scalar(String),
    Array(Vec<Tree>),
    Object(BTreeMap<String, Tree>),
}

fn any_number() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<i64>().prop_map(|number| number.to_string()),
        "-?(0|[1-9][0-9]{0,20})(\\.[0-9]{1,9})?([eE][+-]?[0-9]{1,2})?"
    ]
}

fn any_tree() -> impl Strategy<Value = Tree> {
    let scalar = prop_oneof![
        Just("true".to_owned()),
        Just("null".to_owned()),
        any_number(),
        ".{0,20}".prop_map(|text| quoted(&text)),
    ];
    scalar.prop_map(Tree::Scalar).prop_recursive(5, 48, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(Tree::Array),
            prop::collection::btree_map(".{0,12}|[ab]{7,10}", inner, 0..8).prop_map(Tree::Object),
        ]
    })
}

fn quoted(text: &str) -> String {
    let mut out = Vec::new();
    write_string(&mut out, text);
    String::from_utf8(out).unwrap()
}

/// Writes `tree` with white space and an order of members drawn from `noise`; without noise, canonically.
fn write(tree: &Tree, noise: &mut dyn Iterator<Item = u8>, out: &mut String) {
    let space = |out: &mut String, noise: &mut dyn Iterator<Item = u8>| {
        let choice = usize::from(noise.next().unwrap_or(0) % 8);
        out.push_str(["", " ", "\n", "\t ", "\r\n"].get(choice).unwrap_or(&""));
    };
    space(out, noise);
    match tree {
        Tree::Scalar(text) => out.push_str(text),
        Tree::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                out.push_str(if index > 0 { "," } else { "" });
                write(item, noise, out);
            }
            space(out, noise);
            out.push(']');
        }
        Tree::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            for at in 1..members.len() {
                let with = at - usize::from(noise.next().unwrap_or(0)) % (at + 1);
                members.swap(at, with);
            }
            out.push('{');
            for (index, (name, value)) in members.into_iter().enumerate() {
                out.push_str(if index > 0 { "," } else { "" });
                space(out, noise);
                out.push_str(&quoted(name));
                space(out, noise);
                out.push(':');
                write(value, noise, out);
            }
            space(out, noise);
            out.push('}');
        }
    }
    space(out, noise);
}

fn written(tree: &Tree, noise: &[u8]) -> String {
    let mut out = String::new();
    let endless = &mut noise.iter().copied().cycle();
    write(tree, endless, &mut out);
    out
}

/// Where [`Canonicalizer`] is stricter than JSON's grammar, as documented.
fn refused_beyond_syntax(error: &JsonError) -> bool {
    matches!(error.code(), "json.duplicate_name" | "json.too_deep")
}

proptest! {
    #[test]
    fn order_and_white_space_make_no_difference(tree in any_tree(), noise: Vec<u8>) {
        prop_assert_eq!(canonical(written(&tree, &noise)).unwrap(), written(&tree, &[]));
    }

    #[test]
    fn the_canonical_form_means_the_same(tree in any_tree(), noise: Vec<u8>) {
        let text = written(&tree, &noise);
        let before: serde_json::Value = serde_json::from_str(&text).unwrap();
        let after: serde_json::Value = serde_json::from_str(&canonical(&text).unwrap()).unwrap();
        prop_assert_eq!(before, after);
    }

    #[test]
    fn the_canonical_form_is_its_own(tree in any_tree(), noise: Vec<u8>) {
        let once = canonical(written(&tree, &noise)).unwrap();
        prop_assert_eq!(canonical(&once).unwrap(), once);
    }

    #[test]
    fn accepts_what_json_is_and_nothing_else(
        tree in any_tree(),
        noise: Vec<u8>,
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<bool>(), prop::sample::select(
            &b"{}[]:,\"\\ \n\x00\x1f\x7f0123456789-+.eEutrfalsn/\xc3\xa4\xff"[..])), 0..4),
    ) {
        let mut text = written(&tree, &noise).into_bytes();
        for (at, insert, byte) in edits {
            let at = at.index(text.len() + 1);
            if insert || at == text.len() { text.insert(at, byte) } else { text[at] = byte }
        }
        let is_json = serde_json::from_slice::<&RawValue>(&text).is_ok();
        match canonical(&text) {
            Ok(_) => prop_assert!(is_json, "accepted {:?}", String::from_utf8_lossy(&text)),
            Err(error) => prop_assert!(!is_json || refused_beyond_syntax(&error), "{error}: {:?}", String::from_utf8_lossy(&text)),
        }
    }

    #[test]
    fn no_bytes_make_it_panic(bytes: Vec<u8>, text in "[\\[\\]{}:,\"\\\\u0-9a-fde. -]{0,40}") {
        for input in [bytes.as_slice(), text.as_bytes()] {
            let _ = canonical(input);
            let _ = decode_string(input);
            let end = find_value_end(input);
            prop_assert!(end.is_none_or(|end| end <= input.len()));
            let serde_number = serde_json::from_slice::<&RawValue>(input).is_ok_and(|raw| raw.get().len() == input.len() && raw.get().starts_with(|first: char| first == '-' || first.is_ascii_digit()));
            prop_assert_eq!(is_canonical_number(input) || input == b"-0", serde_number);
        }
    }

    #[test]
    fn strings_survive_writing_and_reading(text: String) {
        let token = quoted(&text);
        prop_assert_eq!(decode_string(token.as_bytes()).unwrap(), text.as_str());
        prop_assert_eq!(serde_json::from_str::<String>(&token).unwrap(), text);
    }

    #[test]
    fn strings_are_read_as_serde_json_reads_them(body in "([a-zä😀]|\\\\[bfnrt/\\\\\"]|\\\\u(0041|00e4|20ac|d83d|de00|d800|dfff)){0,8}") {
        let token = format!("\"{body}\"");
        prop_assert_eq!(decode_string(token.as_bytes()).ok().map(|text| text.into_owned()), serde_json::from_str::<String>(&token).ok());
    }

    #[test]
    fn every_value_ends_where_the_scanner_says(tree in any_tree(), noise: Vec<u8>, rest in "[,\\]} ].{0,10}") {
        let value = written(&tree, &noise);
        let text = format!("{value}{rest}");
        prop_assert_eq!(find_value_end(text.as_bytes()), Some(value.trim_end().len()));
    }

    #[test]
    fn every_field_is_found_where_it_lies(members in prop::collection::btree_map(".{0,12}", any_tree(), 0..8), noise: Vec<u8>) {
        let text = written(&Tree::Object(members.clone()), &noise);
        let mut out = vec![b'x'; 7];
        let mut reader = Canonicalizer::new(Limits::default());
        let record = reader.object(text.as_bytes(), &mut out).unwrap();
        prop_assert_eq!(record.len(), members.len());
        for ((name, value), field) in members.iter().zip(record.fields()) {
            prop_assert_eq!(field.name(), Some(name.as_str()));
            let found = record.get(name).unwrap();
            prop_assert_eq!(found.span(), field.span());
            prop_assert_eq!(std::str::from_utf8(&out[found.span()]).unwrap(), written(value, &[]));
            match value {
                Tree::Scalar(scalar) => prop_assert_eq!(found.scalar(), Some(scalar.as_bytes())),
                Tree::Array(_) | Tree::Object(_) => prop_assert_eq!(found.scalar(), None),
            }
        }
    }
}
