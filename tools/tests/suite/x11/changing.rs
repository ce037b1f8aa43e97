//! Programs keep a cache of what they show, which they mend from what they hear of changes. What comes,
//! goes, hides and changes its name must stand in the list as it is, look after look, on one connection.

use std::time::{Duration, Instant};

use freehand_tools::action::Button;
use freehand_tools::desktop::{Desktop, PointerInput};
use freehand_tools::element::Role;
use freehand_tools::observation::Observation;

use super::support::Bench;

/// As long as a change may take to arrive.
const ARRIVAL: Duration = Duration::from_secs(10);

/// The buttons of each stage, in reading order.
fn stages() -> Vec<Vec<String>> {
    let few = [
        "One Two Three",
        "One Two Three Four Five",
        "One Drei Four Five",
        "Zero One Drei Four Five",
        "Zero One Drei",
        "Zero One Drei Four Five",
        "Zero Uno Drei Four Five",
    ];
    let many = (0..40).map(|n| format!("N{n}")).collect();
    few.iter().map(|names| names.split(' ').map(str::to_owned).collect()).chain([many]).collect()
}

/// The buttons of the list that belong to any stage.
fn buttons(seen: &Observation) -> Vec<String> {
    let known: Vec<String> = stages().concat();
    let buttons = seen.elements.iter().filter(|element| element.role == Role::Button);
    buttons.map(|button| button.name.clone()).filter(|name| known.contains(name)).collect()
}

/// Looks until the window is at this stage with these buttons.
async fn expect(bench: &mut Bench, stage: usize, want: &[String]) -> Observation {
    let end = Instant::now() + ARRIVAL;
    loop {
        let seen = bench.desktop.observe().await.unwrap();
        let title = format!("stage {stage}");
        let is_there = seen.windows.iter().any(|w| w.focused && w.title.starts_with(&title));
        let found = buttons(&seen);
        if is_there && found == want {
            return seen;
        }
        assert!(Instant::now() < end, "stage {stage}: {found:?} instead of {want:?}, {:?}", seen.gaps);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn follow(mut bench: Bench) {
    for (stage, want) in stages().iter().enumerate() {
        let seen = expect(&mut bench, stage, want).await;
        let step = seen.elements.iter().find(|element| element.name == "Step").unwrap();
        bench.pointer(PointerInput::MoveTo(step.bounds.center())).await;
        bench.pointer(PointerInput::Click(Button::Left, 1)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_that_changes_is_read_as_it_is() {
    let mut bench = Bench::start().await;
    let page = concat!("--app=file://", env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/changing.html");
    bench.open(&["chromium", page], "stage 0").await;
    follow(bench).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gtk_window_that_changes_is_read_as_it_is() {
    let mut bench = Bench::start().await;
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/changing.py");
    bench.open(&["/usr/bin/python3", script], "stage 0").await;
    follow(bench).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_that_no_cache_holds_are_read() {
    let mut bench = Bench::start().await;
    let rows = ["one", "two", "three", "four"];
    let list = ["zenity", "--list", "--title", "Rows", "--column", "Number"];
    bench.open(&[&list[..], &rows].concat(), "Rows").await;
    for _ in 0..3 {
        let seen = bench.desktop.observe().await.unwrap();
        let cells = seen.elements.iter().filter(|element| element.role == Role::Cell);
        let names: Vec<&str> = cells.map(|cell| cell.name.as_str()).collect();
        assert_eq!(names, rows, "{:?}", seen.gaps);
    }
}
