//! Pictures as the terminal takes them: the sequences of kitty, of iTerm2 and of sixels, and half-blocks
//! as cells.

use std::fmt::Write as _;
use std::io::Cursor;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use image::{ImageFormat, RgbImage};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Color;

/// Bytes of one piece of a picture; kitty takes no longer ones.
const PIECE: usize = 4096;
/// Steps of red, green and blue in a picture of sixels: more would not fit the 256 colours of a VT340.
const STEPS: u32 = 6;
/// Rows of one band of sixels.
const BAND: u32 = 6;

/// For kitty, over so many cells from where the cursor is, in place of the picture before it.
pub(super) fn kitty(picture: &RgbImage, columns: u16, rows: u16) -> Option<String> {
    let data = STANDARD.encode(png(picture)?);
    let mut out = String::with_capacity(data.len() + 1024);
    let pieces = data.as_bytes().chunks(PIECE);
    let last = pieces.len().saturating_sub(1);
    for (at, piece) in pieces.enumerate() {
        let more = u8::from(at < last);
        if at == 0 {
            let _ = write!(out, "\x1b_Ga=T,f=100,q=2,C=1,i=7,p=1,c={columns},r={rows},m={more};");
        } else {
            let _ = write!(out, "\x1b_Gm={more};");
        }
        out.push_str(&String::from_utf8_lossy(piece));
        out.push_str("\x1b\\");
    }
    Some(out)
}

/// For iTerm2, over so many cells from where the cursor is.
pub(super) fn iterm2(picture: &RgbImage, columns: u16, rows: u16) -> Option<String> {
    let file = png(picture)?;
    let (size, data) = (file.len(), STANDARD.encode(&file));
    Some(format!(
        "\x1b]1337;File=inline=1;size={size};width={columns};height={rows};preserveAspectRatio=0;doNotMoveCursor=1:{data}\x07"
    ))
}

/// Takes the picture for kitty away.
pub(super) const KITTY_GONE: &str = "\x1b_Ga=d,d=i,i=7,q=2\x1b\\";

/// Blanks over a row of cells.
pub(super) fn blank(row: Rect) -> String {
    format!("\x1b[{};{}H\x1b[m{}", row.y + 1, row.x + 1, " ".repeat(usize::from(row.width)))
}

fn png(picture: &RgbImage) -> Option<Vec<u8>> {
    let mut file = Cursor::new(Vec::new());
    picture.write_to(&mut file, ImageFormat::Png).ok()?;
    Some(file.into_inner())
}

/// As sixels from where the cursor is: for each band of six rows each colour's pixels as columns of bits.
pub(super) fn sixel(picture: &RgbImage) -> String {
    let (width, height) = picture.dimensions();
    let mut out = format!("\x1bP0;1;0q\"1;1;{width};{height}");
    for colour in 0..STEPS * STEPS * STEPS {
        let part = |at: u32| at % STEPS * 100 / (STEPS - 1);
        let (red, green, blue) = (part(colour / STEPS / STEPS), part(colour / STEPS), part(colour));
        let _ = write!(out, "#{colour};2;{red};{green};{blue}");
    }
    let mut bits = vec![0u8; (STEPS * STEPS * STEPS) as usize * width as usize];
    for top in (0..height).step_by(BAND as usize) {
        bits.fill(0);
        let mut used = [false; (STEPS * STEPS * STEPS) as usize];
        for (bit, row) in picture.rows().skip(top as usize).take(BAND as usize).enumerate() {
            for (x, pixel) in row.enumerate() {
                let colour = colour_of(pixel.0);
                if let Some(used) = used.get_mut(colour) {
                    *used = true;
                }
                if let Some(column) = bits.get_mut(colour * width as usize + x) {
                    *column |= 1 << bit;
                }
            }
        }
        let rows = bits.chunks_exact(width.max(1) as usize);
        for (colour, (row, _)) in rows.zip(used).enumerate().filter(|(_, (_, used))| *used) {
            let _ = write!(out, "#{colour}");
            columns(&mut out, row);
            out.push('$');
        }
        out.push('-');
    }
    out.push_str("\x1b\\");
    out
}

fn colour_of([red, green, blue]: [u8; 3]) -> usize {
    let step = |part: u8| (u32::from(part) * (STEPS - 1) + 127) / 255;
    ((step(red) * STEPS + step(green)) * STEPS + step(blue)) as usize
}

/// One colour's columns of a band; what repeats is counted.
fn columns(out: &mut String, row: &[u8]) {
    for run in row.chunk_by(|a, b| a == b) {
        let letter = char::from(b'?' + run.first().copied().unwrap_or(0));
        if run.len() > 3 {
            let _ = write!(out, "!{}{letter}", run.len());
        } else {
            out.extend(std::iter::repeat_n(letter, run.len()));
        }
    }
}

/// As half-blocks in `area`, two pixels a cell.
pub(super) fn blocks(picture: &RgbImage, area: Rect, buffer: &mut Buffer) {
    let rgb = |x: u32, y: u32| {
        let [red, green, blue] = picture.get_pixel_checked(x, y).map_or([0; 3], |pixel| pixel.0);
        Color::Rgb(red, green, blue)
    };
    for row in 0..area.height {
        for column in 0..area.width {
            let (x, y) = (u32::from(column), u32::from(row) * 2);
            if x >= picture.width() || y >= picture.height() {
                continue;
            }
            if let Some(cell) = buffer.cell_mut((area.x + column, area.y + row)) {
                cell.set_symbol("▀").set_fg(rgb(x, y)).set_bg(rgb(x, y + 1));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::Rgb;

    #[test]
    fn sixels_are_bits_of_a_band() {
        let mut picture = RgbImage::from_pixel(5, 7, Rgb([255, 0, 0]));
        picture.put_pixel(0, 6, Rgb([0, 0, 255]));
        let text = sixel(&picture);
        let body = text.rsplit_once("#215;2;100;100;100").unwrap().1;
        // Six rows of red in five columns, then of the last row the first one blue and the others red.
        assert_eq!(body, "#180!5~$-#5@!4?$#180?!4@$-\u{1b}\\");
    }

    #[test]
    fn a_long_picture_comes_in_pieces() {
        let noise = RgbImage::from_fn(64, 64, |x, y| {
            let mixed = (x.wrapping_mul(2_654_435_761) ^ y.wrapping_mul(40_503)).to_le_bytes();
            Rgb([mixed[1], mixed[2], mixed[3]])
        });
        let text = kitty(&noise, 10, 5).unwrap();
        let pieces: Vec<&str> = text.split("\x1b_G").skip(1).collect();
        assert!(pieces.len() > 1);
        assert!(pieces[0].starts_with("a=T,f=100,q=2,C=1,i=7,p=1,c=10,r=5,m=1;"));
        assert!(pieces.last().unwrap().starts_with("m=0;"));
        assert!(iterm2(&noise, 10, 5).unwrap().starts_with("\x1b]1337;File=inline=1;size="));
    }

    #[test]
    fn a_cell_is_two_pixels() {
        let picture = RgbImage::from_fn(2, 3, |_, y| Rgb([u8::try_from(y).unwrap(); 3]));
        let area = Rect::new(1, 0, 4, 4);
        let mut buffer = Buffer::empty(Rect::new(0, 0, 6, 4));
        blocks(&picture, area, &mut buffer);
        let cell = &buffer[(1, 1)];
        assert_eq!((cell.symbol(), cell.fg, cell.bg), ("▀", Color::Rgb(2, 2, 2), Color::Rgb(0, 0, 0)));
        assert_eq!(buffer[(3, 0)].symbol(), " ");
    }
}
