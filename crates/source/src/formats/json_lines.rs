//! JSON Lines: one object a line.

use memchr::memchr;

use super::{FormatError, Input, Progress, RecordReader, Sink, Window};

/// Reads one object from each line. The position of a record is its line.
#[derive(Debug)]
pub struct JsonLines;

impl RecordReader for JsonLines {
    fn step(&mut self, window: &mut Window<Input<'_>>, sink: &mut Sink<'_>) -> Result<Progress, FormatError> {
        while !sink.is_full() {
            let text = window.bytes();
            let (line, len) = match memchr(b'\n', text) {
                Some(end) => (&text[..end], end + 1),
                None if window.is_last() && text.is_empty() => return Ok(Progress::End),
                None if window.is_last() => (text, text.len()),
                None if text.len() > sink.max_record_bytes() => {
                    let refused = sink.too_large(sink.place.line + 1, text);
                    window.skip_past(b'\n')?;
                    sink.batch.reject(refused);
                    sink.pass(window.offset(), 1, 1);
                    continue;
                }
                None => {
                    window.fill()?;
                    return Ok(Progress::More);
                }
            };
            let is_blank = line.first() != Some(&b'{') && line.iter().all(u8::is_ascii_whitespace);
            if !is_blank {
                sink.json(sink.place.line + 1, line);
            }
            window.consume(len);
            sink.pass(window.offset(), u64::from(!is_blank), 1);
        }
        Ok(Progress::More)
    }
}
