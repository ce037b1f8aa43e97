//! Puts the bytes of tokens together into text, and gives it out only as far as it is certain: whole
//! characters, and nothing that may turn out to be the beginning of a stop text.

/// The text of an answer while it is written.
#[derive(Debug)]
pub(super) struct Text {
    stops: Vec<String>,
    /// Bytes that are not yet a whole character.
    bytes: Vec<u8>,
    whole: String,
    /// How much of `whole` was given out, in bytes.
    given: usize,
}

impl Text {
    /// An empty text that ends before the first of `stops`.
    pub(super) fn new(stops: Vec<String>) -> Self {
        Self { stops, bytes: Vec::new(), whole: String::new(), given: 0 }
    }

    /// Adds the bytes of a token. `true` once a stop text has come: the text is then complete.
    pub(super) fn push(&mut self, bytes: &[u8]) -> bool {
        self.bytes.extend_from_slice(bytes);
        let mut left = 0;
        for chunk in self.bytes.utf8_chunks() {
            self.whole.push_str(chunk.valid());
            match chunk.invalid() {
                [] => {}
                invalid if self.bytes.ends_with(invalid) && may_grow(invalid) => left = invalid.len(),
                _ => self.whole.push(char::REPLACEMENT_CHARACTER),
            }
        }
        self.bytes.drain(..self.bytes.len() - left);
        let open = self.whole.get(self.given..).unwrap_or_default();
        let stops = self.stops.iter().filter(|stop| !stop.is_empty());
        let end = stops.filter_map(|stop| open.find(stop.as_str())).min();
        if let Some(end) = end {
            self.whole.truncate(self.given + end);
        }
        end.is_some()
    }

    /// What can be given out since the last time.
    pub(super) fn piece(&mut self) -> Option<&str> {
        let open = self.whole.get(self.given..).unwrap_or_default();
        let begins_stop = |tail: &str| self.stops.iter().any(|stop| stop.starts_with(tail));
        let tail = open.char_indices().find(|(i, _)| open.get(*i..).is_some_and(begins_stop));
        self.give(tail.map_or(open.len(), |(i, _)| i))
    }

    /// Ends the text and gives out what was held back.
    pub(super) fn finish(&mut self) -> Option<&str> {
        if !self.bytes.is_empty() {
            self.bytes.clear();
            self.whole.push(char::REPLACEMENT_CHARACTER);
        }
        self.give(self.whole.len() - self.given)
    }

    /// Gives out the next `length` bytes.
    fn give(&mut self, length: usize) -> Option<&str> {
        let from = self.given;
        self.given += length;
        self.whole.get(from..self.given).filter(|piece| !piece.is_empty())
    }

    /// The whole text.
    pub(super) fn into_text(self) -> String {
        self.whole
    }
}

/// Whether these bytes can begin a character that the next ones complete.
fn may_grow(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_err_and(|error| error.error_len().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The pieces given out for these tokens, and whether a stop text came.
    fn pieces(stops: &[&str], tokens: &[&[u8]]) -> (Vec<String>, bool) {
        let stops: Vec<String> = stops.iter().map(ToString::to_string).collect();
        let mut text = Text::new(stops);
        let mut pieces = Vec::new();
        let mut stopped = false;
        for token in tokens {
            stopped = text.push(token);
            if stopped {
                break;
            }
            pieces.extend(text.piece().map(str::to_owned));
        }
        pieces.extend(text.finish().map(str::to_owned));
        assert_eq!(pieces.concat(), text.into_text());
        (pieces, stopped)
    }

    #[test]
    fn characters_are_never_torn() {
        let cases: [(&[&[u8]], &[&str]); 5] = [
            (&[b"a\xE2", b"\x82", b"\xACb"], &["a", "€b"]),
            (&[b"\xF0\x9F", b"\x98\x80"], &["😀"]),
            (&[b"a\xFFb", b"c"], &["a\u{FFFD}b", "c"]),
            (&[b"\xE2\x82", b"x"], &["\u{FFFD}x"]),
            (&[b"cut \xE2\x82"], &["cut ", "\u{FFFD}"]),
        ];
        for (tokens, right) in cases {
            assert_eq!(pieces(&[], tokens).0, right, "{tokens:?}");
        }
    }

    #[test]
    fn stops_end_the_text_and_are_held_back() {
        type Case<'a> = (&'a [&'a str], &'a [&'a [u8]], &'a [&'a str], bool);
        let cases: [Case<'_>; 6] = [
            (&["\n\n"], &[b"one\n", b"two\n", b"\nthree"], &["one", "\ntwo"], true),
            (&["END"], &[b"an E", b"N", b"D more"], &["an "], true),
            (&["END"], &[b"an E", b"Nough"], &["an ", "ENough"], false),
            (&["END"], &[b"an EN"], &["an ", "EN"], false),
            (&["b", "a"], &[b"xab"], &["x"], true),
            (&[""], &[b"x"], &["x"], false),
        ];
        for (stops, tokens, right, stopped) in cases {
            let (got, did_stop) = pieces(stops, tokens);
            assert_eq!(
                (got, did_stop),
                (right.iter().map(ToString::to_string).collect(), stopped),
                "{tokens:?}"
            );
        }
    }
}
