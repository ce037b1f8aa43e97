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
        Some((thought, answer)) if !is_json(start) => (stated(thought), answer.trim_start().to_owned()),
        _ => (None, content.to_owned()),
    }
}

/// A thought that nothing has ended yet, without what opened it.
pub(super) fn opened(content: &str) -> &str {
    let start = content.trim_start();
    let thought = start.strip_prefix(OPEN).unwrap_or(start);
    thought.split_once(CLOSE).map_or(thought, |(thought, _)| thought)
}

/// The words of an answer that has been thought about and is to begin now.
pub(super) fn closed(thought: &str) -> String {
    format!("{OPEN}\n{thought}\n{CLOSE}\n\n")
}

fn stated(thought: &str) -> Option<String> {
    let thought = thought.trim();
    (!thought.is_empty()).then(|| thought.to_owned())
}

fn is_json(start: &str) -> bool {
    start.starts_with(['{', '[', '"'])
}

/// Takes the beginning of an answer out that was sent with the question, where a server repeats it, as
/// llama.cpp does.
#[derive(Debug, Default)]
pub(super) struct Echo {
    /// What may be repeated.
    begun: String,
    /// What has come of it.
    held: String,
    /// Whether only the space behind it is left.
    is_past: bool,
}

impl Echo {
    /// For a question with this beginning.
    pub(super) fn of(begun: &str) -> Self {
        Self { begun: begun.trim().to_owned(), ..Self::default() }
    }

    /// What of the next piece is no repetition.
    pub(super) fn push(&mut self, piece: String) -> String {
        if self.is_past {
            let rest = piece.trim_start();
            self.is_past = rest.is_empty();
            return rest.to_owned();
        }
        if self.begun.is_empty() {
            return piece;
        }
        self.held.push_str(&piece);
        let start = self.held.trim_start();
        if self.begun.starts_with(start) && start != self.begun {
            return String::new();
        }
        let (begun, held) = (std::mem::take(&mut self.begun), std::mem::take(&mut self.held));
        match held.trim_start().strip_prefix(&begun) {
            Some(rest) => {
                let rest = rest.trim_start();
                self.is_past = rest.is_empty();
                rest.to_owned()
            }
            None => held,
        }
    }
}

/// What a piece comes to.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Parts {
    pub(super) thought: String,
    pub(super) answer: String,
}

/// Tells thought and answer apart while they are written. A thought that nothing opens can only be presumed;
/// [`split`] has the last word.
#[derive(Debug)]
pub(super) struct Filter {
    at: At,
    /// Whether what does not begin as JSON is a thought.
    presumes: bool,
}

#[derive(Debug)]
enum At {
    /// Too little has come to tell: this much.
    Start(String),
    /// In the thought, the last characters of which may begin its end.
    Thought {
        held: String,
        presumed: bool,
    },
    /// Behind it, before the answer.
    Between,
    Answer,
}

impl Filter {
    /// For an answer whose thoughts nothing may open, if `presumes`: then it must be JSON.
    pub(super) fn new(presumes: bool) -> Self {
        Self { at: At::Start(String::new()), presumes }
    }

    /// Takes the next piece.
    pub(super) fn push(&mut self, piece: &str) -> Parts {
        let mut parts = Parts::default();
        let before = std::mem::replace(&mut self.at, At::Answer);
        self.at = match before {
            At::Start(held) => self.begin(held + piece, &mut parts),
            At::Thought { held, presumed } => think(&(held + piece), presumed, &mut parts),
            At::Between => answer(piece, &mut parts),
            At::Answer => {
                parts.answer.push_str(piece);
                At::Answer
            }
        };
        parts
    }

    fn begin(&self, text: String, parts: &mut Parts) -> At {
        let start = text.trim_start();
        if let Some(rest) = start.strip_prefix(OPEN) {
            think(rest, false, parts)
        } else if OPEN.starts_with(start) {
            At::Start(text)
        } else if self.presumes && !is_json(start) {
            think(&text, true, parts)
        } else {
            parts.answer = text;
            At::Answer
        }
    }

    /// What was held back to the end and is answer after all, of `whole`.
    pub(super) fn finish(self, whole: &str) -> String {
        match self.at {
            At::Start(held) => held,
            At::Thought { presumed: true, .. } => whole.to_owned(),
            At::Thought { presumed: false, .. } | At::Between | At::Answer => String::new(),
        }
    }
}

fn think(text: &str, presumed: bool, parts: &mut Parts) -> At {
    if let Some((thought, rest)) = text.split_once(CLOSE) {
        parts.thought.push_str(thought);
        return answer(rest, parts);
    }
    // What may be the beginning of a closing tag.
    let held = (1..CLOSE.len()).rev().filter_map(|length| CLOSE.get(..length));
    let held = held.into_iter().find(|beginning| text.ends_with(beginning)).unwrap_or_default();
    parts.thought.push_str(text.strip_suffix(held).unwrap_or(text));
    At::Thought { held: held.to_owned(), presumed }
}

fn answer(text: &str, parts: &mut Parts) -> At {
    let text = text.trim_start();
    parts.answer.push_str(text);
    if text.is_empty() { At::Between } else { At::Answer }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_repeated_is_no_answer() {
        let begun = closed("so it is");
        for (content, right) in [
            (format!("{begun}yes"), "yes"),
            (begun.trim().to_owned(), ""),
            ("yes".to_owned(), "yes"),
            ("<think>\nno</think>yes".to_owned(), "<think>\nno</think>yes"),
            (format!("\n{begun}\n\nyes no"), "yes no"),
        ] {
            for size in 1..=content.len() {
                let mut echo = Echo::of(&begun);
                let pieces = content.as_bytes().chunks(size).map(|piece| String::from_utf8_lossy(piece));
                let seen: String = pieces.map(|piece| echo.push(piece.into_owned())).collect();
                assert_eq!(seen, right, "{content} in {size}");
            }
        }
        assert_eq!(Echo::default().push(" a".into()), " a");
    }

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
    fn tells_apart_whatever_the_pieces() {
        for (content, presumes, thought, answer) in [
            ("<think>a\nb</think>\n\nyes no", false, "a\nb", "yes no"),
            ("<b>ä", false, "", "<b>ä"),
            ("<thi", false, "", "<thi"),
            ("\n <think>äöü</thi</think>ok", false, "äöü</thi", "ok"),
            ("<think>a < b, a </ b", false, "a < b, a </ b", ""),
            ("a < b</think>{\"a\":1}", true, "a < b", "{\"a\":1}"),
            (" {\"a\":\"</think>\"}", true, "", " {\"a\":\"</think>\"}"),
            ("it is open</think>no", false, "", "it is open</think>no"),
            // It was no thought after all, and nothing is lost.
            ("Sure: yes", true, "Sure: yes", "Sure: yes"),
        ] {
            for size in 1..=content.chars().count() {
                let chars: Vec<char> = content.chars().collect();
                let mut filter = Filter::new(presumes);
                let mut seen = Parts::default();
                for piece in chars.chunks(size) {
                    let parts = filter.push(&piece.iter().collect::<String>());
                    seen.thought += &parts.thought;
                    seen.answer += &parts.answer;
                }
                seen.answer += &filter.finish(content);
                let right = Parts { thought: thought.into(), answer: answer.into() };
                assert_eq!(seen, right, "{content} in {size}");
            }
        }
    }
}
