//! The program `tesseract`: whether it is there with a language, and what it reads in pictures of one line each, in one
//! process for all of them and for so long at most.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use image::{GrayImage, Luma, RgbImage, imageops};

use super::pixels::Part;

/// As long as it may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// Rows of px of a line as it likes them, and of the ground around it.
const HEIGHT: u32 = 48;
const MARGIN: u32 = 10;
/// Columns of the widest line.
const WIDEST: u32 = 4000;

/// What is read as one word.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Word {
    pub(super) text: String,
    /// How sure the program is, 0 to 1.
    pub(super) sure: f32,
}

/// Whether the program is there and knows the language.
pub(super) fn knows(language: &str) -> bool {
    let asked = Command::new("tesseract").arg("--list-langs").stdin(Stdio::null()).output();
    asked.is_ok_and(|said| {
        String::from_utf8_lossy(&said.stdout).lines().any(|line| line.trim() == language)
    })
}

/// The words of each part of `image`, in their order.
pub(super) fn read(image: &RgbImage, parts: &[Part], language: &str) -> std::io::Result<Vec<Vec<Word>>> {
    let folder = tempfile::tempdir()?;
    let mut list = String::new();
    for (at, part) in parts.iter().enumerate() {
        let file = folder.path().join(format!("{at}.png"));
        picture(image, part).save(&file).map_err(std::io::Error::other)?;
        list.push_str(&format!("{}\n", file.display()));
    }
    std::fs::write(folder.path().join("list.txt"), list)?;
    run(folder.path(), language)?;
    let table = std::fs::read_to_string(folder.path().join("read.tsv"))?;
    Ok((1..=parts.len()).map(|page| words(&table, page)).collect())
}

fn run(folder: &Path, language: &str) -> std::io::Result<()> {
    let mut command = Command::new("tesseract");
    command.args(["list.txt", "read", "--psm", "7", "-l", language, "tsv"]).current_dir(folder);
    command.env("OMP_THREAD_LIMIT", "1");
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn()?;
    let end = Instant::now() + PATIENCE;
    while child.try_wait()?.is_none() {
        if Instant::now() > end {
            child.kill()?;
            child.wait()?;
            return Err(std::io::Error::other("it takes too long"));
        }
        #[expect(clippy::disallowed_methods, reason = "the thread that reads has nothing else to do")]
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(())
}

/// A line as the program likes it: dark on bright, high, with room around.
fn picture(image: &RgbImage, line: &Part) -> GrayImage {
    let (x, y) = (u32::try_from(line.x).unwrap_or(0), u32::try_from(line.y).unwrap_or(0));
    let mut grey =
        imageops::grayscale(&imageops::crop_imm(image, x, y, line.width, line.height).to_image());
    let mut values: Vec<u8> = grey.pixels().map(|pixel| pixel.0[0]).collect();
    let middle = values.len() / 2;
    let ground = if values.is_empty() { 255 } else { *values.select_nth_unstable(middle).1 };
    if ground < 128 {
        imageops::invert(&mut grey);
    }
    let wide = (u64::from(grey.width()) * u64::from(HEIGHT)).div_ceil(u64::from(grey.height().max(1)));
    let wide = u32::try_from(wide).unwrap_or(WIDEST).clamp(1, WIDEST);
    let large = imageops::resize(&grey, wide, HEIGHT, imageops::FilterType::CatmullRom);
    let mut framed =
        GrayImage::from_pixel(wide + 2 * MARGIN, HEIGHT + 2 * MARGIN, Luma([ground.max(255 - ground)]));
    imageops::replace(&mut framed, &large, MARGIN.into(), MARGIN.into());
    framed
}

/// What the table has for one page. A row has twelve fields: the page is the second, how sure it is the eleventh, and
/// the word the last.
fn words(table: &str, page: usize) -> Vec<Word> {
    let rows = table.lines().map(|row| row.split('\t').collect::<Vec<_>>());
    let words = rows.filter_map(|row| match row.as_slice() {
        ["5", of, .., sure, word] if of.parse() == Ok(page) && !word.trim().is_empty() => {
            Some(Word { text: word.trim().to_owned(), sure: sure.parse::<f32>().ok()? / 100.0 })
        }
        _ => None,
    });
    words.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_page_of_the_table_has_its_words() {
        let row = |page: u8, sure: &str, word: &str| {
            format!("5\t{page}\t1\t1\t1\t1\t9\t9\t9\t9\t{sure}\t{word}\n")
        };
        let table = [
            "level\tpage_num\ttext\n".to_owned(),
            row(1, "96", "회원"),
            row(2, "91", "Hello"),
            row(1, "50", "가입"),
            row(1, "95", " "),
            row(1, "none", "broken"),
        ]
        .concat();
        let found = |page| -> Vec<(String, f32)> {
            words(&table, page).into_iter().map(|word| (word.text, word.sure)).collect()
        };
        assert_eq!(found(1), [("회원".into(), 0.96), ("가입".into(), 0.5)]);
        assert_eq!((found(2).len(), found(3).len()), (1, 0));
    }

    #[test]
    fn a_line_is_dark_on_bright_and_high() {
        let dark = RgbImage::from_fn(60, 20, |x, _| image::Rgb([if x % 10 == 0 { 250 } else { 20 }; 3]));
        let picture = picture(&dark, &Part::new(10, 2, 40, 16));
        assert_eq!(picture.dimensions(), (120 + 2 * MARGIN, HEIGHT + 2 * MARGIN));
        assert_eq!(picture.get_pixel(0, 0).0, [235]);
        assert!(picture.pixels().filter(|pixel| pixel.0[0] < 100).count() > 100);
    }
}
