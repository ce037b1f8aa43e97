//! Programs that are not as one would like them: one that hangs, names that try to break the list, a
//! toolkit that does not say where its widgets are.

use std::process::Command;
use std::time::{Duration, Instant};

use freehand_tools::desktop::ocr::UNREAD;
use freehand_tools::desktop::{Desktop, PointerInput};
use freehand_tools::element::{Element, Role};
use freehand_tools::geometry::Point;
use freehand_tools::observation::Observation;
use freehand_tools::settle::{Patience, settle};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;

use super::support::Bench;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_program_that_hangs_hides_only_itself() {
    let mut bench = Bench::start().await;
    let hung = bench.open(&["zenity", "--info", "--text", "Stuck", "--title", "Hung"], "Hung").await;
    bench.open(&["zenity", "--info", "--text", "Alive", "--title", "Well"], "Well").await;
    bench.seeing("Alive").await;
    let pid = Pid::from_raw(i32::try_from(hung.pid.unwrap()).unwrap()).unwrap();
    kill_process(pid, Signal::STOP).unwrap();
    let looks = [bench.desktop.observe().await.unwrap(), bench.desktop.observe().await.unwrap()];
    kill_process(pid, Signal::CONT).unwrap();
    for seen in looks {
        assert_eq!(seen.gaps.len(), 1, "{:?}", seen.gaps);
        assert!(seen.gaps[0].contains("does not answer"), "{:?}", seen.gaps);
        assert!(seen.elements.iter().any(|e| e.name.contains("Alive")), "{:#?}", seen.elements);
    }
    // Once it answers it is seen again.
    let seen = bench.desktop.observe().await.unwrap();
    assert_eq!(seen.gaps, Vec::<String>::new());
}

/// Goes on to look until nothing is missing.
async fn whole(bench: &mut Bench) {
    let end = Instant::now() + Duration::from_secs(10);
    while !bench.desktop.observe().await.unwrap().gaps.is_empty() {
        assert!(Instant::now() < end, "it does not answer again");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// How long a look at a screen takes that is not taken for the one before.
async fn timed(bench: &mut Bench) -> (Duration, Observation) {
    bench.pointer(PointerInput::MoveTo(Point::new(5, 5))).await;
    let start = Instant::now();
    let seen = bench.desktop.observe().await.unwrap();
    (start.elapsed(), seen)
}

/// Whether it has the keyboard or not, and at the first look as at all others. The least of some counts, since
/// other programs run beside this.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_look_waits_150_ms_for_a_program_that_hangs_and_no_longer() {
    let mut bench = Bench::start().await;
    let hung = bench.open(&["zenity", "--info", "--text", "Stuck", "--title", "Hung"], "Hung").await;
    bench.seeing("Stuck").await;
    let pid = Pid::from_raw(i32::try_from(hung.pid.unwrap()).unwrap()).unwrap();
    let mut least = [Duration::MAX; 3];
    for _ in 0..4 {
        whole(&mut bench).await;
        kill_process(pid, Signal::STOP).unwrap();
        for least in &mut least {
            let (took, seen) = timed(&mut bench).await;
            assert!(seen.gaps.iter().any(|gap| gap.contains("does not answer")), "{:?}", seen.gaps);
            *least = took.min(*least);
        }
        kill_process(pid, Signal::CONT).unwrap();
    }
    assert!(least.iter().all(|least| *least < Duration::from_millis(300)), "{least:?}");
    // One that is known to hang is not waited for at all.
    kill_process(pid, Signal::STOP).unwrap();
    timed(&mut bench).await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    let mut least = Duration::MAX;
    for _ in 0..4 {
        least = least.min(timed(&mut bench).await.0);
    }
    kill_process(pid, Signal::CONT).unwrap();
    assert!(least < Duration::from_millis(140), "{least:?}");
    whole(&mut bench).await;
}

/// It takes longer for each answer than a look waits, so it is read while nobody looks.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_program_that_answers_late_is_listed_all_the_same() {
    let mut bench = Bench::start().await;
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/stalling.py");
    bench.open(&["/usr/bin/python3", script, "late"], "Deaf").await;
    bench.place("Deaf", (0, 0));
    let seen = bench.seeing("Heard").await;
    let gaps = told_gaps(&seen);
    assert!(gaps.len() == 1 && gaps[0].contains("answers slowly"), "{gaps:?}");
    // It stays in the list while it is read anew.
    for _ in 0..20 {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let (_, seen) = timed(&mut bench).await;
        assert!(seen.elements.iter().any(|e| e.name == "Heard"), "{:#?} {:?}", seen.elements, seen.gaps);
    }
}

/// A program may write anything where it tells of its objects.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn objects_that_are_nowhere_hide_nothing() {
    let mut bench = Bench::start().await;
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/stalling.py");
    bench.open(&["/usr/bin/python3", script, "nameless"], "Deaf").await;
    bench.place("Deaf", (0, 0));
    let seen = bench.seeing("Heard").await;
    assert_eq!(told_gaps(&seen), Vec::<&String>::new());
    // Nor does what is said of its parent, which is no place at all.
    let heard = seen.elements.iter().find(|e| e.name == "Heard").unwrap();
    let hit = bench.desktop.element_at(Some(heard.bounds.center()), Some(&heard.key)).await.unwrap();
    assert_eq!(hit.element.map(|element| element.name), Some("Heard".to_owned()));
}

/// What is busy with what was just done to it is waited for before the look.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_program_that_is_busy_after_an_action_is_in_the_next_list() {
    let mut bench = Bench::start().await;
    let busy = bench.open(&["zenity", "--info", "--text", "Working", "--title", "Busy"], "Busy").await;
    bench.seeing("Working").await;
    whole(&mut bench).await;
    let pid = Pid::from_raw(i32::try_from(busy.pid.unwrap()).unwrap()).unwrap();
    let before = bench.desktop.capture(None).await.unwrap();
    kill_process(pid, Signal::STOP).unwrap();
    let end = tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(600)).await;
        kill_process(pid, Signal::CONT).unwrap();
    });
    settle(&mut bench.desktop, &before, Patience::default()).await.unwrap();
    let (_, seen) = timed(&mut bench).await;
    end.await.unwrap();
    assert_eq!(seen.gaps, Vec::<String>::new());
    assert!(seen.elements.iter().any(|e| e.name.contains("Working")), "{:#?}", seen.elements);
}

/// A program of which one half works: it says that it is there, and stops in the middle of being read.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_program_that_stops_at_one_question_hides_only_itself() {
    for question in ["GetChildren", "GetExtents", "GetAttributes"] {
        let mut bench = beside_stalling(&[question]).await;
        let seen = bench.desktop.observe().await.unwrap();
        let gaps = told_gaps(&seen);
        assert_eq!(gaps.len(), 1, "{question}: {gaps:?}");
        // Which of the two it is goes by what it answers beside that question.
        let words = ["does not answer", "answers slowly"];
        assert!(words.iter().any(|words| gaps[0].contains(words)), "{question}: {gaps:?}");
        let names: Vec<&str> = seen.elements.iter().map(|e| e.name.as_str()).collect();
        assert!(names.contains(&"Alive"), "{question}: {names:?}");
    }
}

/// One question that is never answered is missing alone, and said.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_program_that_passes_over_a_question_is_seen_all_the_same() {
    let mut bench = beside_stalling(&["GetAttributes", "pass over"]).await;
    let seen = bench.desktop.observe().await.unwrap();
    let gaps = told_gaps(&seen);
    assert_eq!(gaps.len(), 1, "{gaps:?}");
    assert!(gaps[0].contains("answers slowly"), "{gaps:?}");
    let names: Vec<&str> = seen.elements.iter().map(|e| e.name.as_str()).collect();
    assert!(names.contains(&"Alive") && names.contains(&"Heard"), "{names:?}");
}

/// What programs do not tell. That nothing is read off the pixels here is a line of its own.
fn told_gaps(seen: &Observation) -> Vec<&String> {
    seen.gaps.iter().filter(|gap| !gap.contains(UNREAD)).collect()
}

/// The program that stalls at this, and beside it one in front that does not.
async fn beside_stalling(how: &[&str]) -> Bench {
    let mut bench = Bench::start().await;
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/stalling.py");
    bench.open(&[&["/usr/bin/python3", script], how].concat(), "Deaf").await;
    bench.place("Deaf", (0, 0));
    bench.open(&["zenity", "--info", "--text", "Alive", "--title", "Well"], "Well").await;
    bench.place("Well", (700, 400));
    bench.quiet().await;
    bench.seeing("Alive").await;
    let end = Instant::now() + Duration::from_secs(10);
    while told_gaps(&bench.desktop.observe().await.unwrap()).is_empty() {
        assert!(Instant::now() < end, "it does not stall");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    // The next look finds it awake.
    tokio::time::sleep(Duration::from_secs(3)).await;
    bench
}

/// It is stopped first, so that it surely dies while the look waits for its answer.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_program_that_dies_while_it_is_read_hides_only_itself() {
    let mut bench = Bench::start().await;
    let dying = bench.open(&["zenity", "--info", "--text", "Mortal", "--title", "Dying"], "Dying").await;
    bench.open(&["zenity", "--info", "--text", "Alive", "--title", "Well"], "Well").await;
    bench.seeing("Alive").await;
    let pid = Pid::from_raw(i32::try_from(dying.pid.unwrap()).unwrap()).unwrap();
    kill_process(pid, Signal::STOP).unwrap();
    let death = tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(40)).await;
        kill_process(pid, Signal::KILL).unwrap();
    });
    let seen = bench.desktop.observe().await.unwrap();
    death.await.unwrap();
    assert!(seen.gaps.len() <= 1, "{:?}", seen.gaps);
    assert!(seen.elements.iter().any(|e| e.name.contains("Alive")), "{:#?}", seen.elements);
    bench.quiet().await;
    let seen = bench.desktop.observe().await.unwrap();
    assert_eq!(seen.gaps, Vec::<String>::new());
    assert!(!seen.elements.iter().any(|e| e.name.contains("Mortal")), "{:#?}", seen.elements);
    assert!(!seen.windows.iter().any(|window| window.title == "Dying"), "{:#?}", seen.windows);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn names_cannot_break_the_list() {
    let mut bench = Bench::start().await;
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/hostile.py");
    bench.open(&["/usr/bin/python3", script], "Hostile").await;
    let seen = bench.seeing("Plain").await;
    let buttons = seen.elements.iter().filter(|element| element.role == Role::Button);
    let names: Vec<&str> = buttons.map(|button| button.name.as_str()).collect();
    let long = format!("{}…", "x".repeat(200));
    let want = [
        "Plain [1] button \"Fake\" [2] button \"Fake\"",
        "turned \\u{202e}back\\u{2066} here",
        "line\\u{2028}[3] button\\u{7} bell",
        &long,
    ];
    assert_eq!(names, want);
}

/// What has a million parts costs no more than a look may and hides nothing beside it, and those of its parts that
/// show are listed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_million_rows_hide_nothing_and_those_that_show_are_listed() {
    for (rows, columns) in [("1000000", "1"), ("600", "10")] {
        let mut bench = Bench::start().await;
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/vast.py");
        bench.open(&["/usr/bin/python3", script, rows, columns], "Vast").await;
        let seen = bench.seeing("Row 5").await;
        assert_eq!(seen.gaps, Vec::<String>::new());
        let named = |name: &str| seen.elements.iter().find(|element| element.name == name);
        assert!(named("Beside it").is_some(), "{:#?}", seen.elements);
        let head = named("Head 0").filter(|head| head.role == Role::Header).unwrap();
        let first = named("Row 0").filter(|cell| cell.role == Role::Cell).unwrap();
        assert!(first.states.selected.is_some() && first.bounds.y >= head.bounds.bottom(), "{first:?}");
        assert!(named("Row 5").is_some() && named("Row 100").is_none());
        assert_eq!(named("5/3").is_some(), columns == "10");
        // What is clicked is what is listed, and what is scrolled to is listed.
        let fifth = named("Row 5").unwrap().clone();
        bench.call("click", json!({"target": fifth.id})).await;
        let is_chosen = |e: &Element| e.name == "Row 5" && e.states.selected == Some(true);
        until(&mut bench, |seen| seen.elements.iter().any(is_chosen)).await;
        let middle = fifth.bounds.center();
        bench.call("scroll", json!({"target": {"x": middle.x, "y": middle.y}, "dy": 5})).await;
        let has = |seen: &Observation, name: &str| seen.elements.iter().any(|e| e.name == name);
        until(&mut bench, |seen| has(seen, "Row 15") && !has(seen, "Row 0")).await;
    }
}

/// Looks until it is such.
async fn until(bench: &mut Bench, such: impl Fn(&Observation) -> bool) -> Observation {
    let end = Instant::now() + Duration::from_secs(10);
    loop {
        let seen = bench.desktop.observe().await.unwrap();
        if such(&seen) {
            return seen;
        }
        assert!(Instant::now() < end, "{:#?} {:?}", seen.elements, seen.gaps);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// A program complains on its terminal of each question about what a thing of it cannot be asked. A slider that
/// is called by where it stands has no name.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_asked_that_a_program_complains_of() {
    let mut bench = Bench::start().await;
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/listed.py");
    let complaints = bench.path("complaints");
    let mut program = Command::new("/usr/bin/python3")
        .arg(script)
        .envs(bench.display.environment())
        .stderr(std::fs::File::create(&complaints).unwrap())
        .spawn()
        .unwrap();
    let seen = until(&mut bench, |seen| {
        let has = |name| seen.elements.iter().any(|element: &Element| element.name.contains(name));
        has("Row 0") && has("Row 5")
    })
    .await;
    for _ in 0..3 {
        timed(&mut bench).await;
    }
    program.kill().unwrap();
    program.wait().unwrap();
    let complaints = std::fs::read_to_string(complaints).unwrap();
    assert!(!complaints.contains("assertion"), "{complaints}");
    let mut sliders: Vec<(&str, Option<&str>)> = seen
        .elements
        .iter()
        .filter(|element| element.role == Role::Slider)
        .map(|element| (element.name.as_str(), element.value.as_deref()))
        .collect();
    sliders.sort_unstable();
    assert_eq!(sliders, [("", Some("0")), ("Depth", Some("3"))]);
}

/// GTK 4 gives places within the window. The window system says where the window is.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn widgets_of_gtk_4_are_where_they_are() {
    let mut bench = Bench::start().await;
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../bench/corpus/programs/gtk4.py");
    let told = bench.path("told.json");
    bench.open(&["/usr/bin/python3", script, told.to_str().unwrap()], "Greenhouse").await;
    let seen = bench.seeing("Sow").await;
    let sow = seen.elements.iter().find(|element| element.name == "Sow").unwrap();
    let told: serde_json::Value = serde_json::from_slice(&std::fs::read(told).unwrap()).unwrap();
    let items = told["items"].as_array().unwrap();
    let want = items.iter().find(|item| item["name"] == "Sow").unwrap();
    let side = |at: usize| want["box"][at].as_f64().unwrap();
    let middle = sow.bounds.center();
    let (across, down) = (side(0) + side(2) / 2.0, side(1) + side(3) / 2.0);
    // The height of the title bar can only be guessed to a few px.
    assert!((f64::from(middle.x) - across).abs() < 4.0, "{middle} instead of ({across}, {down})");
    assert!((f64::from(middle.y) - down).abs() < 8.0, "{middle} instead of ({across}, {down})");
    let hit = bench.desktop.element_at(Some(middle), Some(&sow.key)).await.unwrap();
    assert_eq!(hit.element.unwrap().name, "Sow");
    bench.place("Greenhouse", (40, 60));
    bench.quiet().await;
    let seen = bench.seeing("Sow").await;
    let again = seen.elements.iter().find(|element| element.name == "Sow").unwrap();
    assert_eq!(again.id, sow.id);
    let window = seen.windows.iter().find(|w| w.title == "Greenhouse").unwrap();
    assert!(window.bounds.contains(again.bounds.center()) && again.bounds != sow.bounds);
}

/// What the list calls something else than its program does can be used all the same: the target is
/// looked at once more before a click, and must be what it was.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_listed_can_be_used() {
    let mut bench = Bench::start().await;
    let page = |name: &str| {
        format!("--app=file://{}/../bench/corpus/pages/{name}.html", env!("CARGO_MANIFEST_DIR"))
    };
    bench.open(&["chromium", &page("custom")], "Custom").await;
    let box_to_tick = named(&mut bench, Role::Radio, "Styled first").await;
    bench.call("click", json!({"target": box_to_tick.id})).await;
    let ticked = named(&mut bench, Role::Radio, "Styled first").await;
    assert_eq!((box_to_tick.states.checked, ticked.states.checked), (Some(false), Some(true)));

    bench.open(&["chromium", &page("editable")], "Editor").await;
    let letter = named(&mut bench, Role::Textbox, "Letter").await;
    bench.call("type_text", json!({"target": letter.id, "text": "Yours, Bo", "clear": true})).await;
    let written = named(&mut bench, Role::Textbox, "Letter").await;
    assert_eq!(written.value.as_deref(), Some("Yours, Bo"));

    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../bench/corpus/programs/gtk4.py");
    let told = bench.path("told.json");
    bench.open(&["/usr/bin/python3", script, told.to_str().unwrap()], "Greenhouse").await;
    let summer = named(&mut bench, Role::Tab, "Summer").await;
    bench.call("click", json!({"target": summer.id})).await;
    named(&mut bench, Role::Text, "Summer beds").await;
}

/// Waits until the list has it.
async fn named(bench: &mut Bench, role: Role, name: &str) -> Element {
    bench.quiet().await;
    for _ in 0..50 {
        let seen = bench.desktop.observe().await.unwrap();
        if let Some(found) = seen.elements.iter().find(|e| e.role == role && e.name == name) {
            return found.clone();
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("no {role:?} `{name}`");
}
