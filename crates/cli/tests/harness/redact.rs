//! Texts without what differs from run to run.

use std::path::Path;

/// `text` with ids, times, speeds and the folder's path replaced.
pub(crate) fn redacted(text: &str, folder: &Path) -> String {
    let canonical = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    let text = text.replace(&*canonical.to_string_lossy(), "[folder]");
    let text = text.replace(&*folder.to_string_lossy(), "[folder]");
    text.split_inclusive('\n').map(line).collect()
}

fn line(line: &str) -> String {
    let mut text = String::new();
    let mut rest = line;
    while let Some(first) = rest.chars().next() {
        if let Some((replacement, length)) = changing(rest, text.chars().next_back()) {
            text.push_str(&replacement);
            rest = &rest[length..];
        } else {
            text.push(first);
            rest = &rest[first.len_utf8()..];
        }
    }
    text
}

/// What stands for the changing thing that `text` begins with, and the thing's length.
fn changing(text: &str, before: Option<char>) -> Option<(String, usize)> {
    if before.is_some_and(|before| before.is_ascii_alphanumeric()) {
        return None;
    }
    id(text).or_else(|| time(text)).or_else(|| seconds(text)).or_else(|| port(text))
}

/// `con_01k…`
fn id(text: &str) -> Option<(String, usize)> {
    const LENGTH: usize = 30;
    let (prefix, suffix) = text.get(..LENGTH)?.split_once('_')?;
    let is_id = prefix.len() == 3
        && prefix.bytes().all(|byte| byte.is_ascii_lowercase())
        && suffix.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    is_id.then(|| (format!("[{prefix}]"), LENGTH))
}

/// `2026-11-23T22:00:00.123Z`
fn time(text: &str) -> Option<(String, usize)> {
    const SHAPE: &str = "dddd-dd-ddTdd:dd:dd.dddZ";
    let found = text.get(..SHAPE.len())?;
    let fits = |(shape, byte): (u8, u8)| if shape == b'd' { byte.is_ascii_digit() } else { shape == byte };
    SHAPE.bytes().zip(found.bytes()).all(fits).then(|| ("[time]".to_owned(), SHAPE.len()))
}

/// `0.012 s`, with the number that stands behind it in a table.
fn seconds(text: &str) -> Option<(String, usize)> {
    let number = text.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    if !text[..number].contains('.') || !text[number..].starts_with(" s") {
        return None;
    }
    let end = number + " s".len();
    let behind =
        text[end..].find(|c: char| !c.is_ascii_digit() && c != ',' && c != ' ').unwrap_or(text.len() - end);
    Some(("[s]".to_owned(), end + behind))
}

/// `127.0.0.1:41234`
fn port(text: &str) -> Option<(String, usize)> {
    const HOST: &str = "127.0.0.1:";
    let digits = text.strip_prefix(HOST)?.bytes().take_while(u8::is_ascii_digit).count();
    (digits > 0).then(|| (format!("{HOST}[port]"), HOST.len() + digits))
}

#[test]
fn ids_times_speeds_ports_and_folders_are_replaced() {
    let text = "con_01k455vb4pex5vsknk084sn02q at 2026-11-23T22:00:00.123Z in /tmp/x/a.csv\n  16  0.012 s     1,234\nhttp://127.0.0.1:41234/v1\n";
    assert_eq!(
        redacted(text, Path::new("/tmp/x")),
        "[con] at [time] in [folder]/a.csv\n  16  [s]\nhttp://127.0.0.1:[port]/v1\n"
    );
}
