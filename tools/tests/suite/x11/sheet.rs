//! A spreadsheet that is written into, in LibreOffice Calc. What came of it is read from the file that Calc saves.

use std::time::Duration;

use freehand_tools::desktop::Desktop as _;
use freehand_tools::element::{Element, Role};
use freehand_tools::observation::Observation;
use freehand_tools::outcome::Outcome;
use serde_json::json;
use tokio::time::{Instant, sleep};

use super::support::Bench;

/// As long as a first start may take, which makes a profile.
const START: Duration = Duration::from_secs(90);

fn cell<'a>(seen: &'a Observation, name: &str) -> Option<&'a Element> {
    seen.elements.iter().find(|element| element.role == Role::Cell && element.name == name)
}

/// Looks until this cell is listed.
async fn seeing(bench: &mut Bench, name: &str) -> Element {
    let end = Instant::now() + START;
    loop {
        let seen = bench.desktop.observe().await.unwrap();
        if let Some(cell) = cell(&seen, name) {
            return cell.clone();
        }
        assert!(Instant::now() < end, "no cell `{name}` among {:#?} {:?}", seen.elements, seen.gaps);
        sleep(Duration::from_millis(100)).await;
    }
}

/// Types into the cell with this name as a model would, and leaves it.
async fn write(bench: &mut Bench, name: &str, text: &str) {
    let target = seeing(bench, name).await.id;
    let typed = json!({"target": target, "text": text, "clear": true, "submit": true});
    let done = bench.call("type_text", typed).await;
    assert!(matches!(done, Outcome::Done { .. }), "{name}: {done:?}");
}

/// The texts of all cells that have one, row by row.
fn saved(file: &str) -> Vec<String> {
    let (_, body) = file.split_once("<office:body>").unwrap_or_default();
    let texts = body.split("<text:p>").skip(1).filter_map(|rest| rest.split("</text:p>").next());
    texts.map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cells_of_a_spreadsheet_are_written_into() {
    let mut bench = Bench::start().await;
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/../bench/corpus/documents/sheet.fods");
    let file = bench.path("sheet.fods");
    std::fs::copy(source, &file).unwrap();
    let profile = format!("-env:UserInstallation=file://{}", bench.path("office").display());
    let flags = ["--norestore", "--nologo", "--nofirststartwizard", "--calc"];
    let argv = [&["soffice", &profile][..], &flags, &[file.to_str().unwrap()]].concat();
    bench.open(&argv, "sheet.fods").await;
    // One that is full, and one where one would go on. What stands beside them stays.
    write(&mut bench, "Quince", "Medlar jam").await;
    seeing(&mut bench, "Medlar jam").await;
    write(&mut bench, "A4", "Sloe").await;
    seeing(&mut bench, "Sloe").await;
    bench.tap("ctrl+s").await;
    let want = ["Fruit", "Crates", "Medlar jam", "31", "Medlar", "87", "Sloe"];
    let end = Instant::now() + Duration::from_secs(20);
    loop {
        let found = saved(&std::fs::read_to_string(&file).unwrap_or_default());
        if found == want {
            break;
        }
        assert!(Instant::now() < end, "the file holds {found:?}");
        sleep(Duration::from_millis(100)).await;
    }
}
