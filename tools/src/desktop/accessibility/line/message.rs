//! Messages as they go over a line: questions are written, answers are read. What comes in is not trusted.
//!
//! The format is that of the D-Bus specification, chapter "Message Protocol", in the byte order of this machine;
//! a program on the same machine answers in it.

use serde::Deserialize;
use zbus::zvariant::serialized::{Context, Data};
use zbus::zvariant::{NATIVE_ENDIAN, Type};

use super::super::reply::Fault;

/// Stands for the byte order at the beginning of each message.
const ORDER: u8 = if cfg!(target_endian = "little") { b'l' } else { b'B' };
/// The version of the format.
const VERSION: u8 = 1;
/// Bytes before the fields of a header: order, kind, flags, version, and three lengths and numbers.
const FIXED: usize = 16;
/// Bytes of the largest message that the format allows.
const MOST: usize = 1 << 27;

/// Kinds of messages, and fields of their headers, in the numbering of the format.
const CALL: u8 = 1;
const RETURN: u8 = 2;
const ERROR: u8 = 3;
const PATH: u8 = 1;
const INTERFACE: u8 = 2;
const MEMBER: u8 = 3;
const REPLY_SERIAL: u8 = 5;
const SIGNATURE: u8 = 8;

/// A question to one object.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct Question<'a> {
    pub(in super::super) path: &'a str,
    pub(in super::super) interface: &'a str,
    pub(in super::super) method: &'a str,
    /// The types of what is told with it, and that in the format.
    pub(in super::super) signature: &'a str,
    pub(in super::super) body: &'a [u8],
}

/// What a program has answered.
#[derive(Debug)]
pub(in super::super) struct Answer {
    /// The types of what the body holds.
    signature: String,
    body: Data<'static, 'static>,
}

impl Answer {
    /// What it holds, where it is of that type.
    pub(in super::super) fn read<'a, R: Deserialize<'a> + Type>(&'a self) -> Result<R, Fault> {
        // What is several things is read as one structure of them.
        let is_it = self.signature == R::SIGNATURE.to_string_no_parens()
            || self.signature == R::SIGNATURE.to_string();
        if !is_it {
            return Err(Fault::Refused);
        }
        self.body.deserialize().map(|(read, _)| read).map_err(|_| Fault::Refused)
    }
}

/// A message that came in.
#[derive(Debug)]
pub(super) enum Incoming {
    /// The answer to the question with this number, or that there is none.
    Answer(u32, Result<Answer, Fault>),
    /// Something that nobody asked for.
    Other,
}

impl Question<'_> {
    /// It as the question with that number, which is not 0. Refuses what is no path of an object.
    pub(super) fn written(&self, number: u32) -> Result<Vec<u8>, Fault> {
        let is_part = |part: &str| !part.is_empty() && part.bytes().all(is_of_a_name);
        let parts = self.path.strip_prefix('/').ok_or(Fault::Refused)?;
        if !parts.is_empty() && !parts.split('/').all(is_part) {
            return Err(Fault::Refused);
        }
        let body = u32::try_from(self.body.len()).map_err(|_| Fault::Refused)?;
        let mut out = Vec::with_capacity(256);
        out.extend([ORDER, CALL, 0, VERSION]);
        for length in [body, number, 0] {
            out.extend(length.to_ne_bytes());
        }
        let fields =
            [(PATH, b'o', self.path), (INTERFACE, b's', self.interface), (MEMBER, b's', self.method)];
        for (field, kind, text) in fields {
            pad(&mut out);
            out.extend([field, 1, kind, 0]);
            out.extend(u32::try_from(text.len()).map_err(|_| Fault::Refused)?.to_ne_bytes());
            out.extend(text.as_bytes());
            out.push(0);
        }
        if !self.signature.is_empty() {
            pad(&mut out);
            let length = u8::try_from(self.signature.len()).map_err(|_| Fault::Refused)?;
            out.extend([SIGNATURE, 1, b'g', 0, length]);
            out.extend(self.signature.bytes().chain([0]));
        }
        let fields = u32::try_from(out.len() - FIXED).map_err(|_| Fault::Refused)?;
        if let Some(length) = out.get_mut(FIXED - 4..FIXED) {
            length.copy_from_slice(&fields.to_ne_bytes());
        }
        pad(&mut out);
        out.extend(self.body);
        Ok(out)
    }
}

const fn is_of_a_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Fills up to a multiple of eight bytes.
fn pad(out: &mut Vec<u8>) {
    out.resize(out.len().next_multiple_of(8), 0);
}

/// The first message in `bytes` and its length; `None` as long as it is not all there.
pub(super) fn first(bytes: &[u8]) -> Result<Option<(Incoming, usize)>, Fault> {
    let Some(fixed) = bytes.first_chunk::<FIXED>() else { return Ok(None) };
    let &[order, kind, _, version, ..] = fixed;
    let mut from = Reader { bytes: fixed, at: 4 };
    let (Some(body), Some(_), Some(fields)) = (from.length(), from.length(), from.length()) else {
        return Err(Fault::Broken);
    };
    if order != ORDER || version != VERSION || body > MOST || fields > MOST - body {
        return Err(Fault::Broken);
    }
    let header = (FIXED + fields).next_multiple_of(8);
    let (Some(fields), Some(content)) = (bytes.get(..FIXED + fields), bytes.get(header..header + body))
    else {
        return Ok(None);
    };
    let (answers, signature) = read_fields(fields).ok_or(Fault::Broken)?;
    let answer = match kind {
        RETURN => {
            let body = Data::new(content.to_vec(), Context::new_dbus(NATIVE_ENDIAN, 0));
            Ok(Answer { signature: signature.to_owned(), body })
        }
        ERROR => Err(Fault::Refused),
        _ => return Ok(Some((Incoming::Other, header + body))),
    };
    Ok(Some((Incoming::Answer(answers, answer), header + body)))
}

/// The number of the question that is answered, 0 if none is, and the types of the body.
fn read_fields(header: &[u8]) -> Option<(u32, &str)> {
    let (mut answers, mut signature) = (0, "");
    let mut from = Reader { bytes: header, at: FIXED };
    while from.at < header.len() {
        from.align(8);
        let &[field, 1, kind, 0] = from.take(4)? else { return None };
        match kind {
            b'u' => {
                let number = u32::from_ne_bytes(*from.take(4)?.first_chunk()?);
                answers = if field == REPLY_SERIAL { number } else { answers };
            }
            // Fields that are not known are passed over.
            b'y' => drop(from.take(1)?),
            b'n' | b'q' => drop(from.take(2)?),
            b'b' | b'i' => drop(from.take(4)?),
            b's' | b'o' => {
                let length = from.length()?;
                from.take(length.checked_add(1)?)?;
            }
            b'g' => {
                let &[length] = from.take(1)? else { return None };
                let text = std::str::from_utf8(from.take(usize::from(length))?).ok()?;
                from.take(1)?;
                signature = if field == SIGNATURE { text } else { signature };
            }
            _ => return None,
        }
    }
    Some((answers, signature))
}

/// Reads on from a place in a message.
struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let end = self.at.checked_add(count)?;
        let taken = self.bytes.get(self.at..end)?;
        self.at = end;
        Some(taken)
    }

    fn length(&mut self) -> Option<usize> {
        let length = u32::from_ne_bytes(*self.take(4)?.first_chunk()?);
        usize::try_from(length).ok()
    }

    const fn align(&mut self, to: usize) {
        self.at = self.at.next_multiple_of(to);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;
    use zbus::zvariant::{OwnedObjectPath, Value, to_bytes};

    use super::*;

    #[test]
    fn what_is_no_path_is_refused() {
        for path in ["", "a", "/a/", "//", "/a b", "/a\0", "/é"] {
            let (interface, method) = ("org.a11y.atspi.Accessible", "GetRole");
            let question = Question { path, interface, method, signature: "", body: &[] };
            assert_eq!(question.written(1), Err(Fault::Refused), "{path:?}");
        }
    }

    /// An answer as a program sends it.
    fn answer(to: &zbus::Message) -> Vec<u8> {
        let made = zbus::Message::method_return(&to.header()).unwrap().build(&(1_u32, "text")).unwrap();
        made.data().to_vec()
    }

    fn asked() -> zbus::Message {
        zbus::Message::method_call("/a", "GetRole").unwrap().build(&()).unwrap()
    }

    #[test]
    fn an_answer_is_read_when_it_is_all_there() {
        let asked = asked();
        let bytes = answer(&asked);
        for end in 0..bytes.len() {
            assert!(matches!(first(&bytes[..end]), Ok(None)), "{end}");
        }
        let number = asked.primary_header().serial_num().get();
        let (read, length) = first(&[&bytes[..], b"l"].concat()).unwrap().unwrap();
        assert_eq!(length, bytes.len());
        let Incoming::Answer(to, Ok(answer)) = read else { panic!("{read:?}") };
        assert_eq!((to, answer.signature.as_str()), (number, "us"));
        assert_eq!(answer.read(), Ok((1_u32, "text")));
        assert_eq!(answer.read::<u32>(), Err(Fault::Refused));
    }

    #[test]
    fn one_structure_and_its_parts_are_the_same_types() {
        let parts = (1_i32, 2_i32, 3_i32, 4_i32);
        let body = to_bytes(Context::new_dbus(NATIVE_ENDIAN, 0), &parts).unwrap();
        let read = |signature: &str| {
            let body = Data::new(body.to_vec(), Context::new_dbus(NATIVE_ENDIAN, 0));
            Answer { signature: signature.into(), body }.read::<(i32, i32, i32, i32)>()
        };
        assert_eq!((read("(iiii)"), read("iiii")), (Ok(parts), Ok(parts)));
        for other in ["", "iii", "(iii)", "xiiiix", "éiiii", "(iiii", "uuuu", "((iiii))"] {
            assert_eq!(read(other), Err(Fault::Refused), "{other}");
        }
    }

    #[test]
    fn faults_and_what_nobody_asked_for_are_told_apart() {
        let asked = asked();
        let fault = zbus::Message::error(&asked.header(), "org.a.Fault").unwrap().build(&"no").unwrap();
        let number = asked.primary_header().serial_num().get();
        let read = first(fault.data()).unwrap().unwrap().0;
        assert!(matches!(read, Incoming::Answer(to, Err(Fault::Refused)) if to == number), "{read:?}");
        let signal = zbus::Message::signal("/a", "org.a.B", "C").unwrap().build(&()).unwrap();
        assert!(matches!(first(signal.data()).unwrap().unwrap().0, Incoming::Other));
    }

    #[test]
    fn lengths_that_cannot_be_are_faults() {
        let mut bytes = answer(&asked());
        bytes[4..8].copy_from_slice(&u32::MAX.to_ne_bytes());
        assert!(matches!(first(&bytes), Err(Fault::Broken)));
        let mut bytes = answer(&asked());
        bytes[12..16].copy_from_slice(&u32::MAX.to_ne_bytes());
        assert!(matches!(first(&bytes), Err(Fault::Broken)));
    }

    proptest! {
        #[test]
        fn nothing_that_comes_in_is_believed(
            bytes in proptest::collection::vec(any::<u8>(), 0..200),
            changes in proptest::collection::vec((0_usize..200, any::<u8>()), 0..6),
        ) {
            let _ = first(&bytes);
            let mut damaged = answer(&asked());
            for (at, byte) in changes {
                if let Some(one) = damaged.get_mut(at) {
                    *one = byte;
                }
            }
            if let Ok(Some((incoming, length))) = first(&damaged) {
                prop_assert!((FIXED..=damaged.len()).contains(&length));
                if let Incoming::Answer(_, Ok(answer)) = incoming {
                    let _ = answer.read::<(u32, &str)>();
                }
            }
        }

        #[test]
        fn no_types_are_believed(
            signature in "[a-z(){}é]{0,12}|\\PC{0,8}",
            body in proptest::collection::vec(any::<u8>(), 0..60),
        ) {
            let body = Data::new(body, Context::new_dbus(NATIVE_ENDIAN, 0));
            let answer = |signature: &str| Answer { signature: signature.into(), body: body.clone() };
            let _ = answer(&signature).read::<(i32, i32, i32, i32)>();
            let _ = answer(&signature).read::<HashMap<String, String>>();
            let _ = answer("a{sv}").read::<HashMap<&str, Value<'_>>>();
            let _ = answer("a(ua(so))").read::<Vec<(u32, Vec<(String, OwnedObjectPath)>)>>();
            let _ = answer("au").read::<::atspi::StateSet>();
        }
    }
}
