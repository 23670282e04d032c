//! Behaviour of the whole module: golden bytes, order, one encoding per value, and properties over generated
//! values.

use std::cmp::Ordering;

use proptest::prelude::*;

use super::*;
use crate::json::{Canonicalizer, Limits, is_number};

fn key(json: &str) -> Key {
    Key::from_json(json.as_bytes()).unwrap_or_else(|error| panic!("{json}: {error}"))
}

fn code_of(json: &str) -> &'static str {
    Key::from_json(json.as_bytes()).unwrap_err().code()
}

fn encoded(write: impl FnOnce(&mut KeyEncoder<'_>)) -> Vec<u8> {
    let mut out = b"before".to_vec();
    let mut key = KeyEncoder::new(&mut out);
    write(&mut key);
    let span = key.finish().unwrap();
    out[span].to_vec()
}

#[test]
fn agrees_with_the_examples_of_the_tuple_layer() {
    assert_eq!(encoded(|key| key.push_bytes(b"foo\x00bar")), b"\x01foo\x00\xffbar\x00");
    assert_eq!(encoded(|key| key.push_str("F\u{d4}O\0bar")), b"\x02F\xc3\x94O\x00\xffbar\x00");
    assert_eq!(encoded(|key| key.push_i64(-5_551_212)), b"\x11\xabK\x93");
    assert_eq!(encoded(|key| key.push_i64(-1)), b"\x13\xfe");
    assert_eq!(encoded(|key| key.push_i64(0)), b"\x14");
    assert_eq!(encoded(|key| key.push_bool(false)), b"\x26");
    assert_eq!(encoded(|key| key.push_bool(true)), b"\x27");
}

#[test]
fn one_number_is_one_key_however_it_is_spelled() {
    for spellings in [
        &["0", "-0", "0.0", "-0.00", "0e0", "0E+99999999999999999999", "-0.0e-99999999999999999999"][..],
        &["1", "1.0", "1e0", "1E+0", "10e-1", "0.1e1", "0.01e2", "100e-2", "1.000"],
        &["-12000", "-1.2e4", "-12e3", "-120000e-1", "-0.00012e8"],
        &["1.5", "1.50", "15e-1", "0.15e1", "1500E-3"],
        &["-0.05", "-5e-2", "-0.050", "-50e-3"],
        &[
            "123456789012345678901234567890",
            "123456789012345678901234567890.0",
            "1.2345678901234567890123456789e29",
        ],
        &["1e700", "10e699", "0.1e701", "1.0e+700"],
    ] {
        for spelling in spellings {
            assert_eq!(key(spelling), key(spellings[0]), "{spelling}");
        }
    }
    assert_ne!(key("1"), key("\"1\""));
    assert_ne!(key("1"), key("true"));
    assert_ne!(key("0.1"), key("0.10000000000000000000000000000000001"));
}

#[test]
fn integers_change_form_where_the_tuple_layer_says() {
    for (json, first) in [
        ("255", 0x15),
        ("256", 0x16),
        ("-255", 0x13),
        ("-256", 0x12),
        ("9223372036854775807", 0x1c),
        ("9223372036854775808", 0x1c),
        ("18446744073709551615", 0x1c),
        ("18446744073709551616", 0x1d),
        ("-9223372036854775808", 0x0c),
        ("-18446744073709551615", 0x0c),
        ("-18446744073709551616", 0x0b),
        ("170141183460469231731687303715884105728", 0x1d),
        ("-170141183460469231731687303715884105728", 0x0b),
        ("340282366920938463463374607431768211455", 0x1d),
    ] {
        assert_eq!(key(json).as_bytes()[0], first, "{json}");
        assert_eq!(key(json).to_json(), json);
    }
    for (json, value) in [("9223372036854775807", i64::MAX), ("-9223372036854775808", i64::MIN)] {
        assert_eq!(key(json).parts(), [KeyPart::Integer(value)]);
        assert_eq!(key(json).as_bytes(), encoded(|key| key.push_i64(value)));
    }
    assert_eq!(key("18446744073709551615").as_bytes(), encoded(|key| key.push_u64(u64::MAX)));
    assert_eq!(key("9223372036854775808").parts(), [KeyPart::Number("9223372036854775808".into())]);
}

/// 2^2040, the first integer of 256 bytes, in decimal digits.
fn two_to_the_2040() -> String {
    let mut digits = vec![1u8];
    for _ in 0..2040 {
        let mut carry = 0;
        for digit in &mut digits {
            let doubled = *digit * 2 + carry;
            (*digit, carry) = (doubled % 10, doubled / 10);
        }
        digits.extend((carry > 0).then_some(carry));
    }
    digits.iter().rev().map(|digit| char::from(b'0' + digit)).collect()
}

#[test]
fn integers_beyond_255_bytes_are_decimals() {
    let first_decimal = two_to_the_2040();
    let last_integer = format!("{}5", &first_decimal[..first_decimal.len() - 1]);
    assert!(first_decimal.ends_with('6'), "so that one less ends in 5");
    assert_eq!(key(&last_integer).as_bytes()[..3], [0x1d, 255, 0xff]);
    assert_eq!(key(&last_integer).to_json(), last_integer);
    assert_eq!(key(&first_decimal).as_bytes()[0], 0x41);
    assert_eq!(key(&key(&first_decimal).to_json()), key(&first_decimal));
    assert_eq!(key(&format!("-{last_integer}")).as_bytes()[..3], [0x0b, 0, 0]);
    assert_eq!(key(&format!("-{first_decimal}")).as_bytes()[0], 0x40);
    assert_eq!(key("-12e998").to_json(), "-1.2e999");
}

#[test]
fn numbers_read_back_as_people_write_them() {
    for json in [
        "0",
        "-7",
        "0.5",
        "-0.05",
        "12.25",
        "0.0000001",
        "1e-8",
        "-1.25e-300",
        "1e2147483646",
        "1e-2147483649",
    ] {
        assert_eq!(key(json).to_json(), json);
    }
}

#[test]
fn exponents_end_somewhere() {
    for json in ["1e2147483647", "1e-2147483650", "1e99999999999999999999999", "-1e-99999999999999999999999"]
    {
        assert_eq!(code_of(json), "key.number_out_of_range", "{json}");
    }
}

#[test]
fn what_identifies_nothing_is_no_key() {
    for (json, code) in [
        ("null", "key.null"),
        ("[1,null]", "key.null"),
        ("{\"a\":1}", "key.not_a_scalar"),
        ("[[1]]", "key.not_a_scalar"),
        ("[]", "key.empty"),
        ("", "key.not_json"),
        ("[1", "key.not_json"),
        ("abc", "key.not_json"),
        ("01", "key.not_json"),
        (r#""\ud800""#, "key.lone_surrogate"),
    ] {
        assert_eq!(code_of(json), code, "{json}");
    }
    assert_eq!(code_of(&format!("\"{}\"", "x".repeat(MAX_LEN))), "key.too_long");
    assert_eq!(code_of(&" ".repeat(MAX_LEN * 8 + 1)), "key.too_long");
    assert_eq!(key(&format!("\"{}\"", "x".repeat(MAX_LEN - 2))).as_bytes().len(), MAX_LEN);
}

#[test]
fn raw_tokens_are_checked_too() {
    for token in
        ["", "-", "007", "1.", "--1", "\"a", "\"a\"b\"", "\"\\x\"", "tru", " 1", "1 ", "\"a\nb\"", "\"a\0b\""]
    {
        let mut out = b"before".to_vec();
        let result = encode_json_scalar(token.as_bytes(), &mut out);
        if token == "\"a\nb\"" {
            result.expect("a line break raw in a string is the reader's to refuse");
        } else {
            result.expect_err(token);
            assert_eq!(out, b"before", "{token}");
        }
    }
    assert!(encode_json_scalar(b"\"\xff\"", &mut Vec::new()).is_err());
}

#[test]
fn a_records_key_is_its_fields_in_the_order_asked_for() {
    let mut reader = Canonicalizer::new(Limits::default());
    let mut out = Vec::new();
    let record = reader.object(br#"{"b":"x","a":7,"n":null,"list":[1]}"#, &mut out).unwrap();
    let start = out.len();
    encode_fields(&record, &["b", "a"], &mut out).unwrap();
    assert_eq!(out[start..], *key(r#"["x",7]"#).as_bytes());

    let mut refused = |names: &[&str]| encode_fields(&record, names, &mut out).unwrap_err();
    let none: &[&str] = &[];
    insta::assert_snapshot!(refused(&["a", "gone"]), @r#"key field "gone": the record has no such field"#);
    insta::assert_snapshot!(refused(&["n"]), @r#"key field "n": the value is null, and a key needs a value"#);
    insta::assert_snapshot!(refused(&["list"]), @r#"key field "list": the value is an array or an object, and a key needs a string, a number or a boolean"#);
    insta::assert_snapshot!(refused(none), @"the key has no values");
    assert_eq!(refused(&["gone"]).code(), "key.missing_field");
    assert_eq!(refused(&["n"]).field(), Some("n"));
    assert_eq!(out.len(), start + key(r#"["x",7]"#).as_bytes().len(), "refused keys leave nothing");
}

#[test]
fn a_url_names_a_key_by_its_json_or_by_a_bare_string() {
    let from_url = |text: &str| Key::from_url(text, None).unwrap();
    assert_eq!(from_url("42"), key("42"));
    assert_eq!(from_url("42.0"), key("42"));
    assert_eq!(from_url("\"42\""), key("\"42\""));
    assert_eq!(from_url("true"), key("true"));
    assert_eq!(from_url("[\"a\", 1]"), key("[\"a\",1]"));
    assert_eq!(from_url("[42]"), key("42"));
    for bare in
        ["abc", "007", "", "a b", "[a]", "{", "\"", "+1", "NaN", "10.0.0.1", "2024-01-31", "ä/ö", "null?"]
    {
        assert_eq!(from_url(bare).parts(), [KeyPart::String(bare.into())], "{bare}");
    }
    assert_eq!(Key::from_url("null", None).unwrap_err().code(), "key.null");
    assert_eq!(Key::from_url("{}", None).unwrap_err().code(), "key.not_a_scalar");
    assert_eq!(Key::from_url("[1,2]", Some(2)).unwrap(), key("[1,2]"));
    let error = Key::from_url("abc", Some(2)).unwrap_err();
    assert_eq!(
        (error.code(), error.to_string().as_str()),
        ("key.part_count", "the key has 2 values, found 1")
    );
}

#[test]
fn refuses_bytes_that_no_key_is_encoded_as() {
    for (bytes, why) in [
        (&b"\x00"[..], "null"),
        (b"\x05\x00", "nested tuple"),
        (b"\x20\x80\x00\x00\x00", "float"),
        (b"\xff", "unknown code"),
        (b"\x02abc", "string without an end"),
        (b"\x02\xff\x00", "string that is not UTF-8"),
        (b"\x15", "integer cut off"),
        (b"\x15\x00", "integer with a zero in front"),
        (b"\x13\xff", "negative integer with a zero in front"),
        (b"\x1d\x08\x01\x01\x01\x01\x01\x01\x01\x01", "long form of a short integer"),
        (b"\x1d\x00", "long form of zero"),
        (b"\x1d\x09\x00\x01\x01\x01\x01\x01\x01\x01\x01", "long integer with a zero in front"),
        (b"\x1d\x09\x01", "cut off"),
        (b"\x41\x80\x00\x00\x01\x10", "decimal without an end"),
        (b"\x41\x80\x00\x00\x01\x00", "decimal without digits"),
        (b"\x41\x80\x00\x00\x01\x0b\x00", "decimal that is the integer 1"),
        (b"\x41\x80\x00\x00\x01\x66\x00", "no digits"),
        (b"\x41\x80\x00\x00\x01\x10\x01\x00", "decimal that ends with zeros"),
        (b"\x41\x80\x00\x00\x00\x02\x00", "01"),
        (b"\x41\x80\x00", "point cut off"),
    ] {
        let error = Key::from_encoded([b"\x14", bytes].concat()).unwrap_err();
        assert_eq!(*error.kind(), KeyErrorKind::Malformed { offset: 1 }, "{why}");
    }
    assert_eq!(decode(b"").unwrap_err().code(), "key.empty");
    assert_eq!(decode(&[code::ZERO; MAX_LEN + 1]).unwrap_err().code(), "key.too_long");
}

#[test]
fn bytes_are_shown_as_hex() {
    let key = Key::from_encoded(encoded(|key| {
        key.push_bytes(&[0, 0xab, 0xff]);
        key.push_u64(1);
    }));
    assert_eq!(key.unwrap().to_json(), r#"["00abff",1]"#);
}

fn integer_text() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<i64>().prop_map(|number| number.to_string()),
        (-300i64..300).prop_map(|number| number.to_string()),
        "-?[1-9][0-9]{0,45}",
        "-?[1-9][0-9]{300,610}",
        (0u32..=127, -1i128..=1)
            .prop_map(|(bits, more)| (1u128 << bits).wrapping_add_signed(more).to_string()),
    ]
}

/// Numbers that are no integers, and near one another.
fn decimal_text() -> impl Strategy<Value = String> {
    prop_oneof![
        "-?(0|[1-9][0-9]{0,3})\\.[0-9]{0,4}[1-9]",
        "-?[1-9]{1,3}e-[1-9]{1,2}",
        "-?0\\.0{0,30}[1-9]{1,40}"
    ]
    .prop_filter("no integer", |text| Key::from_json(text.as_bytes()).unwrap().as_bytes()[0] >= 0x40)
}

/// Compares two JSON numbers by writing both out in full, with the same number of digits on each side of the
/// point.
fn compare_numbers(a: &str, b: &str) -> Ordering {
    const DIGITS: usize = 700;
    let plain = |text: &str| {
        let (negative, text) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let (mantissa, exponent) = text.split_once('e').unwrap_or((text, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let point = DIGITS as i64 - exponent.parse::<i64>().unwrap();
        let mut digits = vec![b'0'; 2 * DIGITS];
        let start = usize::try_from(point).unwrap() - whole.len();
        digits[start..start + whole.len() + fraction.len()]
            .copy_from_slice(format!("{whole}{fraction}").as_bytes());
        let negative = negative && digits.iter().any(|&digit| digit != b'0');
        (negative, digits)
    };
    match (plain(a), plain(b)) {
        ((true, a), (true, b)) => b.cmp(&a),
        ((false, a), (false, b)) => a.cmp(&b),
        ((a, _), (b, _)) => b.cmp(&a),
    }
}

#[derive(Debug, Clone)]
enum Part {
    String(String),
    Integer(String),
    Bool(bool),
    Decimal(String),
}

impl Part {
    fn json(&self) -> String {
        match self {
            Self::String(text) => serde_json::to_string(text).unwrap(),
            Self::Integer(text) | Self::Decimal(text) => text.clone(),
            Self::Bool(value) => value.to_string(),
        }
    }

    /// The order that the format promises.
    fn compare(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::String(a), Self::String(b)) => a.cmp(b),
            (Self::Integer(a), Self::Integer(b)) | (Self::Decimal(a), Self::Decimal(b)) => {
                compare_numbers(a, b)
            }
            (Self::Bool(a), Self::Bool(b)) => a.cmp(b),
            _ => self.rank().cmp(&other.rank()),
        }
    }

    fn rank(&self) -> u8 {
        match self {
            Self::String(_) => 0,
            Self::Integer(_) => 1,
            Self::Bool(_) => 2,
            Self::Decimal(_) => 3,
        }
    }
}

fn any_part() -> impl Strategy<Value = Part> {
    prop_oneof![
        "[a\\x00\\x01\u{ff}\u{ffff}😀]{0,4}".prop_map(Part::String),
        any::<String>().prop_map(Part::String),
        integer_text().prop_map(Part::Integer),
        any::<bool>().prop_map(Part::Bool),
        decimal_text().prop_map(Part::Decimal),
    ]
}

fn composite(parts: &[Part]) -> Key {
    key(&format!("[{}]", parts.iter().map(Part::json).collect::<Vec<_>>().join(",")))
}

/// Any JSON number, with the extremes more likely than chance makes them.
fn any_number() -> impl Strategy<Value = String> {
    prop_oneof![
        integer_text(),
        decimal_text(),
        "-?(0|[1-9][0-9]{0,30})(\\.[0-9]{1,30})?([eE][+-]?[0-9]{1,12})?"
    ]
}

proptest! {
    #[test]
    fn integers_are_in_order(a in integer_text(), b in integer_text()) {
        prop_assert_eq!(key(&a).cmp(&key(&b)), compare_numbers(&a, &b));
    }

    #[test]
    fn decimals_are_in_order(a in decimal_text(), b in decimal_text()) {
        prop_assert_eq!(key(&a).cmp(&key(&b)), compare_numbers(&a, &b));
    }

    #[test]
    fn composites_are_in_order(a in prop::collection::vec(any_part(), 1..4), b in prop::collection::vec(any_part(), 1..4)) {
        let by_parts = a.iter().zip(&b).map(|(a, b)| a.compare(b)).find(|order| order.is_ne());
        prop_assert_eq!(composite(&a).cmp(&composite(&b)), by_parts.unwrap_or(a.len().cmp(&b.len())));
    }

    #[test]
    fn keys_survive_their_json_form(parts in prop::collection::vec(any_part(), 1..4)) {
        let key = composite(&parts);
        let json = key.to_json();
        prop_assert_eq!(&Key::from_json(json.as_bytes()).unwrap(), &key);
        prop_assert_eq!(&Key::from_url(&json, Some(parts.len())).unwrap(), &key);
        prop_assert_eq!(key.parts().len(), parts.len());
        let again = encoded(|encoder| key.parts().iter().for_each(|part| encoder.push_part(part).unwrap()));
        prop_assert_eq!(again.as_slice(), key.as_bytes());
    }

    #[test]
    fn numbers_survive_however_they_are_spelled(text in any_number()) {
        match Key::from_json(text.as_bytes()) {
            Ok(encoded) => {
                let json = encoded.to_json();
                prop_assert!(is_number(json.as_bytes()), "{}", json);
                prop_assert_eq!(&key(&json), &encoded);
            }
            Err(error) => prop_assert_eq!(error.code(), "key.number_out_of_range"),
        }
    }

    #[test]
    fn bare_strings_in_a_url_are_strings(text: String) {
        prop_assume!(serde_json::from_str::<serde::de::IgnoredAny>(&text).is_err());
        let expected = encoded(|key| key.push_str(&text));
        let named = Key::from_url(&text, Some(1)).unwrap();
        prop_assert_eq!(named.as_bytes(), expected);
    }

    #[test]
    fn only_what_encoding_gives_is_decoded(
        codes in prop::collection::vec(prop::sample::select(&b"\x01\x02\x0b\x0c\x13\x14\x15\x1c\x1d\x26\x27\x40\x41\x00\xff\x80\x10"[..]), 0..6),
        tail: Vec<u8>,
    ) {
        let bytes = [codes, tail].concat();
        if let Ok(parts) = decode(&bytes) {
            prop_assert_eq!(encoded(|key| parts.iter().for_each(|part| key.push_part(part).unwrap())), bytes);
        }
    }

    #[test]
    fn damaged_keys_never_panic(parts in prop::collection::vec(any_part(), 1..4), at: prop::sample::Index, byte: u8) {
        let mut bytes = composite(&parts).as_bytes().to_vec();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if let Ok(parts) = decode(&bytes) {
            prop_assert_eq!(encoded(|key| parts.iter().for_each(|part| key.push_part(part).unwrap())), bytes);
        }
    }

    #[test]
    fn no_bytes_make_encoding_panic(bytes: Vec<u8>, text in "[\\[\\]\"0-9eE.+, \\-a]{0,12}") {
        for input in [bytes.as_slice(), text.as_bytes()] {
            let mut out = Vec::new();
            if encode_json_scalar(input, &mut out).is_ok() {
                prop_assert!(decode(&out).is_ok());
            } else {
                prop_assert!(out.is_empty());
            }
            let _ = Key::from_json(input);
        }
    }
}
