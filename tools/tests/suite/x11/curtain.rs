//! What the rules hide is black in every picture and absent from every list.

use freehand_tools::call::ToolCall;
use freehand_tools::desktop::Desktop;
use freehand_tools::desktop::curtain::{Curtain, Pattern};
use freehand_tools::element::WindowId;
use freehand_tools::geometry::{Point, Rect, ScreenPoint};
use freehand_tools::toolbox::Toolbox;
use serde_json::json;

use super::support::Bench;

fn program(name: &str) -> Curtain {
    Curtain { windows: vec![Pattern { program: Some(name.into()), title: None }], places: Vec::new() }
}

/// A page behind a dialog of a program that is hidden.
async fn stage() -> Bench {
    let mut bench = Bench::start().await;
    let file = bench.path("page.html");
    std::fs::write(&file, "<!doctype html><title>Page</title><h1>Plain words</h1>").unwrap();
    bench.open(&["chromium", &format!("--app=file://{}", file.display())], "Page").await;
    bench.open(&["zenity", "--info", "--title", "Vault", "--text", "The number is 4711"], "Vault").await;
    bench
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hidden_program_is_neither_seen_nor_used() {
    let mut bench = stage().await;
    let open = bench.desktop.observe().await.unwrap();
    let vault = open.windows.iter().find(|window| window.title == "Vault").unwrap().clone();
    assert!(open.elements.iter().any(|element| element.name.contains("4711")));
    bench.desktop.hide(program("zenity"));
    let seen = bench.desktop.observe().await.unwrap();
    assert_eq!(seen.hidden.windows, [vault.id]);
    let said = format!("{:?} {:?} {:?}", seen.elements, seen.windows, seen.gaps);
    assert!(!said.contains("4711") && !said.contains("Vault"), "{said}");
    assert!(seen.elements.iter().any(|element| element.name == "Plain words"));
    for (x, y, pixel) in seen.frame.pixels().enumerate_pixels() {
        let at: ScreenPoint = Point::new(i32::try_from(x).unwrap(), i32::try_from(y).unwrap());
        if vault.bounds.contains(at) {
            assert_eq!(pixel.0, [0; 3], "{at}");
        } else {
            assert_eq!(pixel, open.frame.pixels().get_pixel(x, y), "{at}");
        }
    }
    let part = bench.desktop.capture(Some(vault.bounds)).await.unwrap();
    assert!(part.pixels().pixels().all(|pixel| pixel.0 == [0; 3]));
    let middle = vault.bounds.center();
    let hit = bench.desktop.element_at(Some(middle), None).await.unwrap();
    assert!(hit.element.is_none() && hit.window.unwrap().title.is_empty());
    let call = ToolCall::new("click", json!({"target": {"x": middle.x, "y": middle.y}}));
    let action = Toolbox::default().resolve(&call, &seen).unwrap();
    let review = super::support::gate().review(action, &seen).await;
    assert!(review.permit.is_none());
    assert!(review.verdict.refusal().unwrap().contains("hide"), "{:?}", review.verdict);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_window_by_its_title_and_a_part_of_the_screen_are_hidden() {
    let mut bench = stage().await;
    let title = Pattern { program: None, title: Some("vault".into()) };
    let place = Rect::new(1200, 700, 80, 100);
    bench.desktop.hide(Curtain { windows: vec![title], places: vec![place] });
    let seen = bench.desktop.observe().await.unwrap();
    assert_eq!(seen.hidden.windows.len(), 1);
    assert!(!seen.windows.iter().any(|window| window.title == "Vault"));
    assert!(seen.frame.crop(&place).unwrap().pixels().pixels().all(|pixel| pixel.0 == [0; 3]));
    assert!(seen.elements.iter().all(|element| element.bounds.intersect(&place).is_none()));
    assert_ne!(seen.hidden.windows, [WindowId(0)]);
}

/// Two windows of one process, of which one is not to be seen. It is told at the same place as the other:
/// GTK 4 tells places within windows.
const TWO_WINDOWS: &str = r#"
import gi
gi.require_version("Gtk", "4.0")
from gi.repository import GLib, Gtk
for title, text in [("Vault", "The number is 4711"), ("Plain", "Plain words")]:
    window = Gtk.Window(title=title, default_width=400, default_height=240)
    window.set_child(Gtk.Button(label=text))
    window.present()
GLib.MainLoop().run()
"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hidden_window_is_not_taken_for_another_of_its_program() {
    let mut bench = Bench::start().await;
    bench.open(&["/usr/bin/python3", "-c", TWO_WINDOWS], "Plain").await;
    bench.place("Vault", (700, 400));
    bench.place("Plain", (0, 0));
    bench.quiet().await;
    let open = bench.desktop.observe().await.unwrap();
    let number = open.elements.iter().find(|element| element.name.contains("4711")).unwrap();
    assert!(number.bounds.x > 600, "{number:?}");
    let title = Pattern { program: None, title: Some("vault".into()) };
    bench.desktop.hide(Curtain { windows: vec![title], places: Vec::new() });
    let seen = bench.desktop.observe().await.unwrap();
    assert_eq!(seen.hidden.windows.len(), 1);
    let said = format!("{:?} {:?} {:?}", seen.elements, seen.windows, seen.more);
    assert!(!said.contains("4711") && !said.contains("Vault"), "{said}");
    assert!(seen.elements.iter().any(|element| element.name == "Plain words"), "{said}");
}

/// What a hidden window holds beyond what it shows is as secret as the rest of it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_scrolls_in_a_hidden_window_is_not_told() {
    let mut bench = Bench::start().await;
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/scrolling.py");
    let window = bench.open(&["/usr/bin/python3", script], "Rows").await;
    let open = bench.desktop.observe().await.unwrap();
    assert!(open.more.iter().any(|more| more.window == window.id), "{:?}", open.more);
    let title = Pattern { program: None, title: Some(window.title) };
    bench.desktop.hide(Curtain { windows: vec![title], places: Vec::new() });
    let seen = bench.desktop.observe().await.unwrap();
    assert_eq!((seen.hidden.windows.as_slice(), seen.more.len()), ([window.id].as_slice(), 0));
}
