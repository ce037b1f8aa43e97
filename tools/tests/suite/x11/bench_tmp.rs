use std::time::{Duration, Instant};
use freehand_tools::action::Button;
use freehand_tools::desktop::{Desktop, PointerInput, Launch};
use super::support::Bench;
use super::typing::*;

#[tokio::test]
async fn stress_browser() {
    let mut bench = Bench::start().await;
    open_page(&mut bench).await;
    let long = long().replace('\t', " ");
    for i in 0..20 {
        bench.tap("ctrl+a").await;
        let text = format!("{i}{HARD}{long}");
        let t = Instant::now();
        bench.type_text(&text).await;
        let typed = t.elapsed();
        let want = title_for(&text);
        let end = Instant::now() + Duration::from_secs(6);
        loop {
            let seen = bench.desktop.observe().await.unwrap();
            if seen.focused_window().unwrap().title.contains(&want) { break; }
            if Instant::now() > end {
                let got: Vec<char> = seen.elements.iter().filter_map(|e| e.value.clone()).max_by_key(|v| v.len()).unwrap().chars().collect();
                let want: Vec<char> = text.chars().collect();
                eprintln!("lens {} {}", got.len(), want.len());
                for (i, (g, w)) in got.iter().zip(&want).enumerate() { if g != w { eprintln!("{i}: got {g:?} want {w:?}"); } }
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        eprintln!("{i} typed {typed:?} seen {:?}", t.elapsed());
    }
}

const SELECT: &str = "<meta charset=utf-8><title>empty</title><select style='width:200px;height:40px'><option>One<option>Two<option>Three</select>";
#[tokio::test]
async fn menus() {
    let mut bench = Bench::start().await;
    std::fs::write(bench.path("page.html"), SELECT).unwrap();
    let url = format!("file://{}", bench.path("page.html").display());
    bench.desktop.launch(&bench.permit, Launch::Url(url)).await.unwrap();
    let w = bench.window("empty").await;
    bench.quiet().await;
    for e in bench.desktop.observe().await.unwrap().elements { eprintln!("{:?} {:?} {}", e.role, e.name, e.bounds); }
    let seen = bench.desktop.observe().await.unwrap();
    let at = seen.elements.iter().find(|e| e.bounds.width == 200).map_or(w.bounds.origin().offset(60, 160), |e| e.bounds.center());
    bench.pointer(PointerInput::MoveTo(at)).await;
    bench.pointer(PointerInput::Click(Button::Left, 1)).await;
    tokio::time::sleep(Duration::from_millis(800)).await;
    let seen = bench.desktop.observe().await.unwrap();
    eprintln!("{:#?} {:?}", seen.windows, seen.gaps);
    std::fs::write("/tmp/fh-select.png", seen.frame.to_png().unwrap()).unwrap();
    let file = bench.path("a.txt").display().to_string();
    std::fs::write(&file, "x").unwrap();
    bench.tap("escape").await;
    bench.open(&["mousepad", &file], "Mousepad").await;
    bench.tap("alt+f").await;
    tokio::time::sleep(Duration::from_millis(800)).await;
    let t = Instant::now();
    let seen = bench.desktop.observe().await.unwrap();
    eprintln!("{:?} {:#?} {:?}", t.elapsed(), seen.windows, seen.gaps);
    for e in &seen.elements { eprintln!("{:?} {:?} {} {:?}", e.role, e.name, e.bounds, e.window); }
    std::fs::write("/tmp/fh-menu.png", seen.frame.to_png().unwrap()).unwrap();
}
