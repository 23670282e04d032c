//! JSON: one array of objects, or objects one after another, read element by element.

use inlet_model::json::{Scan, ValueScanner};

use super::{FormatError, Input, JsonPlace, Progress, RecordReader, Sink, Window};
use crate::{ErrorKind, SourceError};

/// Reads the elements of an array, or values one after another. The position of a record is its number, from 1.
#[derive(Debug)]
pub struct JsonDocument;

impl RecordReader for JsonDocument {
    fn step(&mut self, window: &mut Window<Input<'_>>, sink: &mut Sink<'_>) -> Result<Progress, FormatError> {
        while !sink.is_full() {
            let next = skip_space(window)?;
            let place = match (sink.place.json, next) {
                (JsonPlace::Start | JsonPlace::Sequence | JsonPlace::Closed, None) => {
                    return Ok(Progress::End);
                }
                (JsonPlace::Start, Some(b'[')) => {
                    window.consume(1);
                    JsonPlace::Open
                }
                (JsonPlace::Open | JsonPlace::Behind, Some(b']')) => {
                    window.consume(1);
                    JsonPlace::Closed
                }
                (JsonPlace::Behind, Some(b',')) => {
                    window.consume(1);
                    JsonPlace::Comma
                }
                (JsonPlace::Open | JsonPlace::Comma, Some(_)) => {
                    element(window, sink)?;
                    JsonPlace::Behind
                }
                (JsonPlace::Start | JsonPlace::Sequence, Some(_)) => {
                    element(window, sink)?;
                    JsonPlace::Sequence
                }
                (JsonPlace::Closed, Some(_)) => {
                    return Err(broken(window, "text follows the end of the array"));
                }
                (JsonPlace::Behind, Some(_)) => {
                    return Err(broken(window, "a comma or the end of the array should follow an element"));
                }
                (JsonPlace::Open | JsonPlace::Behind | JsonPlace::Comma, None) => {
                    return Err(broken(window, "the file ends in the middle of the array"));
                }
            };
            let was_element = matches!(place, JsonPlace::Sequence | JsonPlace::Behind);
            sink.place.json = place;
            sink.pass(window.offset(), u64::from(was_element), 0);
        }
        Ok(Progress::More)
    }
}

fn broken(window: &Window<Input<'_>>, message: &'static str) -> FormatError {
    FormatError::Broken(broken_at(window, message))
}

fn broken_at(window: &Window<Input<'_>>, message: &'static str) -> SourceError {
    SourceError::new(ErrorKind::Format, "read JSON", message)
        .with("byte", window.offset())
        .hint("what was read up to there stays; mend it and sync again")
}

/// Passes over white space, and gives what follows.
fn skip_space(window: &mut Window<Input<'_>>) -> Result<Option<u8>, FormatError> {
    loop {
        let text = window.bytes();
        let space = text.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        let next = text.get(space).copied();
        window.consume(space);
        if next.is_some() || window.is_last() {
            return Ok(next);
        }
        window.fill()?;
    }
}

/// Takes the element that begins at the front of the window.
fn element(window: &mut Window<Input<'_>>, sink: &mut Sink<'_>) -> Result<(), FormatError> {
    let (mut scanner, mut scanned) = (ValueScanner::new(), 0);
    let position = sink.place.row + 1;
    loop {
        let text = window.bytes();
        match scanner.scan(&text[scanned..]) {
            Ok(Scan::End(end)) => {
                sink.json(position, &text[..scanned + end]);
                window.consume(scanned + end);
                return Ok(());
            }
            Ok(Scan::NeedMore) if window.is_last() => {
                if !scanner.finish() {
                    return Err(broken(window, "the file ends in the middle of an element"));
                }
                sink.json(position, text);
                window.consume(text.len());
                return Ok(());
            }
            Ok(Scan::NeedMore) if text.len() > sink.max_record_bytes() => {
                let refused = sink.too_large(position, text);
                skip_element(scanner, window)?;
                sink.batch.reject(refused);
                return Ok(());
            }
            Ok(Scan::NeedMore) => {
                scanned = text.len();
                window.fill()?;
            }
            Err(error) => {
                let message = "a value should stand where a comma or a bracket stands";
                return Err(FormatError::Broken(broken_at(window, message).because(error)));
            }
        }
    }
}

/// Passes over the rest of an element, holding nothing. The whole window has been scanned.
fn skip_element(mut scanner: ValueScanner, window: &mut Window<Input<'_>>) -> Result<(), FormatError> {
    loop {
        window.consume(window.bytes().len());
        window.fill()?;
        match scanner.scan(window.bytes()) {
            Ok(Scan::End(end)) => {
                window.consume(end);
                return Ok(());
            }
            _ if window.is_last() => return Err(broken(window, "the file ends in the middle of an element")),
            _ => {}
        }
    }
}
