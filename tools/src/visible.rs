//! Words of others with nothing hidden in them: what cannot be seen, moves a cursor, breaks a line or turns the order
//! of letters is written out, as `\u{202e}`. One rule for the list that a model reads, for what a person is
//! asked and shown, and for the names that the rules judge.
//!
//! Not written out is what a script or an emoji needs: joiners between pictures (`👩‍💻`) and between letters that
//! change their form (Arabic, Hindi), and the selectors of a picture's or an ideograph's form.

use icu_properties::props::{
    BidiClass, CanonicalCombiningClass, DefaultIgnorableCodePoint, Emoji, EmojiModifier,
    ExtendedPictographic, Ideographic, JoiningType,
};
use icu_properties::{CodePointMapData, CodePointSetData};

/// Ends words of a right-to-left script, so that what follows does not stand among them. It can turn nothing.
const LEFT_TO_RIGHT: char = '\u{200e}';
const NON_JOINER: char = '\u{200c}';
const JOINER: char = '\u{200d}';
/// Asks for the form of an emoji in colour.
const IN_COLOUR: char = '\u{fe0f}';

/// `text` as a person may safely read it, cut after `max` of its characters; the cut is named. Words of a right-to-left
/// script end where their quotes do: nothing that follows is drawn among them.
pub fn visible(text: &str, max: usize) -> String {
    let mut shown = String::with_capacity(text.len().min(max));
    let mut turned = false;
    let mut rest = marked(text).take(max).peekable();
    while let Some((c, is_hidden)) = rest.next() {
        if turned && ends_words(c) {
            shown.push(LEFT_TO_RIGHT);
        }
        let mut ends = || rest.peek().is_none_or(|(next, _)| ends_words(*next));
        let is_own = turned && c == LEFT_TO_RIGHT && ends();
        push(&mut shown, c, is_hidden && !is_own);
        // What is written out is written in Latin letters.
        let to_left = !is_hidden && is_right_to_left(c).unwrap_or(turned);
        turned = !is_own && !ends_words(c) && to_left;
    }
    if turned {
        shown.push(LEFT_TO_RIGHT);
    }
    let rest = text.chars().skip(max).count();
    if rest > 0 {
        return format!("{shown}… ({rest} more characters)");
    }
    shown
}

/// `text` with what is hidden written out and nothing added, cut where more than `max` characters would stand there.
pub fn written(text: &str, max: usize) -> String {
    let mut shown = String::with_capacity(text.len().min(max));
    let mut room = max;
    for (c, is_hidden) in marked(text) {
        let width = if is_hidden { c.escape_default().len() } else { 1 };
        if width > room {
            shown.push('…');
            break;
        }
        room -= width;
        push(&mut shown, c, is_hidden);
    }
    shown
}

/// `json` with whatever is hidden in its texts as `\u202e`: to a program it says the same, and on a terminal it moves
/// nothing. Joiners and selectors are hidden there too.
pub fn json(json: &str) -> String {
    let mut shown = String::with_capacity(json.len());
    for c in json.chars() {
        // Between the texts stand blanks and line breaks; within them such are escaped already.
        if !is_hidden(c) || c.is_ascii_whitespace() {
            shown.push(c);
        } else {
            let mut units = [0; 2];
            let units = c.encode_utf16(&mut units).iter();
            shown.extend(units.flat_map(|unit| format!("\\u{unit:04x}").into_bytes()).map(char::from));
        }
    }
    shown
}

/// Whether there is anything in `text` that has to be written out.
pub(crate) fn hides(text: &str) -> bool {
    marked(text).any(|(_, is_hidden)| is_hidden)
}

fn push(shown: &mut String, c: char, is_hidden: bool) {
    if is_hidden {
        shown.extend(c.escape_default());
    } else {
        shown.push(c);
    }
}

/// Each character, and whether it is hidden where it stands.
fn marked(text: &str) -> impl Iterator<Item = (char, bool)> {
    let mut before = None;
    let mut rest = text.chars().peekable();
    std::iter::from_fn(move || {
        let c = rest.next()?;
        let hidden = is_hidden(c) && !is_needed(before, c, rest.peek().copied());
        before = Some(c);
        Some((c, hidden))
    })
}

/// Controls, breaks of lines and paragraphs, notes between lines, and what Unicode lets a program show as nothing:
/// overrides of direction, blanks of no width, fillers, selectors, tags.
fn is_hidden(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_control();
    }
    c.is_control()
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{fff9}'..='\u{fffb}')
        || CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(c)
}

/// Whether `c`, which shows as nothing, forms what stands around it.
fn is_needed(before: Option<char>, c: char, after: Option<char>) -> bool {
    let Some(before) = before else { return false };
    match c {
        NON_JOINER | JOINER => {
            let joins = |after| c == JOINER && ends_picture(before) && is_picture(after);
            let formed = |after| has_forms(before) && has_forms(after);
            is_virama(before) || after.is_some_and(|after| joins(after) || formed(after))
        }
        '\u{fe0e}' | IN_COLOUR if CodePointSetData::new::<Emoji>().contains(before) => true,
        '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}' => {
            CodePointSetData::new::<Ideographic>().contains(before)
        }
        _ => false,
    }
}

fn is_picture(c: char) -> bool {
    CodePointSetData::new::<ExtendedPictographic>().contains(c)
}

fn ends_picture(c: char) -> bool {
    c == IN_COLOUR || is_picture(c) || CodePointSetData::new::<EmojiModifier>().contains(c)
}

/// Whether it is written otherwise beside another letter.
fn has_forms(c: char) -> bool {
    let kind = CodePointMapData::<JoiningType>::new().get(c);
    matches!(kind, JoiningType::DualJoining | JoiningType::LeftJoining | JoiningType::RightJoining)
}

/// Whether it takes the vowel from the letter before it, which may then join the next.
fn is_virama(c: char) -> bool {
    CodePointMapData::<CanonicalCombiningClass>::new().get(c) == CanonicalCombiningClass::Virama
}

/// Which way a letter is written; nothing for what goes along with what stands around it.
fn is_right_to_left(c: char) -> Option<bool> {
    match CodePointMapData::<BidiClass>::new().get(c) {
        BidiClass::RightToLeft | BidiClass::ArabicLetter => Some(true),
        BidiClass::LeftToRight => Some(false),
        _ => None,
    }
}

/// The signs that stand around the words of others in our sentences.
const fn ends_words(c: char) -> bool {
    matches!(c, '"' | '`')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn nothing_hides() {
        for (text, expected) in [
            ("Save as…", "Save as…"),
            ("a\n\tb", "a\\n\\tb"),
            ("\u{1b}[2J", "\\u{1b}[2J"),
            ("gpj\u{202e}exe", "gpj\\u{202e}exe"),
            ("\u{2066}a\u{2069}", "\\u{2066}a\\u{2069}"),
            ("a\u{2028}[9] button\u{2029}", "a\\u{2028}[9] button\\u{2029}"),
            ("a\u{200b}b\u{2060}c\u{feff}d\u{200f}", "a\\u{200b}b\\u{2060}c\\u{feff}d\\u{200f}"),
            ("no\u{e0041}\u{e007f}", "no\\u{e0041}\\u{e007f}"),
            ("a\u{200d}b\u{200c}c", "a\\u{200d}b\\u{200c}c"),
            ("x\u{fe00}y\u{e0101}", "x\\u{fe00}y\\u{e0101}"),
        ] {
            assert_eq!(visible(text, 100), expected);
            assert_eq!(written(text, 100), expected);
            assert!(expected == text || hides(text));
        }
        assert_eq!(visible("abcdef", 4), "abcd… (2 more characters)");
        assert_eq!(written("abcdef", 4), "abcd…");
        assert_eq!(written("ab\u{202e}cdef", 9), "ab…");
    }

    #[test]
    fn json_says_the_same_with_nothing_hidden() {
        assert_eq!(
            json("{\"a\":\"x\u{202e}y é中\u{e0041}\"}"),
            "{\"a\":\"x\\u202ey é中\\udb40\\udc41\"}"
        );
        assert_eq!(json("\"👩\u{200d}💻\u{85}\""), "\"👩\\u200d💻\\u0085\"");
    }

    #[test]
    fn what_forms_letters_and_pictures_stays() {
        for text in [
            "👩\u{200d}💻",
            "👍🏽",
            "❤\u{fe0f}\u{200d}🔥",
            "1\u{fe0f}\u{20e3}",
            "🇩🇪",
            "é中🎉",
            "葛\u{e0100}",
            "می\u{200c}خواهم",
            "क्\u{200d}ष",
            "ന്\u{200d}",
            "שָׁלוֹם",
            "e\u{301}",
        ] {
            assert_eq!(written(text, 100), text);
            assert!(!hides(text));
        }
        // One more than there is something to form.
        assert_eq!(written("👩\u{200d}\u{200d}💻", 100), "👩\\u{200d}\\u{200d}💻");
        assert_eq!(written("❤\u{fe0f}\u{fe0f}", 100), "❤\u{fe0f}\\u{fe0f}");
    }

    #[test]
    fn what_follows_words_from_the_right_is_not_drawn_among_them() {
        for (text, expected) in [
            ("[1] text \"אבג\" | [2] text", "[1] text \"אבג\u{200e}\" | [2] text"),
            ("[1] text \"אבג, 12\" 3", "[1] text \"אבג, 12\u{200e}\" 3"),
            ("`אבג`, `a`", "`אבג\u{200e}`, `a`"),
            ("אבג abc", "אבג abc"),
            ("אבג", "אבג\u{200e}"),
            ("אב\u{200e} גד", "אב\\u{200e} גד\u{200e}"),
        ] {
            assert_eq!(visible(text, 100), expected);
            assert_eq!(
                visible(expected, 100).matches('\u{200e}').count(),
                expected.matches('\u{200e}').count()
            );
        }
    }

    /// Characters of all kinds, the hidden ones often.
    fn text() -> impl Strategy<Value = String> {
        let hidden = "[\u{0}-\u{20}\u{7f}-\u{9f}\u{ad}\u{200b}-\u{200f}\u{2028}-\u{202e}\u{2060}-\u{206f}\u{fe00}-\u{fe0f}\u{feff}]";
        let tags = "[\u{e0000}-\u{e01ef}]";
        let words = "[a-z\"`\\\\|א-ת☀-➿👩💻中]";
        let piece = prop_oneof![hidden, tags, words, any::<char>().prop_map(String::from)];
        prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn no_text_hides_anything_or_leaves_its_line(text in text(), max in 0_usize..60) {
            for shown in [visible(&text, max), written(&text, max)] {
                prop_assert!(!shown.chars().any(|c| {
                    c.is_control() || matches!(c, '\u{200b}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
                        | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
                }), "{shown:?}");
            }
            prop_assert!(written(&text, max).chars().count() <= max + 1);
        }

        #[test]
        fn json_stays_what_it_is(text in text()) {
            let plain = serde_json::to_string(&text).unwrap();
            let shown = json(&plain);
            prop_assert!(!shown.chars().any(is_hidden), "{shown:?}");
            prop_assert_eq!(serde_json::from_str::<String>(&shown).unwrap(), text);
        }

        #[test]
        fn what_is_written_out_stays_as_it_is(text in text()) {
            let once = written(&text, usize::MAX);
            prop_assert_eq!(&written(&once, usize::MAX), &once);
            let once = visible(&text, usize::MAX);
            prop_assert_eq!(&visible(&once, usize::MAX), &once);
        }
    }
}
