//! What every engine owes the ports, as tests that any engine can be put through.
//!
//! [`crate::contract!`] makes one test of each function. They take a store of their own, hold its
//! clock, and race through the real port; nothing in them knows which engine it is.

pub mod auth_requests;
pub mod deliveries;
pub mod desk;
mod fixtures;
pub mod isolation;
pub mod log;
pub mod reception;
pub mod registry;
pub mod tallies;
pub mod templates;
pub mod tidying;

pub use fixtures::*;

/// Makes a test of every contract function. `$open` is an async function that answers a fresh
/// [`crate::testing::TempStore`].
#[macro_export]
macro_rules! contract {
    ($open:path) => {
        $crate::contract!(@room $open, auth_requests:
            an_opened_request_reads_back_as_it_was_written,
            a_refused_send_writes_nothing,
            single_use_under_race,
            at_most_five_of_a_hundred_parallel_guesses_count,
            the_guess_budget_holds_across_the_requests_of_an_address,
            quotas_hold_under_race,
            a_client_cap_holds_under_race,
            mails_counted_apart_use_up_no_quota_of_the_address,
            wrong_codes_at_the_dashboard_and_at_apps_are_counted_apart,
            a_resend_and_a_redeem_that_race_leave_one_meaning,
            an_unknown_request_is_shown_to_the_rule_as_missing,
            stored_times_never_move_backwards,
            an_act_reads_the_clock_when_it_runs,
            the_timeline_keeps_the_order_of_the_acts,
        );
        $crate::contract!(@room $open, deliveries:
            a_new_delivery_is_leased_until_it_is_due,
            a_delivery_is_claimed_once_under_race,
            a_lost_lease_is_claimed_again,
            claims_come_oldest_first_and_within_their_limit,
            a_delivery_settles_once,
            deliveries_settle_together,
            every_try_of_an_attempt_is_on_the_timeline,
            the_last_try_is_remembered,
            deliveries_are_listed_newest_first,
            a_retry_waits_and_a_release_does_not_shorten_the_wait,
            a_release_ends_the_leases_of_other_nodes_only,
            the_outbox_tells_its_depth_and_its_oldest,
            what_is_gone_cannot_be_sent,
        );
        $crate::contract!(@room $open, desk:
            an_invitation_is_taken_once_and_in_time,
            sessions_live_until_they_are_ended,
            a_removed_admin_comes_back_by_no_session_and_no_invitation,
            who_is_removed_does_not_come_back_by_an_invitation_that_is_being_taken,
            a_session_is_found_with_whose_it_is_now,
            an_ended_session_is_not_brought_back_by_its_use,
            each_secret_has_its_own_last_use,
            admins_are_part_of_the_registry,
            the_audit_is_read_from_the_newest,
        );
        $crate::contract!(@room $open, isolation:
            a_panicking_act_fails_alone,
            reopening_finds_everything,
            a_closed_store_refuses,
        );
        $crate::contract!(@room $open, log:
            an_entry_tells_what_became_of_its_request,
            pages_go_back_and_forth_without_a_gap,
            filters_narrow_the_page_and_its_total,
            requests_whose_mail_was_lost_are_found,
            a_mail_is_lost_until_another_one_arrives,
            a_client_is_left_out_of_the_page_and_its_total,
            the_total_is_exact_to_ten_thousand,
            events_are_taken_in_once_however_many_try,
            refusals_are_found_by_their_address,
            the_log_forgets_an_address_and_what_is_past_its_retention,
        );
        $crate::contract!(@room $open, reception:
            a_send_sees_the_list_as_it_is_then,
            the_list_is_there_after_a_restart,
            the_list_is_read_page_by_page_newest_first,
            listing_an_address_again_replaces_what_was_said,
            an_entry_that_is_over_lets_mail_through_and_is_swept,
            forgetting_an_address_takes_it_off_the_list,
            a_providers_word_is_noted_once,
            a_delivered_mail_leaves_the_outbox,
            a_word_on_an_unknown_mail_is_told_apart,
        );
        $crate::contract!(@room $open, registry:
            an_amendment_reads_back_with_the_next_revision,
            a_refused_amendment_writes_nothing,
            parallel_amendments_lose_none,
            what_is_dropped_is_gone,
        );
        $crate::contract!(@room $open, tallies:
            minutes_add_up_to_what_happened,
            hours_add_up_as_their_minutes_do,
        );
        $crate::contract!(@room $open, templates:
            a_template_reads_back_as_it_was_written,
            a_large_template_and_an_inactive_one_are_kept,
            a_history_is_read_from_the_newest_and_pruned,
            one_of_many_who_saw_the_same_version_saves,
        );
        $crate::contract!(@room $open, tidying:
            an_expired_request_gets_one_event,
            a_request_that_was_resent_can_expire_again,
            what_is_past_its_retention_goes_and_the_rest_stays,
            spent_quota_rows_go_and_counting_ones_stay,
            a_spent_guess_row_goes_too_after_its_quota_row,
            forgetting_an_address_leaves_nothing_of_it,
            forgetting_an_address_takes_its_name_out_of_the_audit,
            every_kid_in_use_is_named,
        );
    };
    (@room $open:path, $room:ident: $($name:ident,)+) => {
        mod $room {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $name() {
                    $crate::contract::$room::$name($open().await).await;
                }
            )+
        }
    };
}
