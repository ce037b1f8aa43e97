//! Writes a film: through ffmpeg where it is installed, and as an animated PNG, which every browser plays,
//! without it.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{BufWriter, ErrorKind, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, Result};
use freehand_agent::history::film::Film;
use indicatif::{ProgressBar, ProgressStyle};
use png::{BitDepth, ColorType, Encoder};

use super::unwritable;
use crate::exit::usage;

/// Writes `film` to the file `to`; each picture stays for so many seconds.
pub(super) fn write(film: Film, to: &Path, pace: f64) -> Result<()> {
    if film.len() == 0 {
        return Err(usage("the run has no step, so there is nothing to be shown"));
    }
    let ending = to.extension().and_then(OsStr::to_str).unwrap_or_default().to_lowercase();
    let bar = ProgressBar::new(film.len() as u64);
    if let Ok(style) = ProgressStyle::with_template("drawing {bar:30} {pos}/{len} {eta}") {
        bar.set_style(style);
    }
    let written = if matches!(ending.as_str(), "png" | "apng") {
        let out = File::create_new(to).map_err(|error| unwritable(to, error))?;
        animated(film, out, pace, &bar)
    } else {
        through_ffmpeg(film, to, pace, &bar)
    };
    bar.finish_and_clear();
    // Half a film is none.
    written.inspect_err(|_| drop(std::fs::remove_file(to)))
}

fn animated(film: Film, out: File, pace: f64, bar: &ProgressBar) -> Result<()> {
    let (width, height) = film.size;
    let mut encoder = Encoder::new(BufWriter::new(out), width, height);
    encoder.set_color(ColorType::Rgb);
    encoder.set_depth(BitDepth::Eight);
    encoder.set_animated(u32::try_from(film.len())?, 0)?;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it is from 50 to 60 000"
    )]
    let delay = (pace * 1000.0) as u16;
    encoder.set_frame_delay(delay, 1000)?;
    let mut writer = encoder.write_header()?;
    for picture in film {
        writer.write_image_data(&picture)?;
        bar.inc(1);
    }
    writer.finish()?;
    Ok(())
}

fn through_ffmpeg(film: Film, to: &Path, pace: f64, bar: &ProgressBar) -> Result<()> {
    let (width, height) = film.size;
    let mut ffmpeg = start(to, &format!("{width}x{height}"), pace)?;
    let mut input = ffmpeg.stdin.take().context("ffmpeg takes nothing")?;
    let mut broken = None;
    for picture in film {
        if let Err(error) = input.write_all(&picture) {
            // It says why itself.
            broken = Some(error);
            break;
        }
        bar.inc(1);
    }
    drop(input);
    let ended = ffmpeg.wait_with_output()?;
    let said = String::from_utf8_lossy(&ended.stderr);
    let said = said.lines().last().unwrap_or("it says nothing of it").trim();
    anyhow::ensure!(ended.status.success() && broken.is_none(), "ffmpeg cannot make the film: {said}");
    Ok(())
}

fn start(to: &Path, size: &str, pace: f64) -> Result<Child> {
    let mut command = Command::new("ffmpeg");
    command.args(["-hide_banner", "-loglevel", "error", "-nostdin", "-n"]);
    command.args(["-f", "rawvideo", "-pixel_format", "rgb24", "-video_size", size]);
    command.args(["-framerate", &format!("{}", 1.0 / pace), "-i", "pipe:0"]);
    // Players stumble over films with few pictures a second, and over other ways to keep colours.
    command.args(["-r", "10", "-pix_fmt", "yuv420p"]);
    // A name that begins with a dash is no option.
    command.arg(std::path::absolute(to)?);
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
    command.spawn().map_err(|error| {
        if error.kind() == ErrorKind::NotFound {
            return usage("ffmpeg is not installed; install it, or name a file that ends in .png for a film that browsers play");
        }
        anyhow::Error::from(error).context("ffmpeg cannot be started")
    })
}
