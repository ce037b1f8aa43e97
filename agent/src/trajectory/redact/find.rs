//! Finds a secret in a text however it is spelled there.
//!
//! A model writes its answer as JSON, so the secret may stand in it with escapes, and with escapes of
//! escapes where a server wraps JSON in JSON; an address bar spells it in per cent. So the text is read
//! in each of these ways, and what is found is traced back to the bytes that spelled it.

/// One character of a reading, and the bytes of the text that spell it.
#[derive(Debug, Clone, Copy)]
struct Letter {
    is: char,
    start: usize,
    end: usize,
}

/// A text to look for.
#[derive(Clone)]
pub(super) struct Needle {
    letters: Vec<char>,
    /// Whether it counts only where no letter or digit touches it.
    word: bool,
}

/// A list cuts long names; as much of a secret before the cut is still a secret.
const SHORTEST_CUT: usize = 4;
const CUT: char = '…';

impl Needle {
    pub(super) fn anywhere(text: &str) -> Self {
        Self { letters: text.chars().map(fold).collect(), word: false }
    }

    pub(super) fn as_word(text: &str) -> Self {
        Self { word: true, ..Self::anywhere(text) }
    }

    pub(super) fn same(&self, other: &Self) -> bool {
        self.letters == other.letters
    }

    /// How many letters of `text` from `at` on are it.
    fn length_at(&self, text: &[Letter], at: usize) -> Option<usize> {
        let rest = text.get(at..)?;
        let same = self.letters.iter().zip(rest).take_while(|(a, b)| **a == fold(b.is)).count();
        let touches = |i: Option<usize>| {
            i.and_then(|i| text.get(i)).is_some_and(|letter| letter.is.is_alphanumeric())
        };
        if same == self.letters.len() {
            let alone = !touches(at.checked_sub(1)) && !touches(Some(at + same));
            return (same > 0 && (alone || !self.word)).then_some(same);
        }
        let is_cut = rest.get(same).is_some_and(|letter| letter.is == CUT);
        (is_cut && same >= SHORTEST_CUT && !self.word).then_some(same)
    }
}

/// A list shows double quotes as single ones and control characters as blanks.
const fn fold(c: char) -> char {
    match c {
        '"' => '\'',
        c if c.is_ascii_control() => ' ',
        c => c,
    }
}

/// The text with every needle replaced by `mask`; `None` when there is none in it.
pub(super) fn replace(text: &str, needles: &[Needle], mask: &str) -> Option<String> {
    if needles.is_empty() || text.is_empty() {
        return None;
    }
    let mut found: Vec<(usize, usize)> = Vec::new();
    for reading in readings(text) {
        for needle in needles {
            for at in 0..reading.len() {
                let Some(length) = needle.length_at(&reading, at) else { continue };
                if let (Some(first), Some(last)) = (reading.get(at), reading.get(at + length - 1)) {
                    found.push((first.start, last.end));
                }
            }
        }
    }
    (!found.is_empty()).then(|| blank(text, found, mask))
}

fn blank(text: &str, mut found: Vec<(usize, usize)>, mask: &str) -> String {
    found.sort_unstable();
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    for (start, end) in found {
        if start >= done {
            out.push_str(text.get(done..start).unwrap_or_default());
            out.push_str(mask);
        }
        done = done.max(end);
    }
    out.push_str(text.get(done..).unwrap_or_default());
    out
}

fn readings(text: &str) -> Vec<Vec<Letter>> {
    let plain: Vec<Letter> =
        text.char_indices().map(|(at, c)| Letter { is: c, start: at, end: at + c.len_utf8() }).collect();
    let mut all = Vec::with_capacity(4);
    if text.contains('\\') {
        let once = unescaped(&plain);
        if once.iter().any(|letter| letter.is == '\\') {
            all.push(unescaped(&once));
        }
        all.push(once);
    }
    if text.contains(['%', '+']) {
        all.push(unquoted(&plain));
    }
    all.push(plain);
    all
}

/// The reading with JSON's escapes undone. What is no escape stays as it is.
fn unescaped(text: &[Letter]) -> Vec<Letter> {
    let mut out = Vec::with_capacity(text.len());
    let mut at = 0;
    while let Some(letter) = text.get(at) {
        let (is, length) = match escape(text, at) {
            Some(found) => found,
            None => (letter.is, 1),
        };
        let end = text.get(at + length - 1).map_or(letter.end, |last| last.end);
        out.push(Letter { is, start: letter.start, end });
        at += length;
    }
    out
}

/// The character that the escape at `at` stands for, and how many letters spell it.
fn escape(text: &[Letter], at: usize) -> Option<(char, usize)> {
    let is = |i: usize| text.get(at + i).map(|letter| letter.is);
    if is(0) != Some('\\') {
        return None;
    }
    let simple = match is(1)? {
        c @ ('"' | '\'' | '\\' | '/') => c,
        'b' => '\u{8}',
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'u' => return unicode(text, at),
        _ => return None,
    };
    Some((simple, 2))
}

fn unicode(text: &[Letter], at: usize) -> Option<(char, usize)> {
    let high = hex(text, at + 2, 4)?;
    if let Some(c) = char::from_u32(high) {
        return Some((c, 6));
    }
    let follows =
        [(6, '\\'), (7, 'u')].iter().all(|(i, c)| text.get(at + i).is_some_and(|l| l.is == *c));
    let low = hex(text, at + 8, 4).filter(|low| follows && (0xDC00..0xE000).contains(low))?;
    let both = 0x1_0000 + (high.checked_sub(0xD800)? << 10) + (low - 0xDC00);
    char::from_u32(both).map(|c| (c, 12))
}

fn hex(text: &[Letter], at: usize, digits: usize) -> Option<u32> {
    let digits = text.get(at..at + digits)?;
    digits.iter().try_fold(0, |sum, letter| Some(sum * 16 + letter.is.to_digit(16)?))
}

/// The reading with an address's per cent signs undone, and `+` as the blank that it is in a query.
fn unquoted(text: &[Letter]) -> Vec<Letter> {
    let mut out = Vec::with_capacity(text.len());
    let mut at = 0;
    while let Some(letter) = text.get(at) {
        let run = bytes_at(text, at);
        if run.is_empty() {
            out.push(Letter { is: if letter.is == '+' { ' ' } else { letter.is }, ..*letter });
            at += 1;
            continue;
        }
        for c in String::from_utf8_lossy(&run).chars() {
            // Three letters a byte; a byte that is no UTF-8 has become one replacement character.
            let length = if c == char::REPLACEMENT_CHARACTER { 3 } else { 3 * c.len_utf8() };
            let (first, last) = (text.get(at), text.get(at + length - 1));
            if let (Some(first), Some(last)) = (first, last) {
                out.push(Letter { is: c, start: first.start, end: last.end });
            }
            at += length;
        }
    }
    out
}

/// The bytes that the `%XX` from `at` on spell.
fn bytes_at(text: &[Letter], mut at: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while text.get(at).is_some_and(|letter| letter.is == '%') {
        let Some(byte) = hex(text, at + 1, 2).and_then(|byte| u8::try_from(byte).ok()) else { break };
        bytes.push(byte);
        at += 3;
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn masked(text: &str, secret: &str) -> String {
        replace(text, &[Needle::anywhere(secret)], "*").unwrap_or_else(|| text.into())
    }

    #[test]
    fn finds_every_spelling() {
        for (text, secret, expected) in [
            ("log in with hunter2!", "hunter2", "log in with *!"),
            ("hunter2hunter2", "hunter2", "**"),
            (r#"{"text": "a\"b\\c"}"#, r#"a"b\c"#, r#"{"text": "*"}"#),
            (
                r#"{"arguments": "{\"text\":\"a\\\"b\\\\c\"}"}"#,
                r#"a"b\c"#,
                r#"{"arguments": "{\"text\":\"*\"}"}"#,
            ),
            (r#""caf\u00e9 \ud83d\ude00x""#, "café 😀x", r#""*""#),
            ("/login?pw=a%20b%C3%A9%26&x=1", "a bé&", "/login?pw=*&x=1"),
            ("/login?pw=a+bcd", "a bcd", "/login?pw=*"),
            (r#"[3] textbox value="it's 'here' now""#, "it's \"here\"\tnow", r#"[3] textbox value="*""#),
            ("value=\"correct horse batt…\"", "correct horse battery staple", "value=\"*…\""),
            ("nothing here", "hunter2", "nothing here"),
            ("abc…", "abcdef", "abc…"),
        ] {
            assert_eq!(masked(text, secret), expected, "{text}");
        }
    }

    #[test]
    fn a_short_one_counts_as_a_word_only() {
        let needles = [Needle::as_word("42")];
        let found = replace(r#"{"text":"42"} 142 42nd x42, 42."#, &needles, "*");
        assert_eq!(found.as_deref(), Some(r#"{"text":"*"} 142 42nd x42, *."#));
    }

    proptest! {
        #[test]
        fn nothing_is_left_and_nothing_panics(
            before in "[a\\\\\"%u0+é…]{0,12}", secret in "[a\\\\\"%u+é😀b]{4,9}", after in "[a\\\\\"%u0+é…]{0,12}",
        ) {
            let out = masked(&format!("{before}{secret}{after}"), &secret);
            prop_assert!(!out.contains(&secret));
            let json = serde_json::to_string(&format!("x{secret}x")).unwrap();
            let out = masked(&json, &secret);
            prop_assert_eq!(out, "\"x*x\"");
        }

        #[test]
        fn any_text_is_read(text in any::<String>(), secret in "\\PC{4,6}") {
            let _ = masked(&text, &secret);
        }
    }
}
