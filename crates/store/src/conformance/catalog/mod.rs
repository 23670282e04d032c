//! What every catalog must do, one behaviour a function.
//!
//! Each behaviour gets a catalog as its first opening leaves it: with a space `default` and a collection `default` in it,
//! and nothing else. [`catalog_tests!`](crate::catalog_tests) makes a test of each.

#![expect(clippy::unwrap_used, reason = "a behaviour that is missing is shown by a panic")]

use std::pin::Pin;
use std::sync::Arc;

use crate::Catalog;

pub mod audit;
pub mod collections;
pub mod connectors;
pub mod deliveries;
pub mod delivery_sending;
pub mod given;
pub mod idempotency;
pub mod keys;
pub mod lists;
pub mod nodes;
pub mod purges;
pub mod schedules;
pub mod secrets;
pub mod spaces;
pub mod sync_abandon;
pub mod sync_approve;
pub mod sync_blocked;
pub mod sync_cancel;
pub mod sync_claim;
pub mod sync_dry_run;
pub mod sync_finish;
pub mod sync_give_up;
pub mod sync_lease;
pub mod sync_limits;
pub mod sync_moves;
pub mod sync_revert;
pub mod sync_take_over;
pub mod sync_trigger;
pub mod sync_turns;
pub mod sync_wait;
pub mod syncs;
pub mod tasks;
pub mod triggers;
pub mod webhooks;

/// A behaviour with its name.
pub type Behaviour = (&'static str, fn(Arc<dyn Catalog>) -> Pin<Box<dyn Future<Output = ()> + Send>>);

/// Makes one test of each behaviour, in a module for each noun.
///
/// Takes the path of an `async fn() -> (Arc<dyn Catalog>, T)` that makes a new catalog; `T` is dropped when the test is over.
/// `catalog_tests!(@list)` gives the behaviours instead, for a backend of which a test cannot have a server of its own.
#[macro_export]
macro_rules! catalog_tests {
    (@list) => {
        $crate::catalog_tests! { @suite (list) }
    };
    ($fresh:path) => {
        $crate::catalog_tests! { @suite (each $fresh) }
    };
    (@suite $how:tt) => {
        $crate::catalog_tests! { @as $how;
            spaces {
                a_new_catalog_has_a_default_space_with_a_default_collection,
                a_space_is_stored_as_it_was_given,
                an_unknown_space_is_none,
                a_taken_id_is_a_conflict_that_shows_who_has_it,
                spaces_are_listed_newest_first_then_greatest_id_first,
                the_last_page_has_no_next,
                paging_skips_and_repeats_nothing_while_spaces_are_added,
                an_empty_space_is_deleted,
                a_space_with_a_collection_goes_only_with_cascade,
                a_cascade_takes_all_a_space_holds,
                an_unknown_space_is_absent_to_a_delete,
                a_space_gets_another_name_and_nothing_else,
                the_name_that_a_space_has_changes_nothing,
                a_deleted_id_can_be_used_again,
                of_a_hundred_parallel_creates_of_one_id_one_wins,
            }
            collections {
                a_collection_is_stored_as_it_was_given,
                an_unknown_collection_is_none,
                an_id_is_taken_only_within_its_space,
                a_collection_needs_a_space,
                only_collections_of_the_space_are_listed,
                paging_skips_and_repeats_nothing_while_collections_are_added,
                a_collection_with_a_connector_goes_only_with_cascade,
                a_collection_with_records_goes_only_with_cascade,
                an_empty_collection_goes_without_cascade,
                a_cascade_cancels_what_its_connectors_have_not_ended,
                an_unknown_collection_is_absent_to_a_delete,
                a_collection_gets_another_name_and_nothing_else,
                a_collection_made_again_shows_nothing_of_the_old_one,
                the_stores_are_those_of_the_collections_there_are,
            }
            connectors {
                a_connector_is_stored_as_it_was_given,
                a_connector_is_found_only_in_its_collection,
                a_connector_needs_the_very_collection,
                only_connectors_of_the_collection_are_listed,
                paging_skips_and_repeats_nothing_while_connectors_come_and_go,
                an_update_replaces_the_settings_and_counts_the_version_up,
                an_update_leaves_what_cannot_change,
                an_update_of_another_version_changes_nothing,
                of_parallel_updates_of_one_version_one_wins,
                an_unknown_connector_is_absent_to_an_update,
                a_deleted_connector_is_hidden_for_good,
                deleting_a_connector_queues_closing_it,
                deleting_a_connector_with_its_records_queues_their_purge,
                deleting_a_connector_cancels_its_queued_sync,
                deleting_a_connector_wants_its_running_sync_cancelled,
                a_connector_is_deleted_only_in_its_collection,
                a_connector_of_another_version_is_not_deleted,
                of_an_update_and_a_delete_of_one_version_one_takes_effect,
                of_parallel_deletes_one_gets_the_task,
            }
            secrets {
                all_who_have_secrets_are_listed_once,
                a_begun_sync_keeps_secrets_that_its_connector_has_lost,
                a_replacement_changes_the_secrets_and_nothing_else,
                a_replacement_of_secrets_that_were_changed_since_does_nothing,
                a_replacement_leaves_a_webhooks_secrets_in_their_places,
                the_first_masking_key_is_kept_and_sealed_anew_with_all_else,
            }
            schedules {
                a_connector_says_when_it_syncs_next,
                what_is_due_is_queued_once,
                missed_times_come_to_one_sync,
                as_many_have_their_turn_as_asked_for,
                a_paused_or_deleted_connector_is_not_due,
                a_follower_has_its_turn_after_a_success,
                no_connector_follows_itself,
                failures_keep_a_connector_away_for_longer,
                a_connector_that_fails_again_and_again_is_paused,
                a_connector_without_a_schedule_is_not_paused,
            }
            sync_trigger {
                a_triggered_sync_is_queued_as_it_was_given,
                a_sync_that_has_not_ended_is_the_conflict,
                one_sync_waits_behind_the_active_one,
                what_takes_the_place_of_others_cancels_them,
                an_answer_with_a_sync_that_was_there_is_kept,
                a_queued_sync_waits_while_its_connector_is_paused,
                a_sync_that_has_ended_is_no_conflict,
                of_a_hundred_parallel_triggers_one_wins_and_is_named_to_all_others,
                triggers_of_different_connectors_do_not_conflict,
                a_connector_that_is_not_there_cannot_be_triggered,
                a_paused_connector_cannot_be_triggered,
                a_sync_begins_its_life_queued,
            }
            syncs {
                a_sync_is_found_only_under_its_connector,
                syncs_are_listed_newest_first,
                paging_skips_and_repeats_nothing_while_syncs_are_added,
                the_last_sync_is_the_newest_of_each_connector_that_has_one,
                syncs_that_have_not_ended_are_counted_by_status_and_type,
                a_sync_that_has_ended_is_not_counted,
            }
            sync_claim {
                nothing_is_claimed_when_nothing_is_queued,
                a_claim_begins_the_sync,
                the_longest_queued_sync_is_claimed_first,
                each_claim_of_a_connector_has_a_greater_fence,
                a_hundred_parallel_claims_share_out_each_sync_once,
                a_claimed_sync_is_durable_as_running,
            }
            sync_blocked {
                it_begins_when_the_one_before_it_has_ended,
                it_begins_when_one_that_waited_or_asked_is_cancelled,
                it_needs_a_connector_that_is_free_and_not_paused,
                it_waits_when_the_one_before_it_was_a_failure_too_many,
            }
            sync_turns {
                spaces_take_turns,
                the_collections_of_a_space_have_its_turns_together,
                a_space_is_not_owed_the_turns_it_had_no_use_for,
                a_space_that_queues_one_by_one_has_every_other_turn,
            }
            sync_limits {
                no_more_syncs_of_a_space_run_than_may,
                no_more_syncs_of_a_type_run_than_may,
                a_sync_needs_room_in_its_space_and_for_its_type,
                a_sync_that_waited_needs_room_to_go_on,
                a_sync_of_a_lost_node_needs_no_more_room,
                parallel_claims_stay_within_the_limits,
            }
            sync_take_over {
                a_running_sync_is_taken_over_with_one_attempt_more,
                a_cancelling_sync_stays_cancelling,
                a_sync_of_a_deleted_connector_comes_without_it,
                a_sync_keeps_the_config_it_was_claimed_with,
                the_next_sync_has_the_new_config,
                what_is_queued_or_has_ended_is_left_alone,
                a_fence_of_a_take_over_is_greater_than_all_before,
            }
            sync_finish {
                the_outcome_is_copied_from_the_run,
                a_sync_that_has_ended_stays_as_it_is,
                a_running_sync_whose_run_was_cancelled_ends_cancelled,
                a_cancelling_sync_ends_as_its_run_did,
                a_run_that_has_not_ended_finishes_nothing,
                the_run_of_an_unknown_sync_is_passed_over,
                a_finished_sync_frees_its_connector,
            }
            sync_give_up {
                a_sync_is_given_up_as_its_run_will_end,
                what_has_ended_or_is_anothers_is_not_given_up,
            }
            sync_abandon {
                a_running_sync_can_be_abandoned_as_failed_or_cancelled,
                a_cancelling_sync_can_be_abandoned,
                a_queued_sync_can_only_be_abandoned_as_cancelled,
                no_sync_is_abandoned_as_anything_else,
                an_ended_or_unknown_sync_is_passed_over,
                a_sync_that_another_claim_has_is_passed_over,
            }
            sync_lease {
                a_sync_is_taken_over_when_its_lease_is_over,
                a_cancelling_sync_is_taken_over_to_be_ended,
                a_node_does_not_take_over_its_own,
                a_renewal_names_what_the_node_still_has,
                what_is_given_back_is_taken_at_once,
                one_that_its_node_does_not_run_is_given_back_alone,
                of_many_nodes_one_takes_a_sync_over,
            }
            nodes {
                a_node_is_listed_as_it_says_of_itself,
                a_node_is_lost_when_its_lease_is_over_until_it_is_heard_of,
                a_node_is_listed_with_the_syncs_it_runs,
                a_lost_node_has_its_syncs_until_others_take_them_over,
                of_very_many_syncs_the_rest_is_only_counted,
                a_node_that_ends_in_order_is_forgotten,
                a_node_that_was_silent_for_a_day_is_forgotten_by_another,
                very_many_silent_nodes_are_forgotten_in_steps,
                a_process_that_is_alone_forgets_all_others,
                nodes_are_listed_newest_first_page_by_page,
            }
            sync_moves {
                every_move_is_kept_with_its_cause,
                what_ends_a_sync_is_told_apart,
                what_changes_nothing_is_no_move,
                of_very_many_moves_the_middle_goes,
            }
            sync_approve {
                a_sync_that_asks_says_what_it_would_delete,
                only_the_latest_claim_of_a_running_sync_asks,
                a_sync_that_is_approved_goes_on,
                a_sync_that_is_approved_can_be_cancelled_before_it_goes_on,
                a_sync_that_is_discarded_is_cancelled,
                only_a_sync_that_asks_is_decided_on,
                decisions_are_repeated_by_their_keys,
                an_approval_that_is_spent_is_forgotten,
                no_sync_begins_while_a_discard_is_queued,
                whatever_ends_a_sync_that_asks_is_a_discard,
                a_collection_takes_its_discards_along,
            }
            sync_revert {
                a_revert_is_queued_and_pauses_its_connector,
                a_revert_begins_though_its_connector_is_paused,
                a_sync_is_reverted_once,
                a_revert_that_failed_or_was_cancelled_may_be_asked_for_again,
                a_revert_waits_for_no_other_sync,
                a_revert_takes_the_place_of_others_where_asked,
                a_revert_needs_its_connector,
                the_end_of_a_revert_is_nothing_to_its_connector,
                a_revert_is_asked_for_by_its_key_once,
            }
            triggers {
                a_connector_gets_a_trigger,
                a_new_secret_leaves_the_one_before_for_a_while,
                a_trigger_goes_on_request_and_with_its_connector,
                the_secrets_of_triggers_are_listed_and_replaced,
                triggers_are_audited_and_set_once_for_a_key,
            }
            sync_dry_run {
                a_dry_run_ends_with_what_it_has_found,
                only_the_latest_claim_ends_a_dry_run,
                a_sync_that_is_not_there_has_found_nothing,
                a_dry_run_that_fails_is_no_failure_of_its_connector,
            }
            sync_wait {
                a_waiting_sync_says_what_it_waits_for,
                a_sync_that_has_waited_goes_on,
                retries_are_counted_until_there_is_progress,
                only_the_latest_claim_of_a_running_sync_waits,
                a_waiting_sync_is_cancelled_at_once,
                a_waiting_sync_that_is_cancelled_keeps_what_its_run_has_done,
            }
            sync_cancel {
                a_queued_sync_is_cancelled_at_once,
                a_running_sync_is_cancelling_until_its_worker_ends_it,
                a_sync_that_was_cancelled_stays_so,
                a_sync_that_has_ended_otherwise_is_said_to_be_finished,
                without_an_id_what_has_not_ended_is_cancelled,
                without_an_id_nothing_that_has_ended_is_cancelled,
                a_sync_is_cancelled_only_under_its_connector,
                a_cancelled_sync_is_never_claimed,
                a_cancel_and_a_claim_at_once_agree,
            }
            idempotency {
                a_repeated_request_gets_the_first_answer_and_does_nothing,
                the_key_of_another_request_is_a_mismatch_and_does_nothing,
                the_record_comes_before_any_conflict,
                a_conflict_stores_no_record,
                the_record_outlives_what_was_made,
                an_expired_record_does_not_count,
                an_expired_key_is_recorded_anew,
                of_a_hundred_parallel_requests_with_one_key_one_has_the_effect,
                different_keys_are_different_requests,
            }
            lists {
                every_list_can_begin_with_the_oldest,
                pages_of_either_order_meet_in_the_middle,
                spaces_and_collections_are_found_by_name,
                connectors_are_narrowed_by_name_type_and_status,
                syncs_are_narrowed_to_states,
                syncs_of_several_states_are_paged_in_one_order,
                a_time_of_creation_bounds_every_list,
            }
            purges {
                a_purge_is_queued_for_each_connector,
                a_purge_that_is_queued_already_is_not_queued_again,
                a_sync_that_is_active_stands_in_the_way_of_all,
                a_sync_that_is_queued_stands_in_nobodys_way,
                no_sync_of_the_connector_is_claimed_before_its_purge_is_done,
                the_records_of_a_deleted_connector_can_be_purged,
                a_store_that_no_collection_has_takes_no_purge,
                the_purges_of_a_store_go_with_its_collection,
                purges_are_listed_oldest_first_from_any_place,
                the_number_of_a_purge_is_never_used_again,
                a_purge_and_a_claim_at_once_agree,
            }
            tasks {
                tasks_are_listed_oldest_first_up_to_the_limit,
                a_task_that_is_done_is_forgotten,
                the_number_of_a_task_is_never_used_again,
            }
            keys {
                the_first_key_is_stored_and_found_by_its_hash,
                a_second_first_key_is_not_stored,
                two_first_starts_at_once_make_one_key,
                a_key_is_stored_as_it_was_given,
                an_unknown_key_is_none,
                a_bound_key_needs_its_space,
                a_space_takes_its_keys_with_it,
                keys_are_listed_newest_first,
                a_repeated_creation_makes_no_second_key,
                an_update_changes_what_it_names,
                a_rotated_key_is_found_by_both_secrets,
                a_rotation_makes_no_secret_last_longer,
                a_key_has_only_so_many_secrets,
                a_repeated_rotation_gives_no_second_secret,
                a_deleted_key_is_gone_with_all_its_secrets,
                the_last_use_is_the_latest_that_was_noted,
                the_epoch_changes_with_the_keys,
            }
            webhooks {
                a_webhook_is_stored_as_it_was_given,
                a_webhook_is_found_only_in_its_space,
                a_webhook_needs_its_space_and_what_it_is_narrowed_to,
                webhooks_are_listed_newest_first,
                a_space_has_only_so_many_webhooks,
                a_repeated_creation_makes_no_second_webhook,
                an_update_changes_what_it_names,
                a_rotated_webhook_has_the_secret_before_for_a_while,
                a_webhook_goes_with_what_it_is_for,
            }
            deliveries {
                each_move_of_a_sync_is_told_to_who_wants_it,
                a_delivery_holds_the_sync_as_it_was,
                going_on_is_no_beginning,
                a_move_that_is_not_made_tells_nothing,
                a_disabled_webhook_is_told_nothing,
                a_webhook_made_after_its_connector_went_is_told_nothing_of_it,
                deliveries_are_listed_newest_first_and_by_state,
                whoever_sends_is_told_of_what_is_queued,
                old_deliveries_and_those_of_deleted_webhooks_are_forgotten_in_steps,
            }
            delivery_sending {
                a_claimed_delivery_is_nobody_elses_until_the_claim_ends,
                a_webhook_has_only_so_many_claimed_at_a_time,
                parallel_claims_share_out_each_delivery_once,
                the_end_of_an_attempt_is_written_down,
                only_the_last_attempt_counts,
                a_target_that_is_gone_disables_its_webhook,
                what_a_process_had_claimed_that_has_ended_is_due_again,
                a_delivery_can_be_sent_again_wherever_it_stands,
                what_is_being_sent_is_not_sent_again_beside_it,
                the_next_delivery_is_the_first_to_become_due,
                nothing_is_sent_of_webhooks_that_are_disabled_or_deleted,
            }
            audit {
                an_entry_says_who_did_what_to_what,
                every_change_leaves_its_entry,
                what_changes_nothing_leaves_no_entry,
                what_nobody_asked_for_leaves_no_entry,
                an_update_names_the_settings_it_changed,
                several_changes_of_a_request_have_their_entries,
                entries_are_filtered,
                paging_skips_and_repeats_nothing_while_entries_are_added,
                old_entries_go_when_others_are_written,
            }
        }
    };
    (@as (each $fresh:path); $($noun:ident { $($behaviour:ident),* $(,)? })*) => {
        $(mod $noun {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $behaviour() {
                let (catalog, _kept) = $fresh().await;
                $crate::conformance::catalog::$noun::$behaviour(catalog).await;
            })*
        })*
    };
    (@as (list); $($noun:ident { $($behaviour:ident),* $(,)? })*) => {{
        let list: Vec<$crate::conformance::catalog::Behaviour> = vec![$($((
            concat!(stringify!($noun), "::", stringify!($behaviour)),
            |catalog| Box::pin($crate::conformance::catalog::$noun::$behaviour(catalog)),
        )),*),*];
        list
    }};
}
