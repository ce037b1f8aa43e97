//! A second reader for Korean, whose letters the network does not know: the program `tesseract`, where it is installed with that
//! language. It is asked about lines alone that the network is unsure of, once for all of them, and believed where it is sure
//! and reads Hangul.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use image::{GrayImage, Luma, RgbImage, imageops};

use super::pixels::Part;
use super::recognise::Said;

/// Below this the network is unsure: nearly no line of its own languages is, and nearly every Korean one.
const UNSURE: f32 = 0.85;
/// Rows of px of the lowest line, with the room around it: no Hangul can be told in less.
const LOWEST: u32 = 13;
/// How sure the second reader must be of a word, in hundredths.
const LEAST: f32 = 50.0;
/// Lines that it is asked about at most at once.
const MOST: usize = 100;
/// As long as it may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// Rows of px of a line as it likes them, and of the ground around it.
const HEIGHT: u32 = 48;
const MARGIN: u32 = 10;
/// Columns of the widest line.
const WIDEST: u32 = 4000;

/// The second reader, looked for when it is needed first.
#[derive(Debug, Default)]
pub(super) struct Korean(OnceLock<bool>);

impl Korean {
    /// Puts what it reads in the place of what the network was unsure of.
    pub(super) fn improve(&self, image: &RgbImage, lines: &[Part], said: &mut [Said]) {
        let unsure = lines.iter().zip(said).filter(|(line, said)| {
            said.sure < UNSURE && line.height >= LOWEST && line.width >= line.height
        });
        let (lines, said): (Vec<_>, Vec<_>) = unsure.take(MOST).unzip();
        if lines.is_empty() || !*self.0.get_or_init(is_there) {
            return;
        }
        let pictures: Vec<GrayImage> = lines.into_iter().map(|line| picture(image, line)).collect();
        match read(&pictures) {
            Ok(table) => {
                for (page, said) in said.into_iter().enumerate() {
                    if let Some(better) = line(&table, page + 1) {
                        *said = better;
                    }
                }
            }
            Err(error) => tracing::warn!(%error, "tesseract reads no Korean"),
        }
    }
}

/// Whether the program is there and knows the language.
fn is_there() -> bool {
    let asked = Command::new("tesseract").arg("--list-langs").stdin(Stdio::null()).output();
    asked
        .is_ok_and(|said| String::from_utf8_lossy(&said.stdout).lines().any(|line| line.trim() == "kor"))
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

/// The table that the program makes of the pictures.
fn read(pictures: &[GrayImage]) -> std::io::Result<String> {
    let folder = tempfile::tempdir()?;
    let mut list = String::new();
    for (at, picture) in pictures.iter().enumerate() {
        let file = folder.path().join(format!("{at}.png"));
        picture.save(&file).map_err(std::io::Error::other)?;
        list.push_str(&format!("{}\n", file.display()));
    }
    std::fs::write(folder.path().join("list.txt"), list)?;
    run(folder.path())?;
    std::fs::read_to_string(folder.path().join("read.tsv"))
}

fn run(folder: &Path) -> std::io::Result<()> {
    let mut command = Command::new("tesseract");
    command.args(["list.txt", "read", "--psm", "7", "-l", "kor", "tsv"]).current_dir(folder);
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

/// What the table has for one page, if it is Korean. A row has twelve fields: the page is the second,
/// how sure it is the eleventh, and the word the last.
fn line(table: &str, page: usize) -> Option<Said> {
    let rows = table.lines().map(|row| row.split('\t').collect::<Vec<_>>());
    let words = rows.filter_map(|row| match row.as_slice() {
        ["5", of, .., sure, word] if of.parse() == Ok(page) && !word.trim().is_empty() => {
            Some((word.trim().to_owned(), sure.parse::<f32>().ok()?))
        }
        _ => None,
    });
    let (words, sure): (Vec<String>, Vec<f32>) = words.unzip();
    let sure = sure.into_iter().fold(100.0, f32::min);
    let text = words.join(" ");
    let letters = text.chars().filter(|c| c.is_alphabetic()).count();
    let korean = text.chars().filter(|c| ('가'..='힣').contains(c)).count();
    (korean >= 2 && korean * 2 > letters && sure >= LEAST).then(|| Said { text, sure: sure / 100.0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_of_the_table_is_a_line_if_it_is_korean() {
        let row = |page: u8, sure: &str, word: &str| {
            format!("5\t{page}\t1\t1\t1\t1\t9\t9\t9\t9\t{sure}\t{word}\n")
        };
        let table = [
            "level\tpage_num\ttext\n".to_owned(),
            row(1, "96.5", "회원"),
            row(1, "88", "가입"),
            row(2, "91", "Hello"),
            row(3, "12", "닫기"),
            row(4, "95", "설"),
            row(5, "95", "파일"),
            row(5, "95", "PDF,"),
        ]
        .concat();
        let said = line(&table, 1).unwrap();
        assert_eq!((said.text.as_str(), (said.sure * 100.0).round()), ("회원 가입", 88.0));
        for page in [2, 3, 4, 5, 6] {
            assert!(line(&table, page).is_none(), "{page}");
        }
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
