//! Writing and reading the escapes of JSON strings.

use std::borrow::Cow;

use super::error::{JsonError, JsonErrorKind};
use super::scan::{plain_end, string_end};

/// Appends `text` as a JSON string. Only what must be escaped is: the quote, the backslash and control
/// characters.
pub fn write_string(out: &mut Vec<u8>, text: &str) {
    let bytes = text.as_bytes();
    out.reserve(bytes.len() + 2);
    out.push(b'"');
    let mut at = 0;
    loop {
        let end = plain_end(bytes, at);
        out.extend_from_slice(&bytes[at..end]);
        let Some(special) = bytes.get(end) else { break };
        write_escape(out, *special);
        at = end + 1;
    }
    out.push(b'"');
}

/// Appends the escape of a character that cannot stand for itself.
fn write_escape(out: &mut Vec<u8>, byte: u8) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let short = match byte {
        b'\n' => b'n',
        b'\r' => b'r',
        b'\t' => b't',
        0x08 => b'b',
        0x0c => b'f',
        b'"' | b'\\' => byte,
        _ => {
            out.extend_from_slice(b"\\u00");
            out.extend([HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
            return;
        }
    };
    out.extend([b'\\', short]);
}

/// The characters that a JSON string, quotes included, stands for. Without escapes it is a slice of `token`.
///
/// Half of a surrogate pair stands for no character, so it is an error here, although a record may hold it.
pub fn decode_string(token: &[u8]) -> Result<Cow<'_, str>, JsonError> {
    if token.first() != Some(&b'"') {
        return Err(JsonError::unexpected("a string", token, 0));
    }
    let end = string_end(token, 1)?.quote;
    if end + 1 != token.len() {
        return Err(JsonError::unexpected("the end of the string", token, end + 1));
    }
    let body = std::str::from_utf8(&token[1..end])
        .map_err(|error| JsonError::new(JsonErrorKind::InvalidUtf8, 1 + error.valid_up_to()))?;
    if !body.contains('\\') {
        return Ok(Cow::Borrowed(body));
    }
    let mut text = Vec::with_capacity(body.len());
    if let Some(at) = unescape(body.as_bytes(), &mut text) {
        return Err(JsonError::new(JsonErrorKind::LoneSurrogate, 1 + at));
    }
    Ok(Cow::Owned(
        String::from_utf8(text).expect("without lone surrogates the escapes of UTF-8 text give UTF-8"),
    ))
}

/// Appends what the body of a valid JSON string stands for, and says where the first lone surrogate is.
///
/// Lone surrogates are appended as WTF-8 writes them, three bytes each, so that any two strings differ in
/// their bytes exactly if they differ, and compare bytewise as their code points do.
pub(super) fn unescape(body: &[u8], out: &mut Vec<u8>) -> Option<usize> {
    let mut lone = None;
    let mut at = 0;
    while let Some(&byte) = body.get(at) {
        if byte != b'\\' {
            out.push(byte);
            at += 1;
            continue;
        }
        let escape = body.get(at + 1).copied().unwrap_or(b'\\');
        if let Some(first) = code_unit(body, at) {
            let second = code_unit(body, at + 6).filter(|low| is_low(*low) && is_high(first));
            let point = second.map_or(u32::from(first), |low| {
                0x1_0000 + ((u32::from(first) - 0xd800) << 10) + (u32::from(low) - 0xdc00)
            });
            if let Some(character) = char::from_u32(point) {
                out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            } else {
                lone = lone.or(Some(at));
                out.extend([
                    0xe0 | (first >> 12) as u8,
                    0x80 | (first >> 6 & 0x3f) as u8,
                    0x80 | (first & 0x3f) as u8,
                ]);
            }
            at += if second.is_some() { 12 } else { 6 };
            continue;
        }
        out.push(match escape {
            b'b' => 0x08,
            b'f' => 0x0c,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            itself => itself,
        });
        at += 2;
    }
    lone
}

fn is_high(unit: u16) -> bool {
    (0xd800..0xdc00).contains(&unit)
}

fn is_low(unit: u16) -> bool {
    (0xdc00..0xe000).contains(&unit)
}

/// The UTF-16 code unit that the escape at `at` stands for, if it is a `\u` one.
fn code_unit(body: &[u8], at: usize) -> Option<u16> {
    let hex = body.get(at..at + 6)?.strip_prefix(b"\\u")?;
    u16::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str) -> String {
        let mut out = Vec::new();
        write_string(&mut out, text);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn writes_only_the_escapes_json_demands() {
        assert_eq!(written("plain / ä 😀 \u{7f}"), "\"plain / ä 😀 \u{7f}\"");
        assert_eq!(written("\"\\\n\r\t\u{8}\u{c}\u{0}\u{1f}"), r#""\"\\\n\r\t\b\f\u0000\u001f""#);
    }

    #[test]
    fn reads_every_escape() {
        let decoded = decode_string(br#""\"\\\/\b\f\n\r\t\u00e4\u00E4\ud83d\ude00""#).unwrap();
        assert_eq!(decoded, "\"\\/\u{8}\u{c}\n\r\tää😀");
    }

    #[test]
    fn borrows_when_there_is_nothing_to_decode() {
        assert!(matches!(decode_string("\"grün\"".as_bytes()), Ok(Cow::Borrowed("grün"))));
    }

    #[test]
    fn half_a_surrogate_pair_is_no_character() {
        for token in [r#""x\ud800""#, r#""x\ude00""#, r#""x\ud800\ud800""#, r#""x\ud800a""#, r#""x\ud800\n""#]
        {
            let error = decode_string(token.as_bytes()).unwrap_err();
            assert_eq!((error.code(), error.offset()), ("json.lone_surrogate", 2), "{token}");
        }
    }

    #[test]
    fn refuses_what_is_no_string_token() {
        for token in [
            &b""[..],
            b"\"",
            b"a",
            b"\"a",
            b"\"a\"b",
            b"\"a\" ",
            b"\"\x01\"",
            b"\"\\x\"",
            b"\"\\u12g4\"",
            b"\"\\\"",
        ] {
            assert_eq!(decode_string(token).unwrap_err().code(), "json.syntax", "{token:?}");
        }
        assert_eq!(decode_string(b"\"\xff\"").unwrap_err().code(), "json.invalid_utf8");
    }
}
