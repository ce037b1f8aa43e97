use std::time::Instant;
use freehand_tools::action::Button;
use freehand_tools::desktop::{Desktop, PointerInput, KeyboardInput};
use freehand_tools::geometry::{Point, Rect, Size};
use super::support::{Bench, permit};
use super::probe::*;
use freehand_tools::desktop::x11::X11;
use freehand_tools::desktop::x11::virtual_display::VirtualDisplay;
#[tokio::test]
async fn timing() {
    for size in [Size::new(1280, 800), Size::new(1920, 1080)] {
    let t = Instant::now();
    let display = VirtualDisplay::start(size).unwrap();
    eprintln!("start {:?}", t.elapsed());
    let mut desktop = X11::on(&display).unwrap();
    let permit = permit(&mut desktop).await;
    let probe = Probe::on(display.name());
    probe.window(Rect::new(100, 100, 400, 300), Kind::Managed, "Target");
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    macro_rules! m { ($n:expr, $e:expr) => {{ let mut v = vec![]; for _ in 0..60 { let t = Instant::now(); $e; v.push(t.elapsed()); } v.sort(); eprintln!("{}: min {:?} median {:?} p90 {:?}", $n, v[0], v[30], v[54]); }} }
    m!("capture", desktop.capture(None).await.unwrap());
    m!("capture 49x49", desktop.capture(Some(Rect::new(10,10,49,49))).await.unwrap());
    m!("observe", desktop.observe().await.unwrap());
    m!("element_at", desktop.element_at(Some(Point::new(200,200)), None).await.unwrap());
    let mut i = 0;
    m!("move", { i+=1; desktop.pointer(&permit, PointerInput::MoveTo(Point::new(200+i,200))).await.unwrap() });
    m!("click", desktop.pointer(&permit, PointerInput::Click(Button::Left, 1)).await.unwrap());
    m!("tap", desktop.keyboard(&permit, KeyboardInput::Tap("ctrl+shift+x".parse().unwrap())).await.unwrap());
    m!("text 100", desktop.keyboard(&permit, KeyboardInput::Text("The quick ".repeat(10))).await.unwrap());
    let t = Instant::now(); drop(desktop); eprintln!("drop desktop {:?}", t.elapsed());
    let t = Instant::now(); drop(display); eprintln!("drop {:?}", t.elapsed());
    }
}
