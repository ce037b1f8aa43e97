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
