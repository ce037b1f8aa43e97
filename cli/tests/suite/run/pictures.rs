//! Runs whose model sees: what it is shown is the real screen, in a size that is ours and without what the
//! rules hide, and what it points at there is what is clicked.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use freehand_tools::desktop::x11::virtual_display::VirtualDisplay;
use freehand_tools::geometry::{Grid, Mapping, Point, Rect, ScreenRect};
use image::RgbImage;
use serde_json::{Value, json};

use super::{DONE, Server};
use crate::screen::Screen;
use crate::support::{Account, rest, wait_for};

const TARGET: &str = include_str!("../../fixtures/target.py");
const MAGENTA: [u8; 3] = [255, 0, 200];
const GIVE_UP: &str =
    r#"{"tool":"finish","args":{"status":"failure","evidence":[],"answer":"I have seen enough"}}"#;

const HIT: &str =
    r#"{"tool":"finish","args":{"status":"success","evidence":["Hit"],"answer":"It is hit"}}"#;

/// What a server says of itself whose model sees, in the words of llama.cpp and at both of its addresses.
fn seeing() -> Value {
    json!({ "data": [{ "id": "made-up", "owned_by": "llamacpp" }], "modalities": { "vision": true } })
}

fn silent() -> Value {
    json!({ "data": [{ "id": "made-up" }] })
}

/// The pictures of a question, each with the place of its turn.
fn pictures(question: &Value) -> Vec<(usize, RgbImage)> {
    let turns = question["messages"].as_array().unwrap().iter().enumerate();
    let urls = turns.flat_map(|(at, turn)| {
        let parts = turn["content"].as_array().cloned().unwrap_or_default();
        let urls: Vec<Value> = parts.iter().map(|part| part["image_url"]["url"].clone()).collect();
        urls.into_iter().filter(|url| !url.is_null()).map(move |url| (at, url))
    });
    urls.map(|(at, url)| {
        let url = url.as_str().unwrap().strip_prefix("data:image/png;base64,").unwrap().to_owned();
        let file = BASE64_STANDARD.decode(url).unwrap();
        (at, image::load_from_memory(&file).unwrap().to_rgb8())
    })
    .collect()
}

/// The one picture of a question, which is in its last turn.
fn picture(question: &Value) -> RgbImage {
    let mut all = pictures(question);
    let last = question["messages"].as_array().unwrap().len() - 1;
    assert_eq!(all.iter().map(|(at, _)| *at).collect::<Vec<_>>(), [last]);
    all.remove(0).1
}

/// The middle of what has this colour.
fn middle_of(picture: &RgbImage, colour: [u8; 3]) -> Option<(u32, u32)> {
    let found = picture.enumerate_pixels().filter(|(_, _, pixel)| pixel.0 == colour);
    let (mut count, mut sum) = (0, (0, 0));
    found.for_each(|(x, y, _)| (count, sum) = (count + 1, (sum.0 + x, sum.1 + y)));
    (count > 0).then(|| (sum.0 / count, sum.1 / count))
}

#[test]
fn what_the_model_finds_in_the_picture_is_clicked() {
    let account = Account::new();
    account.write("target.py", TARGET);
    let sizes = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&sizes);
    let server = Server::answering(seeing(), move |question| {
        let shown = picture(question);
        let step = seen.lock().unwrap().len();
        seen.lock().unwrap().push(shown.dimensions());
        let hit = question.to_string().contains("Window \\\"Hit\\\"");
        Ok(match (step, middle_of(&shown, MAGENTA)) {
            (0, _) => r#"{"tool":"open_app","args":{"name":"/usr/bin/python3 target.py"}}"#.into(),
            (1, _) => r#"{"tool":"wait","args":{"window":"Canvas","timeout_ms":60000}}"#.into(),
            _ if hit => HIT.into(),
            (2..9, Some((x, y))) => {
                json!({ "tool": "click", "args": { "target": { "x": x, "y": y } } }).to_string()
            }
            (2..9, None) => r#"{"tool":"wait","args":{"timeout_ms":500}}"#.into(),
            _ => GIVE_UP.into(),
        })
    });
    let args = ["run", "Hit the square", "--display", "virtual:1280x800", "--model", &server.url];
    let said = account.run(&[&args[..], &["--out", "r"]].concat());
    said.check(0, &["done: "]);
    let sizes = sizes.lock().unwrap();
    assert!(sizes.len() >= 3 && sizes.iter().all(|size| *size == (1260, 784)), "{sizes:?}");
}

#[test]
fn a_server_that_refuses_pictures_is_told_of_once_and_the_run_goes_on() {
    let (account, screen) = (Account::new(), Screen::bare());
    let shown = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&shown);
    let server = Server::answering(silent(), move |question| {
        let count = pictures(question).len();
        let mut seen = seen.lock().unwrap();
        seen.push(count);
        match (count, seen.len()) {
            (1.., _) => Err(("400 Bad Request", "At most 0 image(s) may be provided in one prompt.")),
            (_, ..4) => Ok(r#"{"tool":"wait","args":{"timeout_ms":50}}"#.into()),
            _ => Ok(GIVE_UP.into()),
        }
    });
    let args = ["run", "x", "--model", &server.url, "--images", "on", "--out", "r"];
    let said = account.run(&[&args, &screen.vouched()[..]].concat());
    said.check(3, &["the server takes no pictures", "I have seen enough"]);
    assert_eq!(said.err.matches("takes no pictures").count(), 1, "{said:#?}");
    assert_eq!(*shown.lock().unwrap(), [1, 0, 0, 0]);

    // Nor is one shown to a server that says nothing, nor where the user wants none.
    for (about, images) in [(silent(), "auto"), (seeing(), "off")] {
        let shown = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&shown);
        let server = Server::answering(about, move |question| {
            seen.lock().unwrap().push(pictures(question).len());
            Ok(GIVE_UP.into())
        });
        let args = ["run", "x", "--model", &server.url, "--images", images];
        account.run(&[&args, &screen.vouched()[..]].concat()).check(3, &["I have seen enough"]);
        assert_eq!(*shown.lock().unwrap(), [0], "{images}");
    }
}

#[test]
fn what_the_rules_hide_is_black_in_the_picture() {
    let (account, screen) = (Account::new(), Screen::whole());
    screen.start(&["zenity", "--info", "--title", "Vault", "--text", "4711"]);
    let look = || account.run(&["observe", "--display", &screen.name]);
    wait_for("the dialog", || look().out.contains("4711").then_some(()));
    rest(Duration::from_millis(500));
    let (x, y, width, height) = screen.place_of("Vault").unwrap();
    // The edge is mixed with what is around it, when it is made smaller.
    let inner: ScreenRect =
        Rect::new(i32::from(x) + 8, i32::from(y) + 8, u32::from(width) - 16, u32::from(height) - 16);
    let black = |hidden: bool| {
        let shown = Arc::new(Mutex::new(None));
        let seen = Arc::clone(&shown);
        let server = Server::answering(seeing(), move |question| {
            *seen.lock().unwrap() = Some((picture(question), question.to_string()));
            Ok(GIVE_UP.into())
        });
        let args = ["run", "x", "--model", &server.url];
        account.run(&[&args, &screen.vouched()[..]].concat()).check(3, &["I have seen enough"]);
        let (picture, words) = shown.lock().unwrap().take().unwrap();
        assert_eq!(words.contains("4711"), !hidden);
        let (w, h) = picture.dimensions();
        let size = VirtualDisplay::DEFAULT_SIZE;
        let whole: ScreenRect = Rect::new(0, 0, size.width, size.height);
        let way = Mapping::new(Rect::<Grid>::new(0, 0, w, h), whole).unwrap();
        // The pointer stands in the middle, and is drawn whatever lies there.
        let pointer = Rect::around(whole.center(), 16);
        let inside = picture.enumerate_pixels().filter(|(x, y, _)| {
            let at = way.forward(Point::new(x.cast_signed(), y.cast_signed()));
            inner.contains(at) && !pointer.contains(at)
        });
        let mut all: Vec<[u8; 3]> = inside.map(|(_, _, pixel)| pixel.0).collect();
        assert!(all.len() > 1_000, "{}", all.len());
        all.retain(|pixel| *pixel != [0; 3]);
        all.is_empty()
    };
    // Without the rule it is all there, so that what follows can fail.
    assert!(!black(false));
    account.write(".config/freehand/tiers.toml", "[[hidden]]\ntitle = \"vault\"\n");
    assert!(black(true));
}

#[test]
fn what_cannot_be_shown_pictures_is_said_so() {
    let account = Account::new();
    let run = |args: &[&str]| account.run(&[&["run", "x", "--display", "virtual"], args].concat());
    run(&["--images", "perhaps"]).check(2, &["`perhaps` is none of auto, on and off"]);
    run(&["--images", "on", "--model", "qwen2.5-coder-1.5b"])
        .check(2, &["sees no pictures", "by its address"]);
    account.write(".config/freehand/config.toml", "images = \"perhaps\"\n");
    run(&[]).check(2, &["`images` of the configuration", "perhaps"]);
    let own = json!({ "data": [{ "id": "m", "owned_by": "freehand" }] });
    let server = Server::answering(own, |_| Ok(DONE.into()));
    let said = run(&["--images", "on", "--model", &server.url, "--out", "r"]);
    said.check(5, &["`freehand serve` takes no pictures"]);
}
