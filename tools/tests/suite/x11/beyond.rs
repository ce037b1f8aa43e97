//! Where there is more than what shows, as pages and toolkits tell it.

use std::time::{Duration, Instant};

use freehand_tools::desktop::Desktop;
use freehand_tools::observation::{More, Observation};
use serde_json::json;

use super::support::Bench;

/// Looks until what there is more of is such.
async fn until(bench: &mut Bench, what: &str, such: impl Fn(&[More]) -> bool) -> Observation {
    let end = Instant::now() + Duration::from_secs(10);
    loop {
        let seen = bench.desktop.observe().await.unwrap();
        if such(&seen.more) {
            return seen;
        }
        assert!(Instant::now() < end, "{what}: {:#?}", seen.more);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

const PAGE: &str = "<!doctype html><title>Long</title><body style='font:20px sans-serif'>\
    <h1>Top</h1><ul aria-label='Cities' style='height:120px;width:300px;overflow:auto'>CITIES</ul>LINES<p>The end</p>";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_and_what_scrolls_in_it_say_where_there_is_more() {
    let mut bench = Bench::start().await;
    let many = |tag: &str, word: &str, count: u32| -> String {
        (1..=count).fold(String::new(), |all, n| format!("{all}<{tag}>{word} {n}</{tag}>"))
    };
    let page = PAGE.replace("CITIES", &many("li", "City", 20)).replace("LINES", &many("p", "Line", 60));
    let file = bench.path("long.html");
    std::fs::write(&file, page).unwrap();
    bench.open(&["chromium", &format!("--app=file://{}", file.display())], "Long").await;
    let ways = |more: &More| (more.above, more.below, more.left, more.right);
    let seen = until(&mut bench, "at the top", |more| more.len() == 2).await;
    let (inner, whole) = (&seen.more[0].bounds, &seen.more[1].bounds);
    let (page, list) = if inner.area() > whole.area() { (0, 1) } else { (1, 0) };
    assert_eq!(ways(&seen.more[page]), (false, true, false, false));
    assert_eq!(ways(&seen.more[list]), (false, true, false, false));
    assert_eq!(seen.more[list].name.as_deref(), Some("Cities"));
    let window = seen.focused_window().unwrap().bounds;
    bench.call("scroll", json!({"target": {"x": 900, "y": window.center().y}, "dy": 3})).await;
    until(&mut bench, "in the middle", |more| more.iter().any(|more| more.above && more.below)).await;
    bench.call("scroll", json!({"target": {"x": 900, "y": window.center().y}, "dy": 100})).await;
    let is_end =
        |more: &[More]| more.iter().all(|more| !more.below) && more.iter().any(|more| more.above);
    until(&mut bench, "at the end", is_end).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_that_shows_all_says_nothing() {
    let mut bench = Bench::start().await;
    let file = bench.path("short.html");
    std::fs::write(&file, "<!doctype html><title>Short</title><p>All of it<p hidden>None of it")
        .unwrap();
    bench.open(&["chromium", &format!("--app=file://{}", file.display())], "Short").await;
    let seen = bench.seeing("All of it").await;
    assert_eq!(seen.more, Vec::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_scroll_bars_of_gtk_say_where_there_is_more() {
    let mut bench = Bench::start().await;
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/scrolling.py");
    bench.open(&["/usr/bin/python3", script], "Rows").await;
    let seen = until(&mut bench, "at the top", |more| more.len() == 1).await;
    assert!(seen.more[0].below && !seen.more[0].above, "{:?}", seen.more);
    let middle = seen.more[0].bounds.center();
    bench.call("scroll", json!({"target": {"x": middle.x, "y": middle.y}, "dy": 100})).await;
    until(&mut bench, "at the end", |more| more.iter().any(|more| more.above && !more.below)).await;
}
