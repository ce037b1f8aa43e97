//! Text that no program tells of, read off a real screen. What is right is known from outside: each text
//! has a colour of its own, and its pixels say where it stands. `FREEHAND_TEST_OCR` names the folder with
//! the networks.

use std::path::PathBuf;
use std::time::Duration;

use freehand_tools::desktop::ocr::{Networks, Ocr, Reader, UNREAD};
use freehand_tools::desktop::{Desktop, PointerInput};
use freehand_tools::element::{Element, Role, Source};
use freehand_tools::geometry::{Rect, ScreenRect};
use freehand_tools::observation::Observation;
use freehand_tools::outcome::Outcome;
use image::RgbImage;
use serde_json::json;

use super::support::Bench;

/// As long as a look may wait for the text.
const PATIENCE: Duration = Duration::from_secs(60);

fn networks() -> Networks {
    let folder = std::env::var_os("FREEHAND_TEST_OCR").map(PathBuf::from);
    let folder = folder.expect("`FREEHAND_TEST_OCR` names the folder with the networks");
    Networks {
        detection: folder.join("PP-OCRv6_det_small.onnx"),
        recognition: folder.join("PP-OCRv6_rec_small.onnx"),
    }
}

async fn bench() -> Bench {
    let mut bench = Bench::start().await;
    bench.desktop.read_text(Ocr::new(networks(), PATIENCE));
    bench
}

/// A terminal that shows each line in the colour with this number, and then what is typed.
async fn terminal(bench: &mut Bench, lines: &[(u8, &str)]) {
    let script = lines.iter().map(|(colour, text)| format!("\\033[1;3{colour}m{text}\\033[0m\\n"));
    let script = format!("stty -echo; printf '{}'; cat", script.collect::<String>());
    let mut argv = vec!["xterm", "-fa", "DejaVu Sans Mono", "-fs", "11", "-bg", "white", "-fg", "black"];
    argv.extend(["-xrm", "*cursorColor: white", "-e", "sh", "-c", &script]);
    bench.open(&argv, "XTerm").await;
}

/// Where pixels of a strong colour are below the title bar: of red, of green or of blue.
fn coloured(seen: &Observation, channel: usize) -> ScreenRect {
    let strong = |pixel: &image::Rgb<u8>| {
        let rest = pixel.0.iter().enumerate().filter(|(at, _)| *at != channel).map(|(_, v)| *v).max();
        pixel.0[channel] > 150 && rest.unwrap() < 110
    };
    let top = u32::try_from(seen.windows[0].bounds.y).unwrap() + 20;
    let pixels = seen.frame.pixels().enumerate_pixels();
    let pixels = pixels.filter(|(_, y, pixel)| *y >= top && strong(pixel));
    let spots =
        pixels.map(|(x, y, _)| Rect::new(i32::try_from(x).unwrap(), i32::try_from(y).unwrap(), 1, 1));
    spots.reduce(|all, spot| all.union(&spot)).unwrap()
}

fn read<'a>(seen: &'a Observation, text: &str) -> &'a Element {
    let letters = |text: &str| text.split_whitespace().collect::<String>();
    let found = seen.elements.iter().find(|element| letters(&element.name) == letters(text));
    found.unwrap_or_else(|| panic!("`{text}` is not in {:#?}, {:?}", names(seen), seen.gaps))
}

fn names(seen: &Observation) -> Vec<(u32, &str, ScreenRect)> {
    seen.elements.iter().map(|e| (e.id.0, e.name.as_str(), e.bounds)).collect()
}

fn is_near(a: &ScreenRect, b: &ScreenRect) -> bool {
    let near = |a: i32, b: i32| (a - b).abs() <= 4;
    near(a.x, b.x) && near(a.y, b.y) && near(a.right(), b.right()) && near(a.bottom(), b.bottom())
}

#[tokio::test]
async fn a_terminal_is_read_where_its_text_stands() {
    let mut bench = bench().await;
    terminal(&mut bench, &[(1, "Delete 42 old files?"), (2, "All is well")]).await;
    let seen = bench.desktop.observe().await.unwrap();
    assert!(seen.gaps.is_empty(), "{:?}", seen.gaps);
    let (first, second) = (read(&seen, "Delete 42 old files?"), read(&seen, "All is well"));
    for (element, channel) in [(first, 0), (second, 1)] {
        assert_eq!((element.source, element.role), (Source::Ocr, Role::Text));
        let pixels = coloured(&seen, channel);
        assert!(is_near(&element.bounds, &pixels), "{} is at {pixels}", element.bounds);
        assert_eq!(element.window, Some(seen.windows[0].id));
    }
    let place = |id| seen.elements.iter().position(|element| element.id == id);
    assert!(place(first.id) < place(second.id), "{:?}", names(&seen));
    // What stays keeps its number, and what is new is read.
    let before = [first.id, second.id];
    bench.type_text("A third line\n").await;
    bench.quiet().await;
    let seen = bench.desktop.observe().await.unwrap();
    let after = ["Delete 42 old files?", "All is well"].map(|text| read(&seen, text).id);
    assert_eq!(after, before);
    assert!(!before.contains(&read(&seen, "A third line").id));
}

#[tokio::test]
async fn a_text_can_be_clicked_while_it_is_what_was_read() {
    let mut bench = bench().await;
    terminal(&mut bench, &[(1, "Press here to go on")]).await;
    let label = json!({"target": {"label": "Press here to go on"}});
    let outcome = bench.call("click", label).await;
    assert!(matches!(outcome, Outcome::Done { .. }), "{outcome:?}");
    let seen = bench.desktop.observe().await.unwrap();
    let key = read(&seen, "Press here to go on").key.clone();
    assert!(bench.desktop.element_at(None, Some(&key)).await.unwrap().element.is_some());
    bench.type_text(&"\n".repeat(60)).await;
    bench.quiet().await;
    assert!(bench.desktop.element_at(None, Some(&key)).await.unwrap().element.is_none());
}

#[tokio::test]
async fn a_page_is_read_only_where_its_tree_says_nothing() {
    let mut bench = bench().await;
    let page = bench.path("page.html");
    let html = "<!doctype html><title>drawn</title><body style='font:20px sans-serif'>\
        <p>Plain words of the page</p>\
        <p><button><canvas id=b width=160 height=30></canvas></button></p>\
        <canvas id=c width=500 height=120></canvas><script>\
        for (const [id, text] of [['b', 'Send order'], ['c', 'Only pixels say this']]) {\
        const pen = document.getElementById(id).getContext('2d');\
        pen.font = '20px sans-serif'; pen.fillText(text, 10, 22) }</script>";
    std::fs::write(&page, html).unwrap();
    bench.open(&["chromium", &format!("file://{}", page.display())], "drawn").await;
    let mut seen = bench.desktop.observe().await.unwrap();
    for _ in 0..50 {
        if seen.elements.iter().any(|element| element.name.contains("Plain words")) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
        seen = bench.desktop.observe().await.unwrap();
    }
    let plain: Vec<_> = seen.elements.iter().filter(|e| e.name.contains("Plain words")).collect();
    assert!(
        matches!(plain.as_slice(), [one] if one.source == Source::Accessibility),
        "{:?}",
        names(&seen)
    );
    let button = read(&seen, "Send order");
    assert_eq!((button.role, button.source), (Role::Button, Source::Accessibility));
    assert_eq!(read(&seen, "Only pixels say this").source, Source::Ocr);
    // The name from the pixels holds where the button is looked at again.
    let key = button.key.clone();
    let again = bench.desktop.element_at(None, Some(&key)).await.unwrap().element.unwrap();
    assert_eq!(again.name.split_whitespace().collect::<String>(), "Sendorder");
}

#[tokio::test]
async fn what_is_drawn_otherwise_beside_a_text_leaves_it_what_it_is() {
    let mut bench = bench().await;
    bench.desktop.ask_nobody();
    let page =
        concat!("--app=file://", env!("CARGO_MANIFEST_DIR"), "/../bench/corpus/pages/frames.html");
    let size = [
        "--test-type",
        "--window-position=0,0",
        "--window-size=1280,800",
        "--force-device-scale-factor=1",
    ];
    bench.open(&[&["chromium", page], &size[..]].concat(), "Frames").await;
    let before = bench.seeing("Inner").await;
    let field = before.elements.iter().find(|e| e.source == Source::Vision && e.bounds.width > 120);
    let field = field.unwrap_or_else(|| panic!("{:?}", names(&before))).bounds;
    // Its edge becomes darker, and nothing else is read anew than its corners.
    bench.pointer(PointerInput::MoveTo(field.center())).await;
    bench.quiet().await;
    let after = bench.desktop.observe().await.unwrap();
    assert_ne!(before.frame.digest(), after.frame.digest());
    let texts = |seen: &Observation| -> Vec<(u32, String)> {
        let texts = seen.elements.iter().filter(|e| e.source == Source::Ocr);
        texts.map(|e| (e.id.0, e.name.clone())).collect()
    };
    assert_eq!(texts(&after), texts(&before));
}

#[tokio::test]
async fn without_the_networks_one_line_says_what_is_missing() {
    let mut bench = Bench::start().await;
    terminal(&mut bench, &[(1, "Not to be read")]).await;
    let seen = bench.desktop.observe().await.unwrap();
    assert!(seen.elements.is_empty(), "{:?}", names(&seen));
    let gaps: Vec<_> = seen.gaps.iter().filter(|gap| gap.contains(UNREAD)).collect();
    assert!(matches!(gaps.as_slice(), [gap] if gap.contains("XTerm")), "{:?}", seen.gaps);
}

#[tokio::test]
async fn damaged_networks_are_said_and_the_rest_goes_on() {
    let mut bench = Bench::start().await;
    let broken = bench.path("broken.onnx");
    std::fs::write(&broken, b"\x08\x07\x12\xff\xff\xff\xff\x0fno network").unwrap();
    let networks = Networks { detection: broken.clone(), recognition: broken };
    bench.desktop.read_text(Ocr::new(networks, PATIENCE));
    terminal(&mut bench, &[(1, "Not to be read")]).await;
    for _ in 0..2 {
        let seen = bench.desktop.observe().await.unwrap();
        assert!(!seen.windows.is_empty());
        let said = seen.gaps.iter().any(|gap| gap.contains("broken.onnx") && gap.contains("pull ocr"));
        assert!(said, "{:?}", seen.gaps);
    }
}

#[test]
fn no_file_breaks_the_program() {
    let folder = tempfile::tempdir().unwrap();
    let right = networks();
    let whole = std::fs::read(&right.detection).unwrap();
    let mut bent = whole.clone();
    bent.iter_mut().skip(200).step_by(1009).for_each(|byte| *byte ^= 0xff);
    for (name, bytes) in [
        ("empty", Vec::new()),
        ("a page", b"<!doctype html>".to_vec()),
        ("cut", whole[..whole.len() / 2].to_vec()),
        ("bent", bent),
    ] {
        let detection = folder.path().join(name);
        std::fs::write(&detection, bytes).unwrap();
        let opened = Reader::open(&Networks { detection, recognition: right.recognition.clone() });
        // A file that is bent and still a network may be run; what it says is then wrong, and no more.
        let read = opened.and_then(|reader| reader.read(&RgbImage::new(64, 64)));
        if name != "bent" {
            let error = read.unwrap_err().to_string();
            assert!(error.contains(name) && error.contains("freehand model pull ocr"), "{error}");
        }
    }
    let missing = Networks { detection: folder.path().join("none"), ..right.clone() };
    assert!(Reader::open(&missing).is_err() && Reader::open(&folder_as_file(&right, &folder)).is_err());
    // Each in the place of the other.
    let turned = Networks { detection: right.recognition.clone(), recognition: right.detection };
    let read = Reader::open(&turned).and_then(|reader| reader.read(&RgbImage::new(64, 64)));
    assert!(read.unwrap_err().to_string().contains("onnx"));
}

fn folder_as_file(right: &Networks, folder: &tempfile::TempDir) -> Networks {
    Networks { detection: folder.path().into(), ..right.clone() }
}

#[test]
fn pictures_of_any_size_are_read() {
    let reader = Reader::open(&networks()).unwrap();
    for (width, height) in [(0, 0), (1, 1), (1, 900), (900, 1), (3, 3), (20_000, 16), (16, 20_000)] {
        assert_eq!(reader.read(&RgbImage::new(width, height)).unwrap(), [], "{width}x{height}");
    }
}
