//! Whole-system stories over HTTP against the real program, one rule a file.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a story fails by panicking")]

mod a_booking_changes_what_can_be_rented;
mod a_booking_goes_all_the_way;
mod a_car_is_paid_before_it_stands;
mod a_changed_byte_is_found;
mod a_customer_can_cancel;
mod a_customer_looks_a_booking_up_at_any_time;
mod a_declined_payment_frees_the_car;
mod a_drain_finishes_what_was_begun;
mod a_kill_loses_nothing_that_was_answered;
mod a_kiosk_lends_and_takes_back;
mod a_message_tells_every_change;
mod a_paused_dispatch_stops_nobody;
mod a_payment_is_taken_once;
mod a_review_is_written_after_attending;
mod a_shop_registers_cars;
mod an_idempotency_key_has_one_effect;
mod an_overdue_car_blocks_until_it_is_back;
mod dates_decide_what_is_available;
mod every_event_says_why;
mod everybody_sees_only_what_is_theirs;
mod one_screen_shows_every_film;
mod problems_say_what_is_wrong;
mod readers_and_writers_agree;
mod the_command_line_is_clear;
mod the_demo_plays_the_stories;
mod the_last_cars_go_to_exactly_as_many;
mod the_service_describes_itself;
mod venue;
mod views_are_folds_that_can_be_thrown_away;
mod who_waits_in_line_is_served_in_turn;
