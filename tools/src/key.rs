//! One grammar for key chords, whoever writes them: `ctrl+shift+t` (xdotool), `Return`,
//! `["CTRL", "L"]` (a list), `ctrl c` (words), `Control+KeyA`-like names of browsers.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

/// A key that changes what the others mean while it is held.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Modifier {
    /// Control.
    Ctrl,
    /// Shift.
    Shift,
    /// Alt, the Option key of a Mac.
    Alt,
    /// Super, the Windows or Command key.
    Super,
}

impl Modifier {
    const fn word(self) -> &'static str {
        match self {
            Self::Ctrl => "ctrl",
            Self::Shift => "shift",
            Self::Alt => "alt",
            Self::Super => "super",
        }
    }
}

/// One key of the keyboard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Key {
    /// The key that makes this character.
    Char(char),
    /// F1 to F24.
    Function(u8),
    /// A key with a name.
    Named(NamedKey),
    /// A modifier pressed for its own sake.
    Modifier(Modifier),
}

macro_rules! named_keys {
    ($($variant:ident $word:literal [$($alias:literal),*] $doc:literal;)+) => {
        /// A key that is known by a name and not by a character.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum NamedKey { $(#[doc = $doc] $variant),+ }

        impl NamedKey {
            /// Every key that has a name.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The name that Freehand writes.
            pub const fn word(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }

            fn from_word(word: &str) -> Option<Self> {
                match word { $($word $(| $alias)* => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}

named_keys! {
    Enter "enter" ["return", "ret", "linefeed"] "Return.";
    Tab "tab" [] "Tab.";
    Escape "escape" ["esc"] "Escape.";
    Backspace "backspace" ["back"] "Deletes to the left.";
    Delete "delete" ["del"] "Deletes to the right.";
    Insert "insert" ["ins"] "Insert.";
    Space "space" ["spacebar"] "The space bar.";
    Up "up" ["arrowup", "uparrow"] "Arrow up.";
    Down "down" ["arrowdown", "downarrow"] "Arrow down.";
    Left "left" ["arrowleft", "leftarrow"] "Arrow left.";
    Right "right" ["arrowright", "rightarrow"] "Arrow right.";
    Home "home" [] "To the start.";
    End "end" [] "To the end.";
    PageUp "pageup" ["prior", "pgup"] "One page up.";
    PageDown "pagedown" ["next", "pgdn", "pgdown"] "One page down.";
    Menu "menu" ["apps", "contextmenu"] "The menu key.";
    CapsLock "capslock" [] "Caps lock.";
    NumLock "numlock" [] "Num lock.";
    ScrollLock "scrolllock" [] "Scroll lock.";
    PrintScreen "printscreen" ["print", "prtsc", "sysrq"] "Print screen.";
    Pause "pause" ["break"] "Pause.";
    KpEnter "kpenter" ["numpadenter"] "Enter on the keypad.";
    KpAdd "kpadd" ["numpadadd", "add"] "Plus on the keypad.";
    KpSubtract "kpsubtract" ["numpadsubtract", "subtract"] "Minus on the keypad.";
    KpMultiply "kpmultiply" ["numpadmultiply", "multiply"] "Times on the keypad.";
    KpDivide "kpdivide" ["numpaddivide", "divide"] "Divided by on the keypad.";
}

/// Keys pressed together: the modifiers first, then the key, all released in reverse.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Chord {
    /// Held while the key is pressed; sorted, without doubles.
    pub modifiers: Vec<Modifier>,
    /// The key itself.
    pub key: Key,
}

/// One or more chords pressed one after another. Never empty.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct KeySequence(Vec<Chord>);

/// Why a text is not a key chord.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum KeyError {
    /// Nothing stands there.
    #[error("no key is named; write for example `ctrl+s` or `Return`")]
    Empty,
    /// No key of that name.
    #[error("`{0}` is not a key; write a character or a name such as `Return`, `F5`, `ctrl`")]
    Unknown(String),
    /// Two keys in one chord that are not modifiers.
    #[error("`{0}` holds two keys that are not modifiers; press one after the other")]
    TwoKeys(String),
    /// More chords than one action may press.
    #[error("{0} chords in one action, at most {max} are allowed", max = KeySequence::MAX)]
    TooMany(usize),
}

fn modifier(word: &str) -> Option<Modifier> {
    Some(match word {
        "ctrl" | "control" | "ctl" | "controlleft" | "controlright" => Modifier::Ctrl,
        "shift" | "shiftleft" | "shiftright" => Modifier::Shift,
        "alt" | "option" | "opt" | "altleft" | "altright" => Modifier::Alt,
        "super" | "meta" | "win" | "windows" | "cmd" | "command" | "metaleft" => Modifier::Super,
        _ => return None,
    })
}

impl FromStr for Key {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let mut chars = text.chars();
        match (chars.next(), chars.next()) {
            (None, _) => return Err(KeyError::Empty),
            (Some(' '), None) => return Ok(Self::Named(NamedKey::Space)),
            (Some('\n' | '\r'), None) => return Ok(Self::Named(NamedKey::Enter)),
            (Some('\t'), None) => return Ok(Self::Named(NamedKey::Tab)),
            (Some(c), None) if !c.is_control() => return Ok(Self::Char(c)),
            _ => {}
        }
        let word: String =
            text.chars().filter(|c| !matches!(c, '_' | '-' | ' ')).collect::<String>().to_lowercase();
        // X11 writes left and right modifiers as `Control_L`.
        let bare = word.strip_suffix('l').or_else(|| word.strip_suffix('r')).unwrap_or(&word);
        if let Some(m) = modifier(&word).or_else(|| modifier(bare)) {
            return Ok(Self::Modifier(m));
        }
        if let Some(named) = NamedKey::from_word(&word) {
            return Ok(Self::Named(named));
        }
        if let Some(n) = word.strip_prefix('f').and_then(|n| n.parse::<u8>().ok())
            && (1..=24).contains(&n)
        {
            return Ok(Self::Function(n));
        }
        named_character(&word).map(Self::Char).ok_or_else(|| KeyError::Unknown(text.into()))
    }
}

/// Characters that some writers spell out.
fn named_character(word: &str) -> Option<char> {
    if let Some(letter) = word.strip_prefix("key").or_else(|| word.strip_prefix("digit")) {
        let mut chars = letter.chars();
        return chars.next().filter(|c| chars.next().is_none() && c.is_ascii_alphanumeric());
    }
    Some(match word {
        "plus" => '+',
        "minus" => '-',
        "comma" => ',',
        "period" | "dot" => '.',
        "slash" => '/',
        "backslash" => '\\',
        "semicolon" => ';',
        "colon" => ':',
        "equal" | "equals" => '=',
        "apostrophe" => '\'',
        "quotedbl" => '"',
        "grave" | "backquote" => '`',
        "bracketleft" => '[',
        "bracketright" => ']',
        "underscore" => '_',
        "at" => '@',
        "numbersign" => '#',
        "dollar" => '$',
        "percent" => '%',
        "ampersand" => '&',
        "asterisk" => '*',
        "exclam" => '!',
        "question" => '?',
        "less" => '<',
        "greater" => '>',
        "asciitilde" => '~',
        _ => return None,
    })
}

impl Chord {
    /// Joins keys that are pressed together; at most one of them may not be a modifier.
    pub fn of(keys: &[Key]) -> Result<Self, KeyError> {
        let mut modifiers = Vec::new();
        let mut main = None;
        for key in keys {
            match (*key, main) {
                (Key::Modifier(m), _) => modifiers.push(m),
                (key, None) => main = Some(key),
                (_, Some(_)) => {
                    let names: Vec<String> = keys.iter().map(ToString::to_string).collect();
                    return Err(KeyError::TwoKeys(names.join("+")));
                }
            }
        }
        modifiers.sort_unstable();
        modifiers.dedup();
        let key = match main {
            Some(key) => key,
            None => Key::Modifier(modifiers.pop().ok_or(KeyError::Empty)?),
        };
        Ok(Self { modifiers, key })
    }

    /// Whether the modifier is part of it.
    pub fn holds(&self, modifier: Modifier) -> bool {
        self.modifiers.contains(&modifier)
    }
}

impl FromStr for Chord {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let text = if text.len() > 1 { text.trim() } else { text };
        let mut keys = Vec::new();
        let mut rest = text;
        // A plus at the end is the key itself: `ctrl++`.
        while let Some((head, tail)) = rest.split_once('+').filter(|(head, _)| !head.is_empty()) {
            keys.push(head.trim().parse()?);
            rest = tail;
        }
        if !rest.is_empty() {
            keys.push(if rest.trim().is_empty() { rest } else { rest.trim() }.parse()?);
        } else if !keys.is_empty() {
            return Err(KeyError::Unknown(text.into()));
        }
        Self::of(&keys)
    }
}

impl KeySequence {
    /// As many chords as one action may press.
    pub const MAX: usize = 100;

    /// The chords in the order in which they are pressed.
    pub fn chords(&self) -> &[Chord] {
        &self.0
    }

    fn new(chords: Vec<Chord>) -> Result<Self, KeyError> {
        match chords.len() {
            0 => Err(KeyError::Empty),
            n if n > Self::MAX => Err(KeyError::TooMany(n)),
            _ => Ok(Self(chords)),
        }
    }

    fn from_words(words: &[String]) -> Result<Self, KeyError> {
        let chords = words.iter().map(|word| word.parse()).collect::<Result<Vec<Chord>, _>>()?;
        // `["CTRL", "L"]` and `ctrl c` are one chord; `["Tab", "Enter"]` is two.
        let (last, before) = chords.split_last().ok_or(KeyError::Empty)?;
        let only_modifiers = |chord: &Chord| matches!(chord.key, Key::Modifier(_));
        if before.is_empty() || !before.iter().all(only_modifiers) {
            return Self::new(chords);
        }
        let keys: Vec<Key> = before
            .iter()
            .chain([last])
            .flat_map(|c| c.modifiers.iter().map(|m| Key::Modifier(*m)).chain([c.key]))
            .collect();
        Self::new(vec![Chord::of(&keys)?])
    }
}

impl FromStr for KeySequence {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        if text.chars().count() <= 1 {
            return Self::new(vec![text.parse()?]);
        }
        let words: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
        Self::from_words(&words)
            .or_else(|first| text.parse::<Chord>().map_err(|_| first).and_then(|c| Self::new(vec![c])))
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Char(c) => write!(f, "{c}"),
            Self::Function(n) => write!(f, "f{n}"),
            Self::Named(named) => f.write_str(named.word()),
            Self::Modifier(m) => f.write_str(m.word()),
        }
    }
}

impl fmt::Display for Chord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for m in &self.modifiers {
            write!(f, "{}+", m.word())?;
        }
        self.key.fmt(f)
    }
}

impl fmt::Display for KeySequence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, chord) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str(" ")?;
            }
            chord.fmt(f)?;
        }
        Ok(())
    }
}

impl Serialize for KeySequence {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for KeySequence {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Keys;

        impl<'de> Visitor<'de> for Keys {
            type Value = KeySequence;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a key chord such as \"ctrl+s\", or a list of keys")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<KeySequence, E> {
                text.parse().map_err(E::custom)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<KeySequence, A::Error> {
                let mut words: Vec<String> = Vec::new();
                while let Some(word) = seq.next_element()? {
                    words.push(word);
                    if words.len() > KeySequence::MAX {
                        return Err(de::Error::custom(KeyError::TooMany(words.len())));
                    }
                }
                KeySequence::from_words(&words).map_err(de::Error::custom)
            }
        }
        deserializer.deserialize_any(Keys)
    }
}

impl JsonSchema for KeySequence {
    fn schema_name() -> Cow<'static, str> {
        "KeySequence".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A key chord such as \"ctrl+shift+t\" or \"Return\", or a list of keys.",
            "anyOf": [
                { "type": "string", "minLength": 1, "maxLength": 200 },
                { "type": "array", "items": { "type": "string" }, "minItems": 1, "maxItems": 100 }
            ]
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn one_grammar_for_all_writers() {
        for (text, want) in [
            ("ctrl+shift+t", "ctrl+shift+t"),
            ("shift+Control_L+t", "ctrl+shift+t"),
            ("Return", "enter"),
            ("ctrl c", "ctrl+c"),
            ("CTRL+L", "ctrl+L"),
            ("ctrl++", "ctrl++"),
            ("+", "+"),
            (" ", "space"),
            ("Page_Down", "pagedown"),
            ("Tab Tab Enter", "tab tab enter"),
            ("alt+F4", "alt+f4"),
            ("KP_Enter", "kpenter"),
            ("cmd+KeyA", "super+a"),
            ("shift", "shift"),
            ("ctrl+plus", "ctrl++"),
            ("é", "é"),
        ] {
            assert_eq!(text.parse::<KeySequence>().unwrap().to_string(), want, "{text}");
        }
        let list: KeySequence = serde_json::from_str(r#"["CTRL","L"]"#).unwrap();
        assert_eq!(list.to_string(), "ctrl+L");
    }

    #[test]
    fn faults_name_the_key() {
        assert_eq!("".parse::<KeySequence>(), Err(KeyError::Empty));
        assert_eq!("ctrl+foo".parse::<KeySequence>(), Err(KeyError::Unknown("foo".into())));
        assert!(matches!("a+b".parse::<KeySequence>(), Err(KeyError::TwoKeys(_))));
        assert!("f99".parse::<KeySequence>().is_err());
        let many = "a ".repeat(200);
        assert_eq!(many.parse::<KeySequence>(), Err(KeyError::TooMany(200)));
    }

    proptest! {
        #[test]
        fn never_panics_and_reads_back_what_it_writes(text in ".{0,24}") {
            if let Ok(keys) = text.parse::<KeySequence>() {
                prop_assert_eq!(keys.to_string().parse::<KeySequence>(), Ok(keys));
            }
        }
    }
}
