//! Tells what a model thought aloud from what it answers. Servers that do not do it themselves leave
//! `<think>..</think>` in the text, and where the template has opened the thought already only the
//! closing tag is there.

const OPEN: &str = "<think>";
const CLOSE: &str = "</think>";

/// The thought, where there is one, and the answer after it.
pub(super) fn split(content: &str) -> (Option<String>, String) {
    let start = content.trim_start();
    if let Some(rest) = start.strip_prefix(OPEN) {
        // A thought that never ends is no answer.
        let (thought, answer) = rest.split_once(CLOSE).unwrap_or((rest, ""));
        return (stated(thought), answer.trim_start().to_owned());
    }
    match content.split_once(CLOSE) {
        // In an answer that starts as JSON the tag is a quotation, for example from the screen.
        Some((thought, answer)) if !start.starts_with(['{', '[', '"']) => {
            (stated(thought), answer.trim_start().to_owned())
        }
        _ => (None, content.to_owned()),
    }
}

fn stated(thought: &str) -> Option<String> {
    let thought = thought.trim();
    (!thought.is_empty()).then(|| thought.to_owned())
}

/// Passes on the answer while it is written, without the thought before it. A thought that nothing
/// opens is seen too late for that and passes; [`split`] has the last word.
#[derive(Debug, Default)]
pub(super) enum Filter {
    /// Too little has come to tell: this much.
    #[default]
    Empty,
    Undecided(String),
    /// In the thought, of which the last few characters are kept.
    Thinking(String),
    Answering,
}

impl Filter {
    /// Takes the next piece and gives what of it belongs to the answer.
    pub(super) fn push(&mut self, piece: &str) -> String {
        let before = std::mem::take(self);
        let (next, passed) = match before {
            Self::Empty => decide(piece.to_owned()),
            Self::Undecided(held) => decide(held + piece),
            Self::Thinking(held) => think(&(held + piece)),
            Self::Answering => (Self::Answering, piece.to_owned()),
        };
        *self = next;
        passed
    }

    /// What was held back to the end and is answer after all.
    pub(super) fn finish(self) -> String {
        match self {
            Self::Undecided(held) => held,
            Self::Empty | Self::Thinking(_) | Self::Answering => String::new(),
        }
    }
}

fn decide(text: String) -> (Filter, String) {
    let start = text.trim_start();
    if let Some(rest) = start.strip_prefix(OPEN) {
        think(rest)
    } else if OPEN.starts_with(start) {
        (Filter::Undecided(text), String::new())
    } else {
        (Filter::Answering, text)
    }
}

fn think(text: &str) -> (Filter, String) {
    if let Some((_, answer)) = text.split_once(CLOSE) {
        return (Filter::Answering, answer.trim_start().to_owned());
    }
    // Enough to recognise a closing tag that arrives in two pieces.
    let skipped = text.chars().count().saturating_sub(CLOSE.len());
    (Filter::Thinking(text.chars().skip(skipped).collect()), String::new())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits() {
        for (content, thought, answer) in [
            ("{\"a\":1}", None, "{\"a\":1}"),
            ("<think>\nhm\n</think>\n\nyes", Some("hm"), "yes"),
            ("  <think></think>yes", None, "yes"),
            ("it is open</think>no", Some("it is open"), "no"),
            ("<think>for ever", Some("for ever"), ""),
            ("", None, ""),
            ("{\"type\":\"</think>\"}", None, "{\"type\":\"</think>\"}"),
            ("a <think> in the middle", None, "a <think> in the middle"),
        ] {
            assert_eq!(split(content), (thought.map(str::to_owned), answer.to_owned()), "{content}");
        }
    }

    #[test]
    fn filters_whatever_the_pieces() {
        for (content, answer) in [
            ("<think>a\nb</think>\nyes no", "yes no"),
            ("<b>ä", "<b>ä"),
            ("<thi", "<thi"),
            ("\n <think>äöü</thi</think>ok", "ok"),
        ] {
            for size in 1..=content.chars().count() {
                let chars: Vec<char> = content.chars().collect();
                let mut filter = Filter::default();
                let mut seen = String::new();
                for piece in chars.chunks(size) {
                    seen += &filter.push(&piece.iter().collect::<String>());
                }
                seen += &filter.finish();
                assert_eq!(seen.trim_start(), answer, "{content} in {size}");
            }
        }
    }
}
