//! How this terminal shows pictures: asked of the terminal itself, since that works over ssh too, and
//! guessed by its name where it cannot be asked.

use std::io::{Write as _, stdout};
use std::time::{Duration, Instant};

/// As long as a terminal may take to answer; over a slow line it is shown in blocks.
const PATIENCE: Duration = Duration::from_millis(400);

/// A way to show a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// Half of a character for each pixel: works everywhere.
    Blocks,
    /// The protocol of kitty: <https://sw.kovidgoyal.net/kitty/graphics-protocol/>.
    Kitty,
    /// The one of iTerm2: <https://iterm2.com/documentation-images.html>.
    Iterm2,
    /// Sixels, as the VT340 had them.
    Sixel,
}

/// What the terminal can. It must be in raw mode, and nobody else may read from it.
pub(super) fn ask() -> Way {
    if let Some(way) = by_name(|name| std::env::var(name).ok()) {
        return way;
    }
    answer().map_or(Way::Blocks, |answer| by_answer(&answer))
}

/// Those that do not tell what they can, or tell more than they do.
fn by_name(variable: impl Fn(&str) -> Option<String>) -> Option<Way> {
    // What is between takes the names of the terminal around it over, and not what it can.
    let between = ["TMUX", "STY"].iter().any(|name| variable(name).is_some());
    let is = |name: &str, value: &str| variable(name).as_deref() == Some(value);
    let able =
        is("TERM_PROGRAM", "iTerm.app") || is("LC_TERMINAL", "iTerm2") || is("TERM_PROGRAM", "WezTerm");
    (able && !between).then_some(Way::Iterm2)
}

/// What the terminal answers to the question whether it knows kitty's pictures, and which features it
/// has; the second every terminal answers, so nobody waits for the first.
fn answer() -> Option<Vec<u8>> {
    let mut out = stdout().lock();
    out.write_all(b"\x1b_Gi=31,s=1,v=1,a=q,t=d,f=24;AAAA\x1b\\\x1b[c").ok()?;
    out.flush().ok()?;
    let end = Instant::now() + PATIENCE;
    let mut heard = Vec::new();
    while !is_whole(&heard) && heard.len() < 1024 {
        heard.push(next(end)?);
    }
    Some(heard)
}

/// The next byte, where one comes before `end`. Nothing is read ahead: what follows are keys.
#[cfg(unix)]
fn next(end: Instant) -> Option<u8> {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    let input = std::io::stdin();
    let mut fds = [PollFd::new(&input, PollFlags::IN)];
    let left = Timespec::try_from(end.saturating_duration_since(Instant::now())).ok();
    if poll(&mut fds, left.as_ref()).ok()? == 0 {
        return None;
    }
    let mut byte = [0];
    let read = rustix::io::read(&input, &mut byte).ok()?;
    (read == 1).then_some(byte).map(|[byte]| byte)
}

#[cfg(not(unix))]
fn next(_: Instant) -> Option<u8> {
    None
}

/// Whether the list of features has come, which is the last.
fn is_whole(heard: &[u8]) -> bool {
    heard.ends_with(b"c") && heard.windows(3).any(|part| part == b"\x1b[?")
}

fn by_answer(heard: &[u8]) -> Way {
    let heard = String::from_utf8_lossy(heard);
    let features = heard.rsplit_once("\u{1b}[?").map(|(_, rest)| rest.trim_end_matches('c'));
    if heard.contains("_Gi=31;OK") {
        Way::Kitty
    } else if features.is_some_and(|list| list.split(';').skip(1).any(|feature| feature == "4")) {
        Way::Sixel
    } else {
        Way::Blocks
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers() {
        for (heard, way) in [
            ("", Way::Blocks),
            ("\u{1b}[?62;22c", Way::Blocks),
            ("\u{1b}[?62;4;22c", Way::Sixel),
            ("\u{1b}[?4c", Way::Blocks),
            ("\u{1b}_Gi=31;OK\u{1b}\\\u{1b}[?62;4c", Way::Kitty),
            ("\u{1b}_Gi=31;EINVAL:no\u{1b}\\\u{1b}[?62;c", Way::Blocks),
        ] {
            assert_eq!(by_answer(heard.as_bytes()), way, "{heard:?}");
        }
        assert!(is_whole(b"\x1b[?62c") && !is_whole(b"\x1b[?62") && !is_whole(b"c"));
    }

    #[test]
    fn names() {
        let named = |pairs: &[(&str, &str)]| {
            by_name(|name| {
                pairs.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
            })
        };
        assert_eq!(named(&[("LC_TERMINAL", "iTerm2")]), Some(Way::Iterm2));
        assert_eq!(named(&[("LC_TERMINAL", "iTerm2"), ("TMUX", "/tmp/x")]), None);
        assert_eq!(named(&[("TERM", "xterm")]), None);
    }
}
