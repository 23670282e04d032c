//! The settings in a database's address that the driver does not know, taken out of it.

use std::borrow::Cow;

/// What of it is ours to read.
const OURS: [&str; 4] = ["sslmode", "sslrootcert", "sslcert", "sslkey"];

/// A setting and its value.
pub(super) type Setting = (String, String);

/// Splits an address into what the driver reads and our settings. What is malformed stays, for the driver to complain of.
pub(super) fn split(address: &str) -> (String, Vec<Setting>) {
    if address.starts_with("postgres://") || address.starts_with("postgresql://") {
        of_url(address)
    } else {
        of_list(address)
    }
}

fn of_url(url: &str) -> (String, Vec<Setting>) {
    let Some((rest, query)) = url.split_once('?') else { return (url.to_owned(), Vec::new()) };
    let (mut left, mut ours) = (Vec::new(), Vec::new());
    for part in query.split('&') {
        match part.split_once('=') {
            Some((name, value)) if OURS.contains(&name) => ours.push((name.to_owned(), decoded(value))),
            _ => left.push(part),
        }
    }
    let joint = if left.is_empty() { "" } else { "?" };
    (format!("{rest}{joint}{}", left.join("&")), ours)
}

fn decoded(value: &str) -> String {
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        let code = behind.get(..2).and_then(|code| std::str::from_utf8(code).ok());
        match code.and_then(|code| u8::from_str_radix(code, 16).ok()) {
            Some(byte) if *first == b'%' => {
                bytes.push(byte);
                rest = &behind[2..];
            }
            _ => {
                bytes.push(*first);
                rest = behind;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A list such as `host=db user='a b'`: libpq's manual, connection strings.
fn of_list(list: &str) -> (String, Vec<Setting>) {
    let (mut left, mut ours) = (Vec::new(), Vec::new());
    let mut rest = list.trim_start();
    while let Some((name, behind)) = rest.split_once('=') {
        let (value, behind) = value(behind.trim_start());
        let name = name.trim();
        if OURS.contains(&name) {
            ours.push((name.to_owned(), value.into_owned()));
        } else {
            let value = value.replace('\\', "\\\\").replace('\'', "\\'");
            left.push(format!("{name}='{value}'"));
        }
        rest = behind.trim_start();
    }
    if !rest.is_empty() {
        left.push(rest.to_owned());
    }
    (left.join(" "), ours)
}

/// The value that a text begins with, and what comes behind it.
fn value(text: &str) -> (Cow<'_, str>, &str) {
    let quoted = text.strip_prefix('\'');
    let mut value = String::new();
    let mut letters = quoted.unwrap_or(text).char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '\\' => value.extend(letters.next().map(|(_, letter)| letter)),
            '\'' if quoted.is_some() => return (value.into(), letters.as_str()),
            letter if quoted.is_none() && letter.is_whitespace() => return (value.into(), &text[at..]),
            letter => value.push(letter),
        }
    }
    (value.into(), "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(address: &str, left: &str, ours: &[(&str, &str)]) {
        let ours = ours.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        assert_eq!(split(address), (left.to_owned(), ours), "{address}");
    }

    #[test]
    fn what_is_ours_is_taken_out_of_a_url() {
        check("postgres://u@h/d", "postgres://u@h/d", &[]);
        let url = "postgresql://u:p@h/d?sslmode=verify-full&options=-cx%3D1&sslrootcert=%2Fetc%2Fa%20b.pem";
        let ours = [("sslmode", "verify-full"), ("sslrootcert", "/etc/a b.pem")];
        check(url, "postgresql://u:p@h/d?options=-cx%3D1", &ours);
        check("postgres://h?sslkey=100%&x", "postgres://h?x", &[("sslkey", "100%")]);
    }

    #[test]
    fn what_is_ours_is_taken_out_of_a_list() {
        check("host=h sslmode=require", "host='h'", &[("sslmode", "require")]);
        let list = r"password = 'it\'s a \\' sslcert='/a b' user=u\ v";
        check(list, r"password='it\'s a \\' user='u v'", &[("sslcert", "/a b")]);
        check("nonsense", "nonsense", &[]);
        check("", "", &[]);
    }
}
