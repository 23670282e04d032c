//! Which deletes a person is asked about. Pure.
//!
//! A sync asks once for all its streams: nothing of what it would delete goes before it is approved, also not where the limits
//! alone would let it.

use inlet_model::approval::{LargeDelete, LargeDeleteOfStream};
use inlet_model::policy::DeleteLimit;
use inlet_store::collection::StreamDeletes;

/// What a sync has to ask about before these deletes; `None` if it need not.
pub(crate) fn question(limit: DeleteLimit, pending: Vec<StreamDeletes>) -> Option<LargeDelete> {
    let pending: Vec<StreamDeletes> = pending.into_iter().filter(|stream| stream.records > 0).collect();
    let delete = LargeDelete::of_streams(pending.into_iter().map(part).collect());
    is_unusual(limit, &delete).then_some(delete)
}

/// Whether a delete is to be approved: all a stream has, what a listing may only have left out, or more than the limit of one
/// stream or of all together.
fn is_unusual(limit: DeleteLimit, delete: &LargeDelete) -> bool {
    // With 100 percent nothing is asked; what is in doubt then stays.
    limit.percent < 100
        && (limit.is_passed_by(delete.records, delete.of)
            || delete.streams.iter().any(|stream| {
                stream.records == stream.of
                    || stream.in_doubt > 0
                    || limit.is_passed_by(stream.records, stream.of)
            }))
}

fn part(stream: StreamDeletes) -> LargeDeleteOfStream {
    LargeDeleteOfStream {
        name: stream.stream,
        records: stream.records,
        of: stream.of,
        if_absent: stream.if_absent,
        in_doubt: stream.if_approved,
    }
}

#[cfg(test)]
mod tests {
    use inlet_model::StreamName;

    use super::*;

    const USUAL: DeleteLimit = DeleteLimit { percent: 20, records: 100 };

    fn stream(records: u64, of: u64) -> StreamDeletes {
        StreamDeletes { records, ..StreamDeletes::none(StreamName::new("s").unwrap(), of) }
    }

    fn asks(limit: DeleteLimit, pending: &[StreamDeletes]) -> bool {
        question(limit, pending.to_vec()).is_some()
    }

    #[test]
    fn a_delete_within_either_limit_is_not_asked_about() {
        assert!(!asks(USUAL, &[]));
        assert!(!asks(USUAL, &[stream(100, 101)]));
        assert!(!asks(USUAL, &[stream(2_000, 10_000)]));
        assert!(asks(USUAL, &[stream(101, 102)]));
        assert!(asks(USUAL, &[stream(2_001, 10_000)]));
    }

    #[test]
    fn a_stream_that_would_be_empty_is_always_asked_about() {
        assert!(asks(USUAL, &[stream(1, 1)]));
        assert!(!asks(USUAL, &[stream(0, 0)]), "one that was empty is not");
    }

    #[test]
    fn many_small_deletes_are_one_large_one() {
        let small = vec![stream(60, 61); 2];
        assert!(!asks(USUAL, &small[..1]));
        let delete = question(USUAL, small).unwrap();
        assert_eq!((delete.records, delete.of, delete.streams.len()), (120, 122, 2));
    }

    #[test]
    fn what_a_listing_may_have_left_out_is_always_asked_about() {
        assert!(asks(USUAL, &[StreamDeletes { if_approved: 1, ..stream(1, 1_000) }]));
        assert!(!asks(USUAL, &[StreamDeletes { if_absent: 1, ..stream(1, 1_000) }]));
    }

    #[test]
    fn what_was_approved_is_not_asked_about_again() {
        assert!(!asks(USUAL, &[StreamDeletes { approved: 500, ..stream(0, 500) }]));
    }

    #[test]
    fn who_allows_everything_is_asked_nothing() {
        let all = DeleteLimit { percent: 100, records: 0 };
        assert!(!asks(all, &[stream(500, 500), StreamDeletes { if_approved: 1, ..stream(1, 1) }]));
    }
}
