//! Bringing the members of an object into order.

use super::error::{JsonError, JsonErrorKind};
use super::object::{Member, Names};

/// Sorts `members` by name.
pub(super) fn sort(members: &mut [Member], names: Names<'_>) -> Result<(), JsonError> {
    members.sort_unstable_by(|a, b| names.compare(a, b));
    match members.windows(2).find(|pair| names.compare(&pair[0], &pair[1]).is_eq()) {
        None => Ok(()),
        Some(pair) if pair[0].source > pair[1].source => Err(duplicate(names, &pair[0])),
        Some(pair) => Err(duplicate(names, &pair[1])),
    }
}

/// Appends the members in their new order. `source` is the body of the object in the old order, which began
/// at `body` of the canonical form.
pub(super) fn place(members: &mut [Member], source: &[u8], body: usize, out: &mut Vec<u8>) {
    let mut to = body as u32;
    for (index, member) in members.iter_mut().enumerate() {
        if index > 0 {
            out.push(b',');
            to += 1;
        }
        out.extend_from_slice(&source[member.start as usize - body..member.end as usize - body]);
        let Member { start, value, end, .. } = *member;
        (member.start, member.value, member.end) = (to, to + (value - start), to + (end - start));
        to = member.end;
    }
}

#[cold]
pub(super) fn duplicate(names: Names<'_>, member: &Member) -> JsonError {
    const SHOWN: usize = 64;
    let name = names.of(member);
    let shown = String::from_utf8_lossy(&name[..name.len().min(SHOWN)]).into_owned();
    JsonError::new(JsonErrorKind::DuplicateName(shown.into()), member.source as usize)
}
