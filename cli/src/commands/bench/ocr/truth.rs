//! What stands where: a page with known phrases as a browser draws it, and the places of the phrases as
//! the same browser's document has them. Nobody who is measured says what is right.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use image::RgbImage;
use serde::{Deserialize, Serialize};
use tokio::process::Command;
use tokio::time::timeout;

use super::super::step::stage;

const PAGE: &str = include_str!("page.html");
/// As long as the browser may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// The size of the page in px.
const SIZE: (u32, u32) = (1280, 800);
/// The part of it that is read by itself: left, top, width, height, in px.
const PART: (u32, u32, u32, u32) = (330, 50, 400, 300);
/// What stands around the phrases in the browser's document.
const MARKS: (&str, &str) = ("id=\"truth\">", "</script>");

/// A text and where it stands, in px of the picture.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
pub struct Phrase {
    pub text: String,
    pub x: f64,
    pub y: f64,
    pub width: f64,
    pub height: f64,
}

/// A picture with what stands in it.
#[derive(Debug)]
pub struct Frame {
    /// What it is, in words.
    pub what: String,
    pub picture: RgbImage,
    pub phrases: Vec<Phrase>,
}

/// Phrases that were read right.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Score {
    pub latin: usize,
    pub cjk: usize,
}

impl Score {
    pub const fn all(self) -> usize {
        self.latin + self.cjk
    }
}

/// The frames that are read; files of the browser go to `folder`.
pub async fn frames(folder: &Path) -> Result<Vec<Frame>> {
    let (page, picture) = (folder.join("page.html"), folder.join("page.png"));
    std::fs::write(&page, PAGE).with_context(|| format!("cannot write `{}`", page.display()))?;
    browse(folder, &format!("--screenshot={}", picture.display()), &page).await?;
    let document = browse(folder, "--dump-dom", &page).await?;
    let picture = image::open(&picture).context("the browser draws no picture")?.to_rgb8();
    if picture.dimensions() != SIZE {
        bail!("the browser draws {:?} px instead of {SIZE:?}", picture.dimensions());
    }
    let phrases = phrases(&document)?;
    let (left, top, width, height) = PART;
    let part = image::imageops::crop_imm(&picture, left, top, width, height).to_image();
    let (x, y) = (f64::from(left), f64::from(top));
    let inside: Vec<Phrase> = phrases
        .iter()
        .map(|text| Phrase { x: text.x - x, y: text.y - y, ..text.clone() })
        .filter(|text| text.x >= 0.0 && text.y >= 0.0)
        .filter(|text| text.x + text.width <= f64::from(width))
        .filter(|text| text.y + text.height <= f64::from(height))
        .collect();
    let whole = Frame { what: format!("{}x{}", SIZE.0, SIZE.1), picture, phrases };
    Ok(vec![whole, Frame { what: format!("{width}x{height}"), picture: part, phrases: inside }])
}

/// Runs the browser without a window and gives what it says.
async fn browse(folder: &Path, what: &str, page: &Path) -> Result<String> {
    let mut command = Command::new(stage::program()?);
    command.args(["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"]);
    command.args(["--force-device-scale-factor=1", "--disable-background-networking", what]);
    command.arg(format!("--window-size={},{}", SIZE.0, SIZE.1));
    command.arg(format!("--user-data-dir={}", folder.join("profile").display()));
    command.arg(format!("file://{}", page.display())).env("HOME", folder).current_dir(folder);
    command.stdin(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
    let output = timeout(PATIENCE, command.output());
    let output = output.await.with_context(|| format!("the browser took {} s", PATIENCE.as_secs()))?;
    Ok(String::from_utf8_lossy(&output.context("the browser does not start")?.stdout).into_owned())
}

fn phrases(document: &str) -> Result<Vec<Phrase>> {
    let text = document.split_once(MARKS.0).and_then(|(_, rest)| rest.split_once(MARKS.1));
    let (text, _) = text.context("the browser's document names no phrases")?;
    serde_json::from_str(text).context("the phrases of the browser's document")
}

/// How many of the phrases were read, and at their places. Blanks do not count.
pub fn score(phrases: &[Phrase], read: &[Phrase]) -> Score {
    let mut score = Score::default();
    for phrase in phrases {
        let mut there: Vec<&Phrase> = read.iter().filter(|text| meets(phrase, text)).collect();
        there.sort_by(|a, b| a.x.total_cmp(&b.x));
        let said: String = there.iter().map(|text| letters(&text.text)).collect();
        if said.contains(&letters(&phrase.text)) {
            *if is_cjk(&phrase.text) { &mut score.cjk } else { &mut score.latin } += 1;
        }
    }
    score
}

/// How many phrases there are of either kind.
pub fn total(phrases: &[Phrase]) -> Score {
    let cjk = phrases.iter().filter(|phrase| is_cjk(&phrase.text)).count();
    Score { latin: phrases.len() - cjk, cjk }
}

/// Whether `read` lies on the row of `phrase`, at its place.
fn meets(phrase: &Phrase, read: &Phrase) -> bool {
    let middle = read.y + read.height / 2.0;
    let level = phrase.y - 2.0 <= middle && middle <= phrase.y + phrase.height + 2.0;
    level && read.x < phrase.x + phrase.width && phrase.x < read.x + read.width
}

fn letters(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

fn is_cjk(text: &str) -> bool {
    text.chars().any(|c| ('\u{3040}'..='\u{9fff}').contains(&c))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str, x: f64, y: f64) -> Phrase {
        Phrase { text: text.into(), x, y, width: 50.0, height: 14.0 }
    }

    #[test]
    fn a_phrase_counts_where_it_stands() {
        let phrases = [text("two words", 100.0, 20.0), text("你好", 0.0, 60.0)];
        assert_eq!(total(&phrases), Score { latin: 1, cjk: 1 });
        let right = [text("words", 130.0, 21.0), text("two", 100.0, 19.0), text("你 好", 2.0, 61.0)];
        assert_eq!(score(&phrases, &right), Score { latin: 1, cjk: 1 });
        let wrong = [text("two words", 100.0, 90.0), text("你妤", 0.0, 60.0)];
        assert_eq!(score(&phrases, &wrong), Score::default());
    }

    #[test]
    fn the_page_says_where_its_phrases_are() {
        let found = phrases(
            "<script id=\"truth\">[{\"text\":\"a\",\"x\":1,\"y\":2,\"width\":3,\"height\":4}]</script>",
        );
        assert_eq!(found.unwrap().len(), 1);
        assert!(phrases("<html></html>").is_err());
        assert!(PAGE.matches("class=\"t\"").count() + PAGE.matches(" t\"").count() > 90);
    }
}
