//! Sees in an answer, while it is written, that the model begins to call a function. Models are trained to
//! do so in different ways and small ones mix them up, so what counts is the beginning of a call in any
//! of the usual forms; all else is text, and passed on as soon as it cannot be such a beginning.

/// What a model may put before a call.
const MARKS: [&str; 3] = ["<tool_call>", "<tools>", "<function_call>"];
/// What it may put around one at the beginning of an answer.
const FENCES: [&str; 3] = ["```json", "```xml", "```"];

/// Watches one answer.
#[derive(Debug)]
pub(super) struct Watch {
    names: Vec<String>,
    /// What was not passed on yet.
    held: String,
    /// Whether words were passed on: then only a mark begins a call.
    spoken: bool,
}

/// What was seen.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Seen {
    /// This much is text.
    Text(String),
    /// A call, after this much text; with the function's name if it is clear already.
    Call {
        /// What was said before it.
        before: String,
        /// The function.
        name: Option<String>,
    },
}

/// What a beginning may be.
enum Sign {
    Call(Option<String>),
    Perhaps,
    Text,
}

impl Watch {
    /// Looks for calls of these functions.
    pub(super) fn new(names: impl Iterator<Item = String>) -> Self {
        Self { names: names.collect(), held: String::new(), spoken: false }
    }

    /// Takes the next piece.
    pub(super) fn push(&mut self, piece: &str) -> Seen {
        self.held.push_str(piece);
        let held = std::mem::take(&mut self.held);
        if let Some(at) = MARKS.iter().filter_map(|mark| held.find(mark)).min() {
            let before = held.get(..at).unwrap_or_default().trim_end().to_owned();
            return Seen::Call { before, name: None };
        }
        if !self.spoken {
            match self.sign(held.trim_start()) {
                Sign::Call(name) => return Seen::Call { before: String::new(), name },
                Sign::Perhaps => {
                    self.held = held;
                    return Seen::Text(String::new());
                }
                Sign::Text => {}
            }
        }
        let begun = |tail: &str| MARKS.iter().any(|mark| mark.starts_with(tail));
        let cut = held.char_indices().map(|(at, _)| at).find(|at| held.get(*at..).is_some_and(begun));
        let (text, rest) = held.split_at(cut.unwrap_or(held.len()));
        self.held = rest.to_owned();
        self.spoken |= !text.trim().is_empty();
        Seen::Text(text.to_owned())
    }

    /// What was held back to the end and is text after all.
    pub(super) fn finish(self) -> String {
        self.held
    }

    /// What an answer that begins so may be.
    fn sign(&self, text: &str) -> Sign {
        if text.is_empty() || FENCES.iter().any(|fence| fence.starts_with(text)) {
            return Sign::Perhaps;
        }
        let fenced = FENCES.iter().find_map(|fence| text.strip_prefix(fence));
        let text = fenced.unwrap_or(text).trim_start();
        // `{"name": "f"` whatever the spacing; the last part is the name of one of ours.
        let mut rest = text;
        for part in ["{", "\"name\"", ":", "\""] {
            rest = rest.trim_start();
            match rest.strip_prefix(part) {
                Some(after) => rest = after,
                None if part.starts_with(rest) => return Sign::Perhaps,
                None => return Sign::Text,
            }
        }
        match rest.split_once('"') {
            Some((name, _)) if self.names.iter().any(|known| known == name) => {
                Sign::Call(Some(name.to_owned()))
            }
            None if self.names.iter().any(|name| name.starts_with(rest)) => Sign::Perhaps,
            Some(_) | None => Sign::Text,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[derive(Debug, Clone, PartialEq)]
    enum Call {
        None,
        Unnamed,
        Of(String),
    }

    /// What is seen of an answer that comes in pieces of so many characters: the text, and the call.
    fn see(answer: &str, size: usize) -> (String, Call) {
        let mut watch = Watch::new(["weather", "we"].into_iter().map(str::to_owned));
        let mut text = String::new();
        let chars: Vec<char> = answer.chars().collect();
        for piece in chars.chunks(size) {
            match watch.push(&piece.iter().collect::<String>()) {
                Seen::Text(more) => text.push_str(&more),
                Seen::Call { before, name } => {
                    return (text + &before, name.map_or(Call::Unnamed, Call::Of));
                }
            }
        }
        (text + &watch.finish(), Call::None)
    }

    #[test]
    fn tells_calls_from_text() {
        let weather = || Call::Of("weather".into());
        for (answer, text, call) in [
            ("It is sunny.", "It is sunny.", Call::None),
            ("<tool_call>\n{\"name\"", "", Call::Unnamed),
            ("{\"name\": \"weather\", \"arguments\": {}}", "", weather()),
            ("\n{ \"name\" :\"weather\",", "", weather()),
            ("```json\n{\"name\": \"weather\"", "", weather()),
            ("{\"name\": \"Ada\"}", "{\"name\": \"Ada\"}", Call::None),
            ("```python\nprint()", "```python\nprint()", Call::None),
            ("Let me look.\n<tool_call>", "Let me look.", Call::Unnamed),
            ("a < b and <tool> is", "a < b and <tool> is", Call::None),
            ("{\"name", "{\"name", Call::None),
            ("", "", Call::None),
        ] {
            for size in [1, 2, 3, 7, 100] {
                let (seen, called) = see(answer, size);
                assert_eq!((seen.trim_end(), called), (text, call.clone()), "{answer} in {size}");
            }
        }
    }

    proptest! {
        #[test]
        fn loses_nothing_where_nothing_is_called(
            answer in "[{}<>`\":a-z _é]{0,40}", size in 1usize..9
        ) {
            let (seen, call) = see(&answer, size);
            if call == Call::None {
                prop_assert_eq!(seen, answer);
            }
        }
    }
}
