//! What has no text, on a real canvas of a real browser: found where its pixels are, called by what it looks
//! like, and clicked only as something that nothing is known about.

use freehand_tools::action::EffectClass;
use freehand_tools::call::ToolCall;
use freehand_tools::desktop::Desktop;
use freehand_tools::element::{Element, Role, Source};
use freehand_tools::geometry::{Rect, ScreenRect};
use freehand_tools::observation::Observation;
use freehand_tools::outcome::Outcome;
use freehand_tools::toolbox::Toolbox;
use serde_json::json;

use super::support::Bench;

const PAGE: &str = "<!doctype html><title>Drawn 0</title><body style='font:20px sans-serif;background:#fff'>\
    <p>Words of the page</p><canvas id=c width=500 height=300 style='border:1px solid #aaa'></canvas>\
    <script>let clicks = 0; const g = c.getContext('2d');\
    const shapes = [['#ff0000', 60, 60, 'square'], ['#0000ff', 200, 60, 'circle'], ['#008000', 340, 70, 'triangle']];\
    for (const [colour, x, y, form] of shapes) { g.fillStyle = colour; g.beginPath();\
      if (form === 'square') g.rect(x - 25, y - 25, 50, 50);\
      if (form === 'circle') g.arc(x, y, 12, 0, 7);\
      if (form === 'triangle') { g.moveTo(x, y - 40); g.lineTo(x + 40, y + 30); g.lineTo(x - 40, y + 30); }\
      g.fill(); }\
    c.onclick = (e) => { const hit = shapes.findIndex(([, x, y]) => Math.hypot(e.offsetX - x, e.offsetY - y) < 12);\
      document.title = 'Drawn ' + ['square', 'circle', 'triangle', 'nothing'].at(hit); };\
    if (location.hash) setInterval(() => { g.fillStyle = '#fff'; g.fillRect(0, 0, 500, 300); }, 50);\
    </script>";

async fn page(bench: &mut Bench) {
    let file = bench.path("drawn.html");
    std::fs::write(&file, PAGE).unwrap();
    bench.open(&["chromium", &format!("--app=file://{}", file.display())], "Drawn").await;
}

/// Where the pixels of about this colour are.
fn coloured(seen: &Observation, want: [u8; 3]) -> ScreenRect {
    let pixels = seen.frame.pixels().enumerate_pixels();
    let like = pixels.filter(|(_, _, pixel)| pixel.0.iter().zip(want).all(|(a, b)| a.abs_diff(b) < 20));
    let spots =
        like.map(|(x, y, _)| Rect::new(i32::try_from(x).unwrap(), i32::try_from(y).unwrap(), 1, 1));
    spots.reduce(|all, spot| all.union(&spot)).unwrap()
}

fn drawn(seen: &Observation) -> Vec<&Element> {
    seen.elements.iter().filter(|element| element.source == Source::Vision).collect()
}

fn one<'a>(seen: &'a Observation, looks: &str) -> &'a Element {
    let found = drawn(seen).into_iter().find(|element| element.looks.as_deref() == Some(looks));
    let all = || drawn(seen).iter().map(|e| (e.looks.clone(), e.bounds)).collect::<Vec<_>>();
    found.unwrap_or_else(|| panic!("no `{looks}` in {:?}", all()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn shapes_on_a_canvas_are_found_and_can_be_clicked() {
    let mut bench = Bench::start().await;
    page(&mut bench).await;
    let seen = bench.desktop.observe().await.unwrap();
    let want = [
        ("large red square", [255, 0, 0]),
        ("small blue circle", [0, 0, 255]),
        ("large green triangle", [0, 128, 0]),
    ];
    assert_eq!(drawn(&seen).len(), want.len(), "{:#?}", drawn(&seen));
    for (looks, colour) in want {
        let element = one(&seen, looks);
        let pixels = coloured(&seen, colour);
        let near = |a: i32, b: i32| (a - b).abs() <= 2;
        assert!(
            near(element.bounds.x, pixels.x) && near(element.bounds.right(), pixels.right()),
            "{looks}"
        );
        assert_eq!((element.role, element.name.as_str()), (Role::Image, ""));
    }
    // The same at every look, with the same numbers.
    let again = bench.desktop.observe().await.unwrap();
    let ids = |seen: &Observation| drawn(seen).iter().map(|element| element.id).collect::<Vec<_>>();
    assert_eq!(ids(&again), ids(&seen));
    let circle = one(&again, "small blue circle").id;
    let call = ToolCall::new("click", json!({"target": circle}));
    let action = Toolbox::default().resolve(&call, &again).unwrap();
    assert_eq!(action.effects, EffectClass::BlindInput);
    assert!(!action.target.is_known());
    assert!(action.summary.starts_with("click image (small blue circle)"), "{}", action.summary);
    let outcome = bench.call("click", json!({"target": circle})).await;
    assert!(matches!(outcome, Outcome::Done { .. }), "{outcome:?}");
    bench.window("Drawn circle").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_as_it_was_is_gone() {
    let mut bench = Bench::start().await;
    page(&mut bench).await;
    let seen = bench.desktop.observe().await.unwrap();
    let square = one(&seen, "large red square");
    let hit = bench.desktop.element_at(Some(square.bounds.center()), Some(&square.key)).await.unwrap();
    assert_eq!(hit.element.as_ref().map(|element| &element.key), Some(&square.key));
    let file = bench.path("drawn.html");
    bench.open(&["chromium", &format!("--app=file://{}#wiped", file.display())], "Drawn").await;
    let hit = bench.desktop.element_at(Some(square.bounds.center()), Some(&square.key)).await.unwrap();
    assert!(hit.element.is_none(), "{:?}", hit.element);
}
