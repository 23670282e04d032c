//! What the log of a sync says. Pure.
//!
//! Whatever a run wants to have told goes through [`RunContext::note`](crate::run::RunContext::note), as a line that is made here.
//! Its code is stable and stands in the table of `docs/sync-logs.md`.

use std::collections::BTreeMap;

use inlet_model::log::{LogLevel, NewLogLine};
use inlet_model::schema::{FieldChange, FieldChanges, Schema, Types};
use inlet_model::sync::{Failure, Outcome};
use inlet_model::{Counts, Scope, ScopeState, StreamName, SyncId, Timestamp};
use inlet_store::catalog::ClaimKind;

use LogLevel::{Error, Info, Warning};

/// So many fields a line names.
const MAX_NAMED: usize = 20;

/// An attempt begins.
pub(crate) fn attempt(kind: ClaimKind, attempt: u32) -> NewLogLine {
    match kind {
        ClaimKind::Begun => NewLogLine::new(Info, "sync.begun", "The sync begins."),
        ClaimKind::Resumed => {
            NewLogLine::new(Info, "sync.resumed", format!("The sync goes on with attempt {attempt}."))
        }
        ClaimKind::TakenOver => {
            let message = format!(
                "The process that ran the sync ended in the middle of it. It goes on with attempt {attempt}, from what was \
                 committed."
            );
            NewLogLine::new(Warning, "sync.taken_over", message)
        }
    }
}

/// It reads again what another sync refused.
pub(crate) fn replays(sync_id: SyncId) -> NewLogLine {
    NewLogLine::new(Info, "sync.replays", format!("What {sync_id} refused is read again."))
}

/// It undoes another sync.
pub(crate) fn reverts(undone: SyncId) -> NewLogLine {
    NewLogLine::new(Info, "sync.reverts", format!("What {undone} did to the records is undone."))
}

/// What another sync did is undone.
pub(crate) fn reverted(undone: SyncId, taken_back: u64, kept: u64) -> NewLogLine {
    let are = |count: u64| if count == 1 { "record is" } else { "records are" };
    let mut message = format!("{taken_back} {} as before {undone}.", are(taken_back));
    if kept > 0 {
        let stays = if kept == 1 { "stays as it is, as it has" } else { "stay as they are, as they have" };
        message.push_str(&format!(" {kept} {stays} changed since."));
    }
    NewLogLine::new(Info, "sync.reverted", message)
}

/// The sync waits for its source.
pub(crate) fn held_up(failure: &Failure, resume_at: Timestamp) -> NewLogLine {
    let message = format!("{}; the sync goes on at {resume_at}.", told(failure));
    NewLogLine::new(Warning, failure.code.clone(), message)
}

/// A stream is read, from where its scopes stand.
pub(crate) fn stream_begun(stream: &StreamName, scopes: &BTreeMap<Scope, ScopeState>) -> NewLogLine {
    let open = scopes.values().filter_map(|scope| scope.listing.as_ref());
    let resumed = open.filter(|listing| listing.position.is_some()).count();
    let read_before = scopes.values().any(|scope| scope.cursor.is_some());
    let how = match (resumed, read_before) {
        (0, false) => "is read from its beginning".to_owned(),
        (0, true) => "is read from where it was left".to_owned(),
        (1, _) => "is read; an open listing is gone on with".to_owned(),
        (count, _) => format!("is read; {count} open listings are gone on with"),
    };
    NewLogLine::new(Info, "stream.begun", format!("`{stream}` {how}.")).of(stream)
}

/// A new listing of the stream begins: of all of it, or of the first of its parts.
pub(crate) fn listing_begun(stream: &StreamName, scope: &Scope) -> NewLogLine {
    let message = match scope.as_str() {
        "" => format!("A new listing of `{stream}` begins."),
        part => format!("New listings of parts of `{stream}` begin, the first with `{part}`."),
    };
    NewLogLine::new(Info, "stream.listing_begun", message).of(stream)
}

/// A stream has come to its end.
pub(crate) fn stream_complete(stream: &StreamName) -> NewLogLine {
    NewLogLine::new(Info, "stream.complete", format!("`{stream}` was read to its end.")).of(stream)
}

/// A stream cannot be read on.
pub(crate) fn stream_failed(stream: &StreamName, failure: &Failure) -> NewLogLine {
    NewLogLine::new(Error, failure.code.clone(), told(failure)).of(stream)
}

/// Records that were read have made a version of their stream's schema.
pub(crate) fn schema_changed(stream: &StreamName, version: u64, before: &Schema, now: &Schema) -> NewLogLine {
    if before.is_empty() {
        let fields = named(now.fields().map(|(name, _)| format!("`{name}`")));
        let message = format!("The fields of `{stream}` (schema version {version}): {fields}.");
        return NewLogLine::new(Info, "schema.learned", message).of(stream);
    }
    let FieldChanges { new, changed, .. } = now.changes_since(before);
    let listed = |types: Types| types.names().collect::<Vec<_>>().join(" or ");
    let new = new.into_iter().map(|name| match now.get(&name).filter(|types| !types.is_empty()) {
        Some(types) => format!("`{name}` ({}) is new", listed(types)),
        None => format!("`{name}` is new"),
    });
    let changed = changed.into_iter().map(|FieldChange { name, before, after }| {
        format!("`{name}` was {} and is {}", listed(before), listed(after))
    });
    let changes = match named(new.chain(changed)) {
        none if none.is_empty() => "a field that was always null is so no more".to_owned(),
        some => some,
    };
    let message = format!("The schema of `{stream}` has changed (version {version}): {changes}.");
    NewLogLine::new(Warning, "schema.changed", message).of(stream)
}

/// The first of very many, and how many more there are.
fn named(mut names: impl Iterator<Item = String>) -> String {
    let mut named = names.by_ref().take(MAX_NAMED).collect::<Vec<_>>().join(", ");
    let more = names.count();
    if more > 0 {
        named += &format!(" and {more} more");
    }
    named
}

/// What the source wants a person to know, without secrets.
pub(crate) fn warning(text: String) -> NewLogLine {
    NewLogLine::new(Warning, "source.warning", text)
}

/// What a complete listing did not see was deleted.
pub(crate) fn swept(stream: &StreamName, deleted: u64) -> NewLogLine {
    let records = if deleted == 1 { "record was" } else { "records were" };
    let message = format!("{deleted} {records} deleted that `{stream}` does not have any more.");
    NewLogLine::new(Info, "stream.swept", message).of(stream)
}

/// More was to be told at once than a log can take.
pub(crate) fn untold(count: u64) -> NewLogLine {
    NewLogLine::new(
        Warning,
        "log.left_out",
        format!("{count} lines that came all at once are left out here."),
    )
}

/// The run ends.
pub(crate) fn ended(outcome: Outcome, failure: Option<&Failure>, counts: Counts) -> NewLogLine {
    let Counts { read, created, updated, deleted, rejected, .. } = counts;
    let did = format!(
        "{read} records read, {created} created, {updated} updated, {deleted} deleted, {rejected} rejected"
    );
    match (outcome, failure) {
        (Outcome::Failed, Some(failure)) => NewLogLine::new(Error, failure.code.clone(), told(failure)),
        (Outcome::Failed, None) => NewLogLine::new(Error, "sync.failed", format!("The sync failed: {did}.")),
        (Outcome::Succeeded, _) => {
            NewLogLine::new(Info, "sync.succeeded", format!("The sync succeeded: {did}."))
        }
        (Outcome::Cancelled, _) => {
            NewLogLine::new(Info, "sync.cancelled", format!("The sync was cancelled: {did}."))
        }
    }
}

fn told(failure: &Failure) -> String {
    match &failure.hint {
        Some(hint) => format!("{} (to mend it: {hint})", failure.message),
        None => failure.message.clone(),
    }
}

#[cfg(test)]
mod tests {
    use inlet_model::OpenListing;

    use super::*;

    #[test]
    fn every_code_of_a_line_is_on_its_page() {
        let page = include_str!("../../../docs/sync-logs.md");
        let stream = StreamName::new("s").unwrap();
        let outcomes = [Outcome::Succeeded, Outcome::Cancelled, Outcome::Failed];
        let kinds = [ClaimKind::Begun, ClaimKind::Resumed, ClaimKind::TakenOver];
        let lines = kinds.map(|kind| attempt(kind, 2)).into_iter();
        let lines = lines.chain(outcomes.map(|outcome| ended(outcome, None, Counts::default())));
        let lines = lines.chain([
            stream_begun(&stream, &BTreeMap::new()),
            listing_begun(&stream, &Scope::whole()),
            stream_complete(&stream),
            swept(&stream, 1),
            schema_changed(&stream, 1, &Schema::default(), &Schema::default()),
            schema_changed(&stream, 2, &schema_of(r#"{"a":1}"#), &schema_of(r#"{"b":1}"#)),
            warning("Look out.".to_owned()),
            untold(1),
            replays(SyncId::from_u128(1)),
            reverts(SyncId::from_u128(1)),
            reverted(SyncId::from_u128(1), 1, 0),
        ]);
        for line in lines {
            assert!(page.contains(&format!("| `{}` |", line.code())), "{} is missing", line.code());
        }
    }

    fn schema_of(record: &str) -> Schema {
        let mut observer = inlet_model::schema::Observer::default();
        observer.take(record.as_bytes());
        observer.schema()
    }

    #[test]
    fn a_changed_schema_names_what_has_changed() {
        let stream = StreamName::new("s").unwrap();
        let told = |before: &str, now: &str| {
            schema_changed(&stream, 2, &schema_of(before), &schema_of(now)).message().to_owned()
        };
        let many: Vec<String> = (0..25).map(|number| format!("\"f{number:02}\":1")).collect();
        assert_eq!(told("{}", r#"{"a":1,"b":[]}"#), "The fields of `s` (schema version 2): `a`, `b`.");
        assert_eq!(
            told(r#"{"a":1}"#, r#"{"a":"x","b":1.5,"c":null}"#),
            "The schema of `s` has changed (version 2): `b` (number) is new, `c` is new, `a` was integer and is string."
        );
        assert_eq!(
            told(r#"{"a":null}"#, r#"{"a":1}"#),
            "The schema of `s` has changed (version 2): a field that was always null is so no more."
        );
        assert!(told("{}", &format!("{{{}}}", many.join(","))).ends_with("`f19` and 5 more."));
    }

    #[test]
    fn a_revert_says_how_many_records_it_took_back_and_how_many_stay() {
        let id = SyncId::from_u128(1);
        let said = |taken_back, kept| reverted(id, taken_back, kept).message().to_owned();
        assert_eq!(said(300, 0), format!("300 records are as before {id}."));
        assert_eq!(
            said(1, 1),
            format!("1 record is as before {id}. 1 stays as it is, as it has changed since.")
        );
        assert!(said(0, 2).ends_with(" 2 stay as they are, as they have changed since."));
    }

    #[test]
    fn a_stream_begins_where_it_was_left() {
        let stream = StreamName::new("s").unwrap();
        let at = |listing: Option<OpenListing>, cursor: Option<serde_json::Value>| {
            let scopes = BTreeMap::from([(Scope::whole(), ScopeState { listing, cursor, listed_by: None })]);
            stream_begun(&stream, &scopes).message().to_owned()
        };
        let open = |position: Option<serde_json::Value>| Some(OpenListing { generation: 1, position });
        assert_eq!(at(None, None), "`s` is read from its beginning.");
        assert_eq!(at(None, Some(1.into())), "`s` is read from where it was left.");
        assert_eq!(at(open(Some(1.into())), None), "`s` is read; an open listing is gone on with.");
        assert_eq!(at(open(None), None), "`s` is read from its beginning.");
    }
}
