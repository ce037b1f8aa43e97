//! A second reader for Korean, whose letters the network does not know: the program `tesseract`, where it is installed with
//! that language. It is asked about the words alone that the network says nothing sure of, once for all of a picture and
//! only where one of them is too long for an icon, and believed where it is sure and reads Hangul.

use std::sync::OnceLock;

use image::RgbImage;

use super::pixels::Part;
use super::recognise::{self, Letter, Said};
use super::tesseract::{self, Word};
use super::unread::Unread;

/// The language, as the program calls it.
const LANGUAGE: &str = "kor";
/// Rows of px of the lowest line, with the room around it: no Hangul can be told in less.
const LOWEST: u32 = 13;
/// How sure the second reader must be of a word, of one in which a single letter is Hangul, and of the rest of a word
/// that begins or ends in another script: Cyrillic begins so too.
const LEAST: f32 = 0.6;
const LEAST_OF_ONE: f32 = 0.85;
const LEAST_OF_REST: f32 = 0.92;
/// Words that it is asked about at most at once.
const MOST: usize = 100;

/// The second reader, looked for when it is needed first.
#[derive(Debug, Default)]
pub(super) struct Korean(OnceLock<bool>);

impl Korean {
    /// What `lines` say, of which the network has read these letters: what the second reader has read stands in the
    /// place of what the network was unsure of.
    pub(super) fn complete(&self, image: &RgbImage, lines: &[Part], read: &[Vec<Letter>]) -> Vec<Said> {
        let unread: Vec<Vec<Unread>> = lines
            .iter()
            .zip(read)
            .map(
                |(line, letters)| {
                    if line.height < LOWEST { Vec::new() } else { Unread::all(image, line, letters) }
                },
            )
            .collect();
        let is_wanted = unread.iter().flatten().any(|unread| unread.is_long);
        let mut answers = if is_wanted && *self.0.get_or_init(|| tesseract::knows(LANGUAGE)) {
            let of_line = |(line, unread): (&Part, &Vec<Unread>)| -> Vec<Part> {
                unread.iter().map(|unread| unread.part(line)).collect()
            };
            let parts = lines.iter().zip(&unread).flat_map(of_line).take(MOST);
            tesseract::read(image, &parts.collect::<Vec<_>>(), LANGUAGE).unwrap_or_else(|error| {
                tracing::warn!(%error, "tesseract reads no Korean");
                Vec::new()
            })
        } else {
            Vec::new()
        }
        .into_iter();
        let complete = |(letters, unread): (&Vec<Letter>, &Vec<Unread>)| {
            let known = unread.iter().zip(answers.by_ref().take(unread.len()));
            let known = known.filter_map(|(unread, words)| {
                let own: Vec<Letter> = letters.iter().filter(|l| unread.holds(l)).cloned().collect();
                let said = korean(&words, &own, unread.is_rest)?;
                // The program tells gaps that are none.
                let text = if unread.is_one { said.text.replace(' ', "") } else { said.text };
                Some((*unread, Said { text, ..said }))
            });
            put_in(letters, &known.collect::<Vec<_>>())
        };
        read.iter().zip(&unread).map(complete).collect()
    }
}

/// The letters, with these words in the place of those that stand there.
fn put_in(letters: &[Letter], known: &[(Unread, Said)]) -> Said {
    if known.is_empty() {
        return Said::of(letters);
    }
    let (mut parts, mut from) = (Vec::new(), f32::NEG_INFINITY);
    for (unread, said) in known {
        parts.push(between(letters, from, unread.from));
        parts.push(said.clone());
        from = unread.to;
    }
    parts.push(between(letters, from, f32::INFINITY));
    parts.retain(|part| !part.text.is_empty());
    // One mark that is hardly told does not make the rest of the line doubtful.
    let long = |part: &Said| f32::from(u16::try_from(part.text.chars().count()).unwrap_or(u16::MAX));
    let sure = parts.iter().map(|part| part.sure * long(part)).sum::<f32>()
        / parts.iter().map(long).sum::<f32>();
    Said { sure, ..recognise::join(&parts) }
}

fn between(letters: &[Letter], from: f32, to: f32) -> Said {
    let between = |letter: &&Letter| (from..to).contains(&letter.at);
    Said::of(&letters.iter().filter(between).cloned().collect::<Vec<_>>())
}

/// What these words say, if it is Korean: mostly Hangul, or with nothing else in it but what the network has `read` there.
fn korean(words: &[Word], read: &[Letter], is_rest: bool) -> Option<Said> {
    let text = words.iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join(" ");
    let sure = words.iter().map(|word| word.sure).fold(1.0, f32::min);
    let is_hangul = |c: &char| ('가'..='힣').contains(c);
    let hangul = text.chars().filter(is_hangul).count();
    let letters = text.chars().filter(|c| c.is_alphabetic()).count();
    let known = |text: &str| -> String {
        text.chars().filter(|c| c.is_alphanumeric() && !is_hangul(c)).collect()
    };
    let own: String = read.iter().filter(|l| l.sure >= LEAST).map(|l| l.text.as_str()).collect();
    let agrees = known(&text) == known(&own);
    let is_korean = match hangul {
        0 => false,
        1 if is_rest => false,
        1 => agrees && sure >= LEAST_OF_ONE,
        _ if is_rest => hangul == letters && sure >= LEAST_OF_REST,
        _ => (agrees || hangul * 2 > letters) && sure >= LEAST,
    };
    is_korean.then_some(Said { text, sure })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letter(text: &str, sure: f32, at: f32) -> Letter {
        Letter { text: text.into(), sure, at }
    }

    #[test]
    fn what_is_read_is_believed_if_it_is_sure_and_korean() {
        let words = |words: &[(&str, f32)]| -> Vec<Word> {
            words.iter().map(|(text, sure)| Word { text: (*text).into(), sure: *sure }).collect()
        };
        let read = [letter("1", 0.9, 5.0), letter("0", 0.9, 9.0), letter("丛", 0.3, 15.0)];
        let said = korean(&words(&[("회원", 0.96), ("가입", 0.88)]), &[], false).unwrap();
        assert_eq!((said.text.as_str(), (said.sure * 100.0).round()), ("회원 가입", 88.0));
        for (known, want) in [
            // What else there is must be what the network has read there.
            ((&[("10개", 0.9)][..], &read[..]), true),
            ((&[("10개", 0.9)], &read[..1]), false),
            ((&[("10개", 0.8)], &read), false),
            ((&[("개", 0.9)], &[]), true),
            ((&[("파일", 0.7), ("PDF,", 0.7)], &[]), false),
            ((&[("10파일", 0.7), ("P", 0.7)], &read), true),
            ((&[("닫기", 0.5)], &[]), false),
            ((&[("Hello", 0.95)], &[]), false),
            ((&[], &[]), false),
        ] {
            assert_eq!(korean(&words(known.0), known.1, false).is_some(), want, "{known:?}");
        }
        for (rest, want) in [("파일", true), ("파일a", false), ("년", false)] {
            assert_eq!(korean(&words(&[(rest, 0.93)]), &[], true).is_some(), want, "{rest}");
        }
        assert!(korean(&words(&[("러너", 0.8)]), &[], true).is_none());
    }

    #[test]
    fn what_is_known_stands_where_it_was_read() {
        let letters = [
            letter("中", 0.9, 10.0),
            letter("文", 0.8, 25.0),
            letter("丛", 0.2, 50.0),
            letter("L", 0.3, 65.0),
            letter("O", 0.9, 90.0),
            letter("K", 0.9, 98.0),
        ];
        let unread = Unread::between(40.0, 80.0);
        let said = put_in(&letters, &[(unread, Said { text: "한국어".into(), sure: 0.7 })]);
        assert_eq!(said.text, "中文 한국어 OK");
        assert!((said.sure - (1.7 + 2.1 + 1.8) / 7.0).abs() < 1e-6, "{}", said.sure);
        assert_eq!(put_in(&letters, &[]), Said::of(&letters));
        let alone = put_in(&letters[2..4], &[(unread, Said { text: "한국어".into(), sure: 0.7 })]);
        assert_eq!(alone.text, "한국어");
    }
}
