//! The console in a real browser, against real runs: each case is a script in `tests/console` that starts
//! the binary, a browser and a model that says what it is told to. `scripts/setup.sh` installs the
//! browser's driver outside of the tree.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::support::Running;

/// Where `scripts/setup.sh` puts the driver.
fn driver() -> PathBuf {
    if let Some(folder) = std::env::var_os("FREEHAND_BROWSER_TESTS") {
        return folder.into();
    }
    let cache = std::env::var_os("XDG_CACHE_HOME")
        .map_or_else(|| PathBuf::from(std::env::var_os("HOME").unwrap()).join(".cache"), PathBuf::from);
    cache.join("freehand/browser-tests")
}

#[track_caller]
fn plays(case: &str) {
    let driver = driver();
    assert!(
        driver.join("node_modules/playwright-core").is_dir(),
        "there is no driver for the browser in `{}`; run scripts/setup.sh",
        driver.display()
    );
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/console/main.mjs");
    let mut command = Command::new("node");
    command.arg(script).arg(case).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.env("FREEHAND_BINARY", env!("CARGO_BIN_EXE_freehand"));
    command.env("FREEHAND_BROWSER_TESTS", driver);
    let said = Running::start(command).end();
    assert_eq!(said.code, Some(0), "{}\n{}", said.out, said.err);
}

macro_rules! cases {
    ($($(#[$doc:meta])* $test:ident = $case:literal;)+) => {
        $($(#[$doc])* #[test] fn $test() { plays($case); })+
    };
}

cases! {
    what_is_asked_is_shown_and_done_after_a_yes = "approve";
    what_is_typed_can_be_changed_before_a_yes = "edit";
    a_no_with_its_reason_is_read_by_the_model = "deny";
    what_heeds_the_reason_of_a_no_is_asked = "instead";
    what_is_thought_is_shown_apart_and_once = "thoughts";
    a_thought_is_broken_off_and_a_sentence_added = "pause";
    who_takes_over_logs_in_and_leaves_no_trace = "takeover";
    a_run_is_stopped = "stop";
    a_page_that_is_loaded_anew_shows_the_same = "reload";
    of_two_tabs_the_first_answer_counts = "tabs";
    a_killed_server_comes_back = "restart";
    everything_goes_by_keyboard = "keyboard";
    a_text_is_changed_by_keyboard = "keyedit";
    a_run_is_held_taken_over_and_stopped_by_keyboard = "keyhold";
    a_phone_can_type = "phone";
    nothing_serious_is_in_the_way_of_a_screen_reader = "accessible";
    markup_on_the_screen_is_text = "hostile";
    strangers_are_kept_out = "strangers";
    at_a_watched_place_somebody_has_to_look = "watch";
    who_leaves_the_page_does_not_look = "watchleave";
    a_watched_site_is_known_by_its_address = "watchsite";
    a_plan_is_shown_where_the_model_noted_one = "plan";
    a_record_that_is_lost_ends_its_task_alone = "unrecorded";
    a_script_is_watched_and_taken_over_like_a_run = "script";
    what_another_program_does_is_watched_and_answered = "lent";
    what_another_program_wants_waits_for_the_person = "lentheld";
    another_program_is_stopped_and_told = "lentstop";
    a_question_at_two_places_is_answered_once = "lentboth";
}
