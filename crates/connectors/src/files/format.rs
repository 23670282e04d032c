//! Which format and compression a file has: by its name, else by how it begins.

/// How records lie in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    /// Comma-separated values, or with another delimiter.
    Csv,
    /// One JSON object a line.
    JsonLines,
    /// One JSON array of objects, or objects one after another.
    Json,
}

/// How a file is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Compression {
    None,
    Gzip,
    Zstd,
}

/// Endings of names, and what they stand for.
const FORMATS: &[(&str, Format)] = &[
    ("csv", Format::Csv),
    ("tsv", Format::Csv),
    ("jsonl", Format::JsonLines),
    ("ndjson", Format::JsonLines),
    ("json", Format::Json),
];

const COMPRESSIONS: &[(&str, Compression)] = &[
    ("gz", Compression::Gzip),
    ("gzip", Compression::Gzip),
    ("zst", Compression::Zstd),
    ("zstd", Compression::Zstd),
];

fn ending<T: Copy>(name: &str, known: &[(&str, T)]) -> Option<(usize, T)> {
    let dot = name.rfind('.').filter(|dot| *dot > 0)?;
    let ending = &name[dot + 1..];
    known.iter().find(|(each, _)| ending.eq_ignore_ascii_case(each)).map(|(_, value)| (dot, *value))
}

/// The name without its known endings.
pub(super) fn stem(name: &str) -> &str {
    let name = ending(name, COMPRESSIONS).map_or(name, |(dot, _)| &name[..dot]);
    ending(name, FORMATS).map_or(name, |(dot, _)| &name[..dot])
}

/// The format that the name tells.
pub(super) fn format_of_name(name: &str) -> Option<Format> {
    let name = ending(name, COMPRESSIONS).map_or(name, |(dot, _)| &name[..dot]);
    ending(name, FORMATS).map(|(_, format)| format)
}

/// Whether the name tells that tabs stand between the fields.
pub(super) fn has_tabs(name: &str) -> bool {
    let name = ending(name, COMPRESSIONS).map_or(name, |(dot, _)| &name[..dot]);
    ending(name, &[("tsv", ())]).is_some()
}

/// The compression that the name tells, else the one that the first bytes tell.
pub(super) fn compression_of(name: &str, start: &[u8]) -> Compression {
    match (ending(name, COMPRESSIONS), start) {
        (_, []) => Compression::None,
        (Some((_, compression)), _) => compression,
        (None, [0x1f, 0x8b, ..]) => Compression::Gzip,
        (None, [0x28, 0xb5, 0x2f, 0xfd, ..]) => Compression::Zstd,
        (None, _) => Compression::None,
    }
}

/// The format that the first bytes, decompressed, tell.
pub(super) fn format_of_start(start: &[u8]) -> Format {
    match without_bom(start).iter().find(|byte| !byte.is_ascii_whitespace()) {
        Some(b'[') => Format::Json,
        Some(b'{') => Format::JsonLines,
        _ => Format::Csv,
    }
}

/// The mark that some programs put before UTF-8 text.
pub(super) const BOM: &[u8] = b"\xef\xbb\xbf";

fn without_bom(text: &[u8]) -> &[u8] {
    text.strip_prefix(BOM).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_format_and_compression() {
        assert_eq!(format_of_name("a.csv"), Some(Format::Csv));
        assert_eq!(format_of_name("a.b.NDJSON.gz"), Some(Format::JsonLines));
        assert_eq!(format_of_name("a.json.zst"), Some(Format::Json));
        assert_eq!(format_of_name("a.txt"), None);
        assert_eq!(format_of_name(".csv"), None);
        assert_eq!(compression_of("a.csv.gz", b"?"), Compression::Gzip);
        assert!(has_tabs("a.tsv.gz") && !has_tabs("a.csv"));
    }

    #[test]
    fn the_start_tells_what_the_name_does_not() {
        assert_eq!(compression_of("a", b"\x1f\x8b\x08"), Compression::Gzip);
        assert_eq!(compression_of("a.csv", b"\x28\xb5\x2f\xfd"), Compression::Zstd);
        assert_eq!(compression_of("a", b"a,b"), Compression::None);
        assert_eq!(compression_of("a.gz", b""), Compression::None, "nothing is nothing, however it is named");
        assert_eq!(format_of_start(b"\xef\xbb\xbf \n[{"), Format::Json);
        assert_eq!(format_of_start(b"{\"a\""), Format::JsonLines);
        assert_eq!(format_of_start(b"a,b\n"), Format::Csv);
        assert_eq!(format_of_start(b""), Format::Csv);
    }
}
