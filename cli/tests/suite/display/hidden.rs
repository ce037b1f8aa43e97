//! What the rules hide is in nothing that is kept of a run.

use std::path::{Path, PathBuf};

use crate::screen::Screen;
use crate::support::{Account, rest, wait_for};

const SECRET: &str = "4711";

/// All files below a folder.
fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() { files(&path, found) } else { found.push(path) }
    }
}

/// A workflow that looks at the screen a few times, with its record in `folder`.
fn work(account: &Account, screen: &Screen, folder: &str) {
    let text = "name: look\nsteps:\n  - do: move\n    args: { target: { x: 5, y: 5 } }\n\
                \x20 - do: move\n    args: { target: { x: 90, y: 9 } }\n";
    account.write("w.yaml", text);
    let script = ["workflow", "run", "w.yaml", "--out", folder];
    account.run(&[&script, &screen.vouched()[..]].concat()).check(0, &["done"]);
}

#[test]
fn a_hidden_window_is_black_in_the_pictures_and_absent_from_the_record() {
    let (account, screen) = (Account::new(), Screen::whole());
    screen.start(&["zenity", "--info", "--title", "Vault", "--text", SECRET]);
    let look = || account.run(&["observe", "--display", &screen.name]);
    wait_for("the dialog", || look().out.contains(SECRET).then_some(()));
    rest(std::time::Duration::from_millis(500));
    let (x, y, width, height) = screen.place_of("Vault").unwrap();
    let inside = |px: u32, py: u32| {
        let within = |v: u32, from: i16, length: u16| {
            (i64::from(from)..i64::from(from) + i64::from(length)).contains(&i64::from(v))
        };
        within(px, x, width) && within(py, y, height)
    };
    let shown = |folder: &str| {
        let mut all = Vec::new();
        files(&account.path(folder).join("frames"), &mut all);
        assert!(!all.is_empty(), "no pictures are kept");
        all.into_iter().map(|path| image::open(path).unwrap().to_rgb8()).collect::<Vec<_>>()
    };
    let is_black = |picture: &image::RgbImage| {
        picture.enumerate_pixels().filter(|(x, y, _)| inside(*x, *y)).all(|(_, _, p)| p.0 == [0; 3])
    };
    // Without the rule it is all there, so that what follows can fail.
    work(&account, &screen, "open");
    assert!(shown("open").iter().any(|picture| !is_black(picture)));
    assert!(std::fs::read_to_string(account.path("open/trajectory.jsonl")).unwrap().contains(SECRET));

    account.write(".config/freehand/tiers.toml", "[[hidden]]\ntitle = \"vault\"\n");
    let before = account.path(".local");
    let _ = std::fs::remove_dir_all(&before);
    work(&account, &screen, "kept");
    assert!(shown("kept").iter().all(is_black));
    let mut all = Vec::new();
    for folder in [account.path("kept"), before] {
        files(&folder, &mut all);
    }
    for path in all {
        let text = String::from_utf8_lossy(&std::fs::read(&path).unwrap()).to_lowercase();
        assert!(!text.contains("vault") && !text.contains(SECRET), "{}", path.display());
    }
    look().check(0, &[]);
    assert!(!look().out.contains(SECRET));
}
