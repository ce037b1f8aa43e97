//! What `freehand observe` is told.

use std::path::PathBuf;

use clap::Args;
use freehand_tools::geometry::ScreenRect;

use crate::display::{self, Display};

#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the command line")]
pub struct ObserveArgs {
    /// `:1`, `virtual`, `virtual:1280x800` or `virtual:NAME` [default: the display of the session].
    #[arg(long, value_name = "DISPLAY")]
    pub display: Option<Display>,
    /// Print all that is known as JSON.
    #[arg(long)]
    pub json: bool,
    /// Write the picture of the screen to this file, as PNG.
    #[arg(long, value_name = "FILE", value_parser = picture_file)]
    pub image: Option<PathBuf>,
    /// Draw the numbers of the list and the pointer into the picture.
    #[arg(long, requires = "image")]
    pub marks: bool,
    /// Fit the picture as a model is shown a part that it looks at closely: a part of at most 784 px a side and
    /// 287500 px in all becomes two to eight times as large, one of more than 1568 px a side or 1150000 px in all
    /// smaller.
    #[arg(long, requires = "image")]
    pub enlarge: bool,
    /// Only the front window that has this in its title or its program's name.
    #[arg(long, value_name = "TEXT")]
    pub window: Option<String>,
    /// Only this part of the screen, in px.
    #[arg(long, value_name = "X,Y,WxH", value_parser = display::region, conflicts_with = "window")]
    pub region: Option<ScreenRect>,
    /// The monitor with this number, counted from 1 [default: the one with the window or the region that is
    /// asked for, or else with the keyboard].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub monitor: Option<u16>,
    /// Show the list as a model is given it, in about so many tokens: what can be used goes first, but for a quarter
    /// that is kept for what can only be read, and what is known by its look alone goes last; a line says
    /// what was left out. A model has 2500 [default: the whole list, by the parts of each window].
    #[arg(long, value_name = "TOKENS", value_parser = budget, conflicts_with_all = ["json", "watch"])]
    pub budget: Option<usize>,
    /// Go on looking, and show what changes, until Ctrl-C: `+` came, `-` went, `~` reads so now; in parentheses what
    /// cannot be seen. With --json the whole screen after each change.
    #[arg(long, conflicts_with = "image")]
    pub watch: bool,
}

/// The pictures that are written are PNG, whatever a file is called.
fn picture_file(text: &str) -> Result<PathBuf, String> {
    let file = PathBuf::from(text);
    let ending = file.extension().map(|ending| ending.to_string_lossy().to_lowercase());
    match ending.as_deref() {
        None | Some("png") => Ok(file),
        Some(_) => Err(format!(
            "pictures are written as PNG; name it `{}`",
            file.with_extension("png").display()
        )),
    }
}

fn budget(text: &str) -> Result<usize, String> {
    let tokens = text.parse().ok().filter(|tokens| BUDGETS.contains(tokens));
    let (least, most) = (BUDGETS.start(), BUDGETS.end());
    tokens.ok_or_else(|| format!("`{text}` is not a number of tokens from {least} to {most}"))
}

/// The tokens that a list may take.
const BUDGETS: std::ops::RangeInclusive<usize> = 50..=50_000;

pub(super) const OBSERVE: &str = "\
Examples:
  freehand observe
  freehand observe --display :1 --image now.png --marks
  freehand observe --window mousepad
  freehand observe --region 0,0,640x400 --json
  freehand observe --region 0,0,200x100 --image close.png --enlarge --marks
  freehand observe --monitor 2 --image right.png
  freehand observe --budget 2500
  freehand observe --watch";

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;
    use freehand_model::dialect::list;
    use freehand_tools::picture::fit::ANY;

    use super::*;
    use crate::args::Cli;

    #[test]
    fn the_help_of_looking_has_the_sizes_that_are_used() {
        let mut all = Cli::command();
        let help = all.find_subcommand_mut("observe").unwrap().render_long_help().to_string();
        let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
        for words in [
            format!("at most {} px a side and {} px in all", ANY.longest / 2, ANY.most / 4),
            format!("more than {} px a side or {} px in all", ANY.longest, ANY.most),
            format!("A model has {} ", list::BUDGET),
            "`+` came, `-` went, `~` reads so now".to_owned(),
        ] {
            assert!(help.contains(&words), "`{words}` is missing in {help}");
        }
    }

    #[test]
    fn a_picture_is_called_what_it_is() {
        for (text, good) in
            [("x.png", true), ("x.PNG", true), ("x", true), ("/dev/stdout", true), ("x.jpg", false)]
        {
            assert_eq!(picture_file(text).is_ok(), good, "{text}");
        }
        assert!(picture_file("a/x.webp").is_err_and(|said| said.contains("`a/x.png`")));
    }
}
