//! Pages that tell what nobody sees or reaches, and some that hold more than can be asked for.

use std::time::{Duration, Instant};

use freehand_tools::desktop::Desktop;
use freehand_tools::observation::Observation;

use super::support::Bench;

async fn open(bench: &mut Bench, body: &str) {
    let file = bench.path("odd.html");
    std::fs::write(&file, format!("<!doctype html><title>Odd</title>{body}")).unwrap();
    bench.open(&["chromium", &format!("--app=file://{}", file.display())], "Odd").await;
}

/// Looks until it is such; a browser answers exactly only a moment after it was asked.
async fn until(bench: &mut Bench, such: impl Fn(&Observation) -> bool) -> Observation {
    let end = Instant::now() + Duration::from_secs(20);
    loop {
        let seen = bench.desktop.observe().await.unwrap();
        if such(&seen) {
            return seen;
        }
        assert!(Instant::now() < end, "{:#?} {:?} {:?}", seen.elements, seen.more, seen.gaps);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Nothing scrolls to what an author has put away to the left.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_says_that_there_is_more_where_it_scrolls_to() {
    let mut bench = Bench::start().await;
    let body = "<body style='margin:20px'><p>Words</p><button style='position:absolute;left:-5000px'>Away</button>\
        <button>Seen</button> <button style='position:absolute;left:2500px;top:100px'>Far</button>\
        <div style='height:3000px'>Tall</div><button>Down</button>";
    open(&mut bench, body).await;
    let seen = until(&mut bench, |seen| seen.more.iter().any(|more| more.below)).await;
    let more = &seen.more[0];
    assert_eq!((more.above, more.left, more.right), (false, false, true), "{:?}", seen.more);
    // With nothing below, the button stands in a body of its own.
    let body = "<body style='margin:20px'><button>Seen</button>\
        <button style='position:absolute;left:2500px;top:100px'>Far</button>";
    let mut bench = Bench::start().await;
    open(&mut bench, body).await;
    let seen = until(&mut bench, |seen| !seen.more.is_empty()).await;
    assert!(seen.more[0].right && !seen.more[0].below, "{:?}", seen.more);
    // Once it is scrolled there is more to the left.
    let mut bench = Bench::start().await;
    let body = "<body style='margin:20px'><table><tr>CELLS</table><script>scrollTo(1500, 0)</script>";
    let cells: Vec<String> = (0..80).map(|n| format!("<td><button>Cell {n}</button>")).collect();
    open(&mut bench, &body.replace("CELLS", &cells.concat())).await;
    until(&mut bench, |seen| seen.more.iter().any(|more| more.left && more.right)).await;
}
