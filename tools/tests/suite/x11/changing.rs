//! Programs keep a cache of what they show, which they mend from what they hear of changes. What comes,
//! goes, hides and changes its name must stand in the list as it is, look after look, on one connection.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::time::{Duration, Instant};

use freehand_tools::action::Button;
use freehand_tools::desktop::x11::X11;
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
    bench.seeing("four").await;
    for _ in 0..3 {
        let seen = bench.desktop.observe().await.unwrap();
        let cells = seen.elements.iter().filter(|element| element.role == Role::Cell);
        let names: Vec<&str> = cells.map(|cell| cell.name.as_str()).collect();
        assert_eq!(names, rows, "{:?}", seen.gaps);
    }
}

/// Serves one page, whatever is asked for, as long as the test runs. A browser that left a page of a server
/// keeps it, other than one of a file.
fn serve(page: &'static str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut request = [0; 4096];
            let _ = stream.read(&mut request);
            let head = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close";
            let _ = write!(stream, "{head}\r\nContent-Length: {}\r\n\r\n{page}", page.len());
        }
    });
    address
}

/// A browser keeps the page before in its cache, and says nothing when it goes to the next one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_that_was_left_is_not_read() {
    let mut bench = Bench::start().await;
    let page = format!("--app=http://{}/", serve(include_str!("../../fixtures/pages.html")));
    bench.open(&["chromium", &page], "page 0").await;
    for number in 0..5 {
        // Whoever looks for the first time meets a cache that holds the pages before.
        bench.desktop = X11::on(&bench.display).unwrap();
        let want = [format!("P{number}B0"), format!("P{number}B1")];
        let end = Instant::now() + ARRIVAL;
        let seen = loop {
            let seen = bench.desktop.observe().await.unwrap();
            let buttons = seen.elements.iter().filter(|element| element.role == Role::Button);
            let names = buttons.map(|button| button.name.clone());
            let found: Vec<String> = names.filter(|name| name.starts_with('P')).collect();
            if found == want {
                break seen;
            }
            assert!(Instant::now() < end, "page {number}: {found:?} instead of {want:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        };
        let step = seen.elements.iter().find(|element| element.name == "Step").unwrap();
        bench.pointer(PointerInput::MoveTo(step.bounds.center())).await;
        bench.pointer(PointerInput::Click(Button::Left, 1)).await;
        let title = format!("page {}", number + 1);
        bench.window(&title).await;
    }
}

/// A page may make a switch of a button. Who has known it as a button lists the same as who sees it for the first time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_becomes_something_else_is_listed_as_what_it_is() {
    let mut bench = Bench::start().await;
    let page = format!("--app=http://{}/", serve(include_str!("../../fixtures/roles.html")));
    bench.open(&["chromium", &page], "as they were").await;
    let before = bench.seeing("Wake me").await;
    let step = before.elements.iter().find(|element| element.name == "Step").unwrap();
    bench.pointer(PointerInput::MoveTo(step.bounds.center())).await;
    bench.pointer(PointerInput::Click(Button::Left, 1)).await;
    bench.window("as they are").await;
    bench.quiet().await;
    let roles = |seen: &Observation| -> Vec<(String, Role, Option<bool>)> {
        seen.elements.iter().map(|e| (e.name.clone(), e.role, e.states.checked)).collect()
    };
    let known = roles(&bench.desktop.observe().await.unwrap());
    bench.desktop = X11::on(&bench.display).unwrap();
    assert_eq!(known, roles(&bench.desktop.observe().await.unwrap()));
    assert!(known.contains(&("Bold".to_owned(), Role::Toggle, Some(true))), "{known:?}");
}
