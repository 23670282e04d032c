//! What every collection store must do, one behaviour a function.
//!
//! Each behaviour gets a [`Given`]: a collection that is new and empty, in a [`Backend`] that holds nothing else.
//! [`collection_tests!`](crate::collection_tests) makes a test of each.

#![expect(clippy::unwrap_used, reason = "a behaviour that is missing is shown by a panic")]

pub mod appending;
pub mod asked;
pub mod cancels;
pub mod changes;
pub mod checkpoints;
pub mod closing;
pub mod commits;
pub mod deletes;
pub mod duplicates;
pub mod fences;
pub mod finishes;
mod given;
pub mod gone_scopes;
pub mod inbox;
mod items;
pub mod listings;
pub mod logs;
pub mod model;
pub mod purges;
pub mod pushes;
pub mod record_pages;
pub mod records;
pub mod rehearsals;
pub mod rejected;
pub mod replays;
pub mod restarts;
pub mod runs;
pub mod schemas;
pub mod scopes;
mod seen;
pub mod shapes;
pub mod sizes;
pub mod state;
pub mod stores;
pub mod sweeps;
pub mod undo_limits;
pub mod undos;
pub mod upkeep;
pub mod upkeep_readers;

use std::fmt::Debug;
use std::pin::Pin;
use std::sync::Arc;

use async_trait::async_trait;

use crate::CollectionStores;

pub use given::Given;

/// A backend under test: a place for data, which outlives the stores that are opened in it.
#[async_trait]
pub trait Backend: Debug + Send + Sync {
    /// Opens the stores in that place, as a process does when it starts: whatever was opened before is dropped.
    async fn open(&self) -> Arc<dyn CollectionStores>;
}

/// A behaviour with its name.
pub type Behaviour = (&'static str, fn(Given) -> Pin<Box<dyn Future<Output = ()>>>);

/// Makes one test of each behaviour, in a module for each noun.
///
/// Takes the path of a `fn() -> impl Backend` that makes an empty place; it is to begin with `crate::`.
/// `collection_tests!(@list)` gives the behaviours instead, for a backend of which a test cannot have a server of its own.
#[macro_export]
macro_rules! collection_tests {
    (@list) => {
        $crate::collection_tests! { @suite (list) }
    };
    ($backend:path) => {
        $crate::collection_tests! { @suite (each $backend) }
    };
    (@suite $how:tt) => {
        $crate::collection_tests! { @as $how;
            commits {
                a_first_load_is_created_and_numbered_from_1_in_order_of_arrival,
                the_same_again_is_unchanged_and_makes_no_change,
                a_changed_record_is_updated_and_its_change_names_the_one_before,
                an_update_keeps_created_at_and_moves_updated_at,
                a_delete_removes_the_record_and_makes_a_change,
                a_delete_of_nothing_is_unchanged,
                a_deleted_record_is_created_anew,
                outside_a_listing_each_record_of_a_key_makes_its_own_change,
                the_batches_of_a_commit_follow_each_other,
                an_empty_commit_changes_nothing,
                a_receipt_counts_the_run_and_the_numbers_go_on,
                a_key_in_two_streams_is_two_records,
                connectors_never_touch_each_others_records,
            }
            sizes {
                a_record_of_five_megabytes_is_stored_whole,
                a_commit_of_64_megabytes_is_stored_whole,
                long_keys_with_a_common_beginning_are_two_records,
                thousands_of_records_are_all_found_again,
                every_kind_of_key_and_content_comes_back_as_it_was,
                any_name_of_a_stream_or_scope_is_kept_apart,
            }
            checkpoints {
                outside_a_listing_a_checkpoint_is_the_cursor,
                inside_a_listing_a_checkpoint_is_its_position,
                a_batch_without_a_checkpoint_leaves_the_cursor,
                a_batch_without_a_checkpoint_makes_the_listing_start_again,
                each_scope_has_its_own_checkpoint,
                an_empty_batch_moves_the_checkpoint,
                the_last_checkpoint_of_a_commit_counts,
                a_checkpoint_comes_back_as_it_was_given,
            }
            listings {
                a_listing_begins_with_the_runs_generation_and_no_position,
                a_complete_listing_with_nothing_unseen_sets_the_cursor_at_once,
                a_listing_that_sees_all_again_sets_the_cursor_at_once,
                a_complete_listing_may_leave_no_cursor,
                an_uncertified_listing_keeps_what_it_did_not_see,
                a_listing_that_is_not_complete_deletes_nothing,
                a_complete_listing_of_nothing_deletes_everything,
                a_listing_goes_on_after_a_restart,
                an_open_listing_is_gone_on_with_by_the_next_sync,
                a_new_listing_in_place_of_an_open_one_forgets_what_that_saw,
                a_new_listing_in_the_same_commit_forgets_what_the_old_one_saw,
            }
            duplicates {
                the_second_record_of_a_key_is_rejected,
                a_duplicate_in_another_batch_is_rejected,
                a_duplicate_in_another_commit_is_rejected,
                a_duplicate_in_another_attempt_is_rejected,
                a_duplicate_in_another_sync_of_the_listing_is_rejected,
                what_was_written_before_the_listing_is_no_duplicate,
                the_next_listing_begins_anew,
                a_scope_with_duplicates_gets_no_cursor,
                a_scope_with_duplicates_in_an_earlier_attempt_gets_no_cursor,
                a_record_that_waits_for_the_sweep_may_move,
                a_scope_with_duplicates_gets_no_cursor_from_the_sweep,
                a_listing_without_duplicates_gets_its_cursor_again,
            }
            schemas {
                a_schema_is_written_with_the_records_that_made_it,
                a_schema_of_a_commit_that_is_refused_is_not_written,
                a_run_finds_the_schema_and_whether_it_is_learned,
                a_schema_is_learned_anew,
                the_last_hundred_versions_are_kept,
                a_record_that_is_refused_as_it_is_stays_as_it_was,
                a_key_that_was_kept_was_seen,
                a_record_that_is_refused_where_it_has_moved_to_is_not_deleted,
            }
            scopes {
                a_key_of_a_scope_listed_in_this_run_is_rejected_in_another,
                a_key_of_a_scope_listed_in_this_commit_is_rejected_in_another,
                a_key_of_a_scope_found_unchanged_in_this_run_is_rejected_in_another,
                a_scope_settled_by_an_earlier_attempt_is_settled,
                a_key_of_a_scope_not_settled_yet_moves,
                a_key_that_moved_goes_with_its_new_scope,
                what_an_earlier_sync_settled_is_not_settled_now,
                a_key_that_another_open_listing_saw_moves,
                a_scope_that_lost_a_key_while_it_was_listed_gets_no_cursor,
                a_scope_that_lost_a_key_forgets_the_cursor_of_the_same_commit,
                an_unchanged_scope_keeps_what_it_has,
                scopes_of_different_streams_share_no_keys,
            }
            gone_scopes {
                a_scope_that_is_not_named_goes_with_its_records,
                scopes_that_are_named_stay,
                a_stream_without_scopes_has_no_records,
                a_record_that_moved_to_another_scope_stays,
                a_scope_with_an_open_listing_goes,
                a_scope_that_went_may_come_again,
                other_streams_and_connectors_keep_their_scopes,
            }
            sweeps {
                a_sweep_deletes_exactly_what_was_not_seen,
                what_the_listing_wrote_is_not_swept,
                a_sweep_goes_in_bounded_steps,
                a_sweep_goes_on_after_a_restart,
                the_cursor_is_set_when_the_sweep_is_through,
                with_nothing_to_sweep_it_is_done_at_once,
                a_sweep_that_is_through_finds_nothing_more,
                a_sweep_keeps_to_its_stream_and_connector,
                a_sweep_goes_through_all_complete_scopes,
                a_sweep_covers_what_is_completed_while_it_is_under_way,
                the_next_sync_sweeps_what_was_left,
                a_large_sweep_deletes_what_it_should,
            }
            asked {
                of_an_askable_listing_only_what_is_absent_goes,
                what_an_askable_listing_saw_stays,
                each_step_names_its_candidates,
                candidates_go_on_after_a_restart,
                a_long_key_is_asked_for_whole,
                a_certified_listing_has_no_candidates,
                candidates_are_fenced_and_cancelled_as_sweeps_are,
            }
            deletes {
                what_waits_for_a_sweep_is_counted_and_listed,
                the_count_follows_what_is_swept_and_what_moves,
                pages_of_any_size_list_the_same,
                the_key_log_is_looked_into,
                a_page_looks_at_no_more_keys_than_it_may,
                what_an_askable_listing_left_is_counted_apart,
                what_the_source_has_waits_no_more,
                who_does_not_hold_the_connector_keeps_nothing,
                what_a_listing_in_doubt_left_goes_only_if_approved,
                what_was_approved_goes_and_what_comes_later_waits,
                an_approval_outlives_a_restart_and_the_sync,
                who_does_not_hold_the_connector_approves_nothing,
                what_was_dropped_stays_and_is_found_again,
                a_dropped_listing_leaves_the_cursor_as_it_was,
                deletes_are_dropped_in_bounded_steps,
                a_drop_ends_the_run_and_can_be_repeated,
                a_drop_leaves_other_syncs_and_connectors_alone,
                a_store_that_rests_goes_on_where_it_was,
            }
            rehearsals {
                a_rehearsal_comes_to_what_the_run_comes_to,
                a_rehearsal_writes_nothing,
                a_rehearsal_shows_some_records_before_and_after,
                the_samples_keep_to_their_bounds,
                a_rehearsal_starts_as_if_it_had_swept,
                a_stream_that_is_read_differently_is_rehearsed_from_the_beginning,
                a_rehearsed_full_refresh_begins_no_copy,
                other_connectors_write_while_one_rehearses,
                random_runs_come_to_what_was_rehearsed,
            }
            runs {
                a_run_begins_with_nothing_done,
                the_run_of_an_unknown_sync_is_none,
                to_begin_again_under_one_fence_changes_nothing,
                an_attempt_goes_on_with_the_counters_of_those_before,
                barren_attempts_are_counted_until_a_commit,
                a_refused_commit_leaves_an_attempt_barren,
                the_generation_grows_from_sync_to_sync,
                a_streams_status_follows_its_commits,
                a_run_counts_each_stream_and_their_sum,
                the_last_progress_is_the_last_commit_of_records,
                an_attempt_without_streams_keeps_what_was_done,
                a_run_that_sweeps_says_so,
            }
            shapes {
                another_shape_drops_cursors_and_open_listings,
                the_listing_after_another_shape_deletes_what_it_did_not_see,
                another_shape_drops_a_sweep_that_waits,
                a_shape_that_stays_keeps_cursors_and_listings,
                another_shape_of_one_stream_leaves_the_others,
                a_stream_that_is_left_out_keeps_everything,
                a_full_refresh_drops_the_open_listings_of_others,
                a_full_refresh_goes_on_with_its_own_listing,
            }
            appending {
                a_listing_of_a_stream_that_appends_deletes_nothing,
                a_scope_of_a_stream_that_appends_never_goes,
                a_delete_from_a_stream_that_appends_changes_nothing,
                the_same_record_twice_in_a_listing_is_unchanged,
                a_full_refresh_begins_a_copy,
                to_append_or_not_is_another_shape,
                what_an_undone_sync_appended_is_deleted,
                an_undone_full_refresh_takes_its_copy_with_it,
            }
            finishes {
                a_run_ends_as_it_is_told,
                a_stream_that_is_not_complete_when_its_run_ends_is_given_up,
                a_stream_that_waits_to_be_swept_when_its_run_ends_is_given_up,
                a_run_that_has_ended_stays_as_it_ended,
                a_run_that_has_ended_writes_nothing_more,
                a_run_that_never_began_cannot_end,
                a_run_whose_connector_the_next_takes_ends_as_cancelled,
                what_a_run_committed_stays_when_it_fails,
            }
            fences {
                a_run_does_not_begin_under_a_lower_fence,
                another_sync_does_not_begin_under_the_same_fence,
                a_run_that_lost_its_connector_writes_nothing,
                an_attempt_that_was_taken_over_writes_nothing,
                a_fence_outlives_a_restart,
                each_connector_has_its_own_fence,
                a_commit_of_a_run_that_never_began_is_refused,
            }
            cancels {
                a_cancelled_commit_leaves_no_trace,
                a_cancelled_commit_has_seen_nothing,
                a_cancelled_commit_uses_up_no_number,
                a_cancelled_sweep_deletes_nothing,
                a_cancelled_run_can_end,
                a_cancelled_run_ends_as_cancelled_alone,
                nothing_passes_a_flag_for_longer_than_its_write,
                a_cancel_concerns_its_sync_alone,
                a_commit_that_meets_a_cancel_is_whole_or_not_there,
            }
            closing {
                a_closed_connector_takes_nothing,
                a_closed_connector_keeps_its_records,
                a_closed_connector_shows_an_empty_inbox,
                pushes_to_a_closed_connector_are_dropped_in_bounded_steps,
                pushes_to_an_open_connector_are_not_dropped,
                other_connectors_do_not_notice,
                a_connector_can_be_closed_twice_and_before_it_was_used,
                a_close_that_meets_a_commit_lets_it_through_or_not,
            }
            purges {
                a_purge_deletes_all_records_and_each_makes_a_change_of_no_sync,
                a_purge_of_one_stream_leaves_the_others,
                other_connectors_keep_their_records,
                a_purge_goes_in_bounded_steps,
                a_purge_goes_on_after_a_restart,
                no_record_goes_before_what_is_known_of_its_streams_reading,
                a_purged_stream_is_listed_from_the_beginning,
                what_waited_for_a_sweep_waits_no_more,
                a_run_that_is_under_way_loses_its_connector,
                the_syncs_before_keep_their_counts_and_the_numbers_go_on,
                a_purge_with_nothing_to_do_changes_nothing,
                long_keys_are_purged_whole,
                pushes_that_wait_outlive_a_purge,
                a_step_of_a_purge_that_is_done_does_nothing,
                a_purge_of_a_closed_connector_takes_what_its_syncs_refused,
                replayed_at_any_step_the_feed_equals_the_records,
            }
            state {
                checkpoints_are_shown_by_stream_and_scope,
                checkpoints_come_in_pages,
                a_run_starts_from_the_cursors_that_were_set,
                to_set_cursors_drops_open_listings_and_keeps_sweeps,
                a_scope_that_was_gone_and_is_named_stays,
                a_stream_that_was_never_read_can_have_cursors,
                a_reset_lists_everything_again_and_deletes_nothing,
                a_reset_of_one_stream_leaves_the_others,
                nothing_is_changed_behind_the_back_of_a_run,
                a_change_that_meets_a_beginning_is_before_it_or_refused,
            }
            rejected {
                a_refused_record_is_kept_as_the_source_said_it,
                a_batch_of_refusals_moves_the_checkpoint,
                rejected_records_are_numbered_through_the_sync,
                rejected_records_are_read_in_pages,
                rejected_records_can_be_narrowed,
                each_sync_has_its_own_rejected_records,
                a_large_duplicate_keeps_only_its_start,
            }
            replays {
                only_the_scopes_that_hold_refused_records_are_listed_again,
                where_not_every_refusal_is_kept_all_scopes_are_listed_again,
                a_refused_push_is_pushed_again_once,
                where_nothing_was_refused_there_is_nothing_to_read_again,
                only_the_newest_claim_prepares_and_before_it_begins,
                what_waits_for_a_sweep_is_swept_before_it_is_listed_again,
            }
            logs {
                a_log_tells_a_run_from_its_beginning_to_its_end,
                what_is_done_twice_is_told_once,
                a_refused_commit_leaves_no_line,
                lines_alone_are_no_progress,
                a_log_is_read_in_pages_in_either_order,
                of_a_long_log_the_first_and_the_last_lines_are_kept,
                pages_of_a_long_log_meet_the_gap_once,
            }
            pushes {
                pushes_get_increasing_places,
                a_push_beyond_the_limit_is_refused,
                the_limit_counts_all_streams_and_outlives_a_restart,
                a_push_that_alone_is_too_much_is_refused,
                a_repeated_push_gets_the_first_answer,
                another_push_with_the_key_is_a_mismatch,
                a_push_that_was_taken_is_still_known,
                an_expired_key_is_recorded_anew,
                a_repeated_push_is_answered_though_there_is_no_room,
                a_refused_push_leaves_its_key_free,
                of_parallel_pushes_with_one_key_one_is_stored,
            }
            inbox {
                pushes_wait_as_they_were_pushed,
                streams_with_pushes_are_listed_by_name,
                pushes_are_read_in_bounded_pages,
                a_commit_takes_pushes_up_to_the_one_it_names,
                what_comes_while_a_sync_takes_stays,
            }
            records {
                records_come_by_stream_then_by_key,
                records_can_be_narrowed_to_stream_and_connector,
                an_empty_collection_shows_nothing,
                a_record_is_found_by_its_key,
                a_listed_record_is_the_one_found_by_its_key,
                stats_follow_the_commits,
                streams_are_listed_with_what_they_hold,
                a_cursor_that_nobody_gave_does_no_harm,
            }
            record_pages {
                pages_of_any_size_give_the_same,
                pages_keep_to_what_is_asked_for,
                the_last_page_has_no_next,
                a_page_stops_once_it_holds_so_many_bytes,
                large_records_come_one_to_a_page,
                pages_skip_and_repeat_nothing_while_records_come_and_go,
                a_place_outlives_its_record_and_a_restart,
                pages_are_right_while_a_writer_writes,
            }
            changes {
                the_feed_goes_on_from_any_number,
                a_page_of_changes_stops_once_it_holds_so_many_bytes,
                replayed_from_0_the_feed_equals_the_records,
                a_reader_that_follows_misses_nothing_and_gets_nothing_twice,
                the_changes_of_a_sync_are_as_many_as_it_counted,
            }
            stores {
                a_store_opened_twice_is_one,
                stores_of_different_ids_share_nothing,
                every_store_is_listed,
                a_removed_store_is_empty_when_opened_again,
                a_removed_store_is_closed_for_those_who_have_it_open,
                a_store_can_be_removed_twice,
                to_remove_a_store_leaves_the_others,
                a_store_can_be_removed_while_it_is_used,
                openings_and_removals_at_once_do_no_harm,
                of_parallel_openings_all_get_the_same,
                seventy_stores_are_used_one_after_another,
                seventy_stores_are_used_at_once,
            }
            upkeep {
                what_is_past_the_history_leaves_the_feed,
                what_was_superseded_within_the_history_stays,
                an_idle_collection_says_when_something_is_due,
                upkeep_in_steps_of_any_size_comes_to_the_same,
                upkeep_goes_on_after_a_restart,
                many_small_commits_are_read_as_before,
                an_open_listing_and_its_sweep_do_not_notice,
                a_purge_does_not_notice,
                a_clock_that_was_set_back_lets_nothing_go_too_early,
                a_run_that_ended_long_ago_goes_with_what_it_refused,
                a_run_that_has_not_ended_and_the_last_of_a_connector_stay,
            }
            upkeep_readers {
                a_reader_anywhere_misses_nothing_or_is_told_so,
                a_reader_that_began_at_the_beginning_reads_on_to_the_end,
                a_reader_that_began_at_the_beginning_is_told_of_what_went_meanwhile,
                a_reader_that_follows_beside_commits_and_upkeep_holds_the_records,
            }
            undos {
                what_a_sync_created_is_deleted,
                what_a_sync_updated_gets_its_earlier_data,
                what_a_sync_deleted_is_created_anew,
                an_undo_of_everything_at_once_restores_what_was_there,
                what_was_changed_since_stays_and_is_counted,
                what_was_deleted_and_came_and_went_again_stays_away,
                a_record_that_changed_more_than_once_in_a_sync_gets_the_state_before_it,
                a_record_that_is_as_it_was_before_is_left_alone,
                the_streams_are_listed_from_the_beginning_afterwards,
                a_record_whose_scope_is_gone_comes_back_into_the_whole,
                an_undo_can_be_undone,
                long_keys_are_restored_whole,
            }
            undo_limits {
                an_undo_goes_in_bounded_steps_that_are_one_commit_each,
                an_undo_goes_on_after_a_restart_and_in_another_attempt,
                a_cancelled_undo_writes_nothing_and_another_takes_back_the_rest,
                an_undo_that_lost_its_connector_writes_nothing,
                a_sync_that_did_nothing_is_undone_at_once,
                only_a_sync_of_the_connector_that_has_ended_can_be_undone,
                why_a_sync_cannot_be_undone_is_said_beforehand,
                once_its_history_is_gone_a_sync_cannot_be_undone,
                the_history_stays_while_an_undo_needs_it,
                what_an_abandoned_undo_collected_goes,
            }
            restarts {
                everything_is_there_after_a_restart,
                writing_goes_on_after_a_restart,
            }
            model {
                random_histories_agree_with_a_simple_model,
            }
        }
    };
    (@as (each $backend:path); $($noun:ident { $($behaviour:ident),* $(,)? })*) => {
        $(mod $noun {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $behaviour() {
                let given = $crate::conformance::collection::Given::new($backend()).await;
                $crate::conformance::collection::$noun::$behaviour(given).await;
            })*
        })*
    };    (@as (list); $($noun:ident { $($behaviour:ident),* $(,)? })*) => {{
        let list: Vec<$crate::conformance::collection::Behaviour> = vec![$($((
            concat!(stringify!($noun), "::", stringify!($behaviour)),
            |given| Box::pin($crate::conformance::collection::$noun::$behaviour(given)),
        )),*),*];
        list
    }};
}
