//! Mouse, chords, clipboard and windows, judged by a program that receives them.

use freehand_tools::action::Button;
use freehand_tools::desktop::x11::{X11, release_everything};
use freehand_tools::desktop::{
    ClipboardUse, Desktop, DesktopError, KeyboardInput, Launch, PointerInput,
};
use freehand_tools::element::WindowId;
use freehand_tools::geometry::{Point, Rect};
use freehand_tools::key::{Key, Modifier};
use x11rb::protocol::Event;

use super::probe::{Kind, Probe};
use super::support::{Bench, permit};

const SHIFT: u16 = 1;
const CTRL: u16 = 4;

async fn bench_with_probe() -> (Bench, Probe, u32) {
    let mut bench = Bench::start().await;
    let probe = Probe::on(bench.display.name());
    let window = probe.window(Rect::new(100, 100, 400, 300), Kind::Managed, "Target");
    bench.window("Target").await;
    (bench, probe, window)
}

#[tokio::test]
async fn clicks_and_wheel_arrive_where_they_should() {
    let (mut bench, probe, _) = bench_with_probe().await;
    let at = Point::new(301, 262);
    bench.pointer(PointerInput::MoveTo(at)).await;
    for input in [
        PointerInput::Click(Button::Left, 2),
        PointerInput::Click(Button::Right, 1),
        PointerInput::Scroll(1, -2),
        PointerInput::Click(Button::Back, 1),
    ] {
        bench.pointer(input).await;
    }
    let presses = |events: &[Event]| -> Vec<_> {
        let press = |event: &Event| match event {
            Event::ButtonPress(press) => Some((press.detail, press.root_x, press.root_y, press.time)),
            _ => None,
        };
        events.iter().filter_map(press).collect()
    };
    let seen = presses(&probe.events(|events| presses(events).len() >= 7));
    assert_eq!(seen.iter().map(|press| press.0).collect::<Vec<_>>(), [1, 1, 3, 7, 4, 4, 8]);
    assert!(seen.iter().all(|press| (press.1, press.2) == (301, 262)), "{seen:?}");
    assert!(seen[1].3 - seen[0].3 < 250, "no double click: {seen:?}");
    assert_eq!(bench.desktop.observe().await.unwrap().cursor, at);
}

#[tokio::test]
async fn a_drag_keeps_the_button_down() {
    let (mut bench, probe, _) = bench_with_probe().await;
    bench.pointer(PointerInput::MoveTo(Point::new(200, 200))).await;
    bench.pointer(PointerInput::Down(Button::Left)).await;
    assert_eq!(probe.held(), (0, 0x100));
    bench.pointer(PointerInput::MoveTo(Point::new(260, 210))).await;
    bench.pointer(PointerInput::Up(Button::Left)).await;
    assert_eq!(probe.held(), (0, 0));
    let released =
        |e: &Event| matches!(e, Event::ButtonRelease(up) if (up.root_x, up.root_y) == (260, 210));
    probe.events(|events| events.iter().any(released));
}

#[tokio::test]
async fn a_point_off_the_screen_is_not_clicked() {
    let (mut bench, _, _) = bench_with_probe().await;
    let before = bench.desktop.observe().await.unwrap().cursor;
    for point in [Point::new(5000, 10), Point::new(-1, 10), Point::new(1280, 0), Point::new(i32::MAX, 0)]
    {
        let moved = bench.desktop.pointer(&bench.permit, PointerInput::MoveTo(point)).await;
        assert!(matches!(moved, Err(DesktopError::Failed { .. })), "{point}: {moved:?}");
        assert_eq!(bench.desktop.observe().await.unwrap().cursor, before);
    }
    bench.pointer(PointerInput::MoveTo(Point::new(0, 0))).await;
}

#[tokio::test]
async fn chords_press_what_they_name() {
    let (mut bench, probe, _) = bench_with_probe().await;
    let (ctrl, shift, alt) = (0xffe3, 0xffe1, 0xffe9);
    for (chord, want) in [
        ("ctrl+L", vec![(ctrl, 0), (u32::from(b'l'), CTRL)]),
        ("ctrl+shift+t", vec![(ctrl, 0), (shift, CTRL), (u32::from(b't'), CTRL | SHIFT)]),
        ("ctrl++", vec![(ctrl, 0), (shift, CTRL), (u32::from(b'='), CTRL | SHIFT)]),
        ("alt+F9", vec![(alt, 0), (0xffc6, 8)]),
        ("A", vec![(shift, 0), (u32::from(b'a'), SHIFT)]),
        ("shift+1", vec![(shift, 0), (u32::from(b'1'), SHIFT)]),
        ("kpenter", vec![(0xff8d, 0)]),
        ("menu", vec![(0xff67, 0)]),
        ("pagedown", vec![(0xff56, 0)]),
        ("F13", vec![(0xffca, 0)]),
        ("é", vec![(0xe9, 0)]),
    ] {
        bench.tap(chord).await;
        let mut keys = probe.keys(want.len() * 2);
        keys.truncate(want.len());
        let want: Vec<_> = want.into_iter().map(|(key, state)| (key, true, state)).collect();
        assert_eq!(keys, want, "{chord}");
        probe.expect_nothing_held(chord);
    }
}

#[tokio::test]
async fn everything_held_is_let_go() {
    let (mut bench, probe, _) = bench_with_probe().await;
    bench.pointer(PointerInput::MoveTo(Point::new(200, 200))).await;
    for turn in 0..3 {
        // What was let go before a look is over.
        bench.desktop.observe().await.unwrap();
        bench.pointer(PointerInput::Down(Button::Left)).await;
        for key in [Key::Modifier(Modifier::Shift), Key::Char('x')] {
            bench.desktop.keyboard(&bench.permit, KeyboardInput::Down(key)).await.unwrap();
        }
        assert_eq!(probe.held(), (2, 0x100));
        match turn {
            0 => bench.desktop.release(),
            1 => std::thread::spawn(release_everything).join().unwrap(),
            _ => {
                let another = X11::on(&bench.display).unwrap();
                drop(std::mem::replace(&mut bench.desktop, another));
            }
        }
        probe.expect_nothing_held(&format!("turn {turn}"));
        bench.desktop.release();
        probe.expect_nothing_held(&format!("turn {turn}, twice"));
    }
}

#[tokio::test]
async fn spare_keys_are_empty_again_afterwards() {
    let (bench, probe, _) = bench_with_probe().await;
    let mapping = || {
        use x11rb::connection::Connection as _;
        use x11rb::protocol::xproto::ConnectionExt as _;
        let (first, last) = (probe.wire.setup().min_keycode, probe.wire.setup().max_keycode);
        let map = probe.wire.get_keyboard_mapping(first, last - first + 1).unwrap().reply().unwrap();
        let per = usize::from(map.keysyms_per_keycode);
        map.keysyms.chunks(per).map(|row| row[..2].to_vec()).collect::<Vec<_>>()
    };
    let before = mapping();
    let mut desktop = X11::on(&bench.display).unwrap();
    let permit = permit(&mut desktop).await;
    desktop.keyboard(&permit, KeyboardInput::Text("中文".into())).await.unwrap();
    assert_ne!(mapping(), before);
    drop(desktop);
    assert_eq!(mapping(), before);
}

#[tokio::test]
async fn the_clipboard_goes_both_ways() {
    let mut bench = Bench::start().await;
    let mut other = X11::on(&bench.display).unwrap();
    assert_eq!(
        bench.desktop.clipboard(&bench.permit, ClipboardUse::Read).await,
        Ok(Some(String::new()))
    );
    for text in ["Grüße 🎉\n中文".to_owned(), "long ".repeat(200_000)] {
        let write = ClipboardUse::Write(text.clone());
        assert_eq!(bench.desktop.clipboard(&bench.permit, write).await, Ok(None));
        for desktop in [&mut other, &mut bench.desktop] {
            let read = desktop.clipboard(&bench.permit, ClipboardUse::Read).await.unwrap();
            assert!(read.as_ref() == Some(&text), "{:?}", read.map(|r| r.len()));
        }
    }
    let theirs = ClipboardUse::Write("theirs".into());
    other.clipboard(&bench.permit, theirs).await.unwrap();
    let read = bench.desktop.clipboard(&bench.permit, ClipboardUse::Read).await;
    assert_eq!(read, Ok(Some("theirs".into())));
}

#[tokio::test]
async fn a_long_text_is_read_from_an_editor_and_pasted_back() {
    let mut bench = Bench::start().await;
    let long: String = "line of a long text\n".repeat(30_000);
    std::fs::write(bench.path("long.txt"), &long).unwrap();
    std::fs::write(bench.path("empty.txt"), "").unwrap();
    let file = bench.path("long.txt").display().to_string();
    bench.open(&["mousepad", &file], "Mousepad").await;
    bench.tap("ctrl+a").await;
    bench.tap("ctrl+c").await;
    let end = std::time::Instant::now() + std::time::Duration::from_secs(5);
    let read = loop {
        let read = bench.desktop.clipboard(&bench.permit, ClipboardUse::Read).await.unwrap().unwrap();
        if !read.is_empty() || std::time::Instant::now() > end {
            break read;
        }
    };
    assert!(read == long, "{} bytes instead of {}", read.len(), long.len());
    bench.desktop.clipboard(&bench.permit, ClipboardUse::Write("pasted é 🎉".into())).await.unwrap();
    bench.tap("ctrl+v").await;
    // The editor asks for the text and goes on; only later does it paste.
    bench.quiet().await;
    bench.tap("ctrl+s").await;
    bench.expect_file("long.txt", "pasted é 🎉").await;
}

#[tokio::test]
async fn a_window_is_brought_forward() {
    let (mut bench, probe, first) = bench_with_probe().await;
    probe.window(Rect::new(150, 150, 400, 300), Kind::Managed, "Second");
    bench.window("Second").await;
    let id = WindowId(first.into());
    bench.desktop.launch(&bench.permit, Launch::Window(id)).await.unwrap();
    let windows = bench.desktop.observe().await.unwrap().windows;
    assert_eq!((windows[0].id, windows[0].focused), (id, true), "{windows:#?}");
    let gone = bench.desktop.launch(&bench.permit, Launch::Window(WindowId(12345))).await;
    assert!(matches!(gone, Err(DesktopError::Failed { .. })), "{gone:?}");
}

#[tokio::test]
async fn what_cannot_be_opened_says_so() {
    let mut bench = Bench::start().await;
    for (what, words) in [
        (Launch::App(vec!["no-such-program-here".into()]), "no program of that name"),
        (Launch::App(vec![]), "none is named"),
        (Launch::App(vec!["false".into()]), "it ended at once"),
        (Launch::Url("javascript:alert(1)".into()), "only http"),
    ] {
        let fault = bench.desktop.launch(&bench.permit, what).await.unwrap_err();
        assert!(fault.to_string().contains(words), "{fault}");
        assert!(!fault.is_fatal());
    }
}
