//! The format that network files are written in, as far as it is needed to take parts out and to add some.

/// A field of a message.
#[derive(Debug, Clone, Copy)]
pub(super) struct Field<'a> {
    pub(super) number: u64,
    /// All of it.
    pub(super) whole: &'a [u8],
    /// Its content, if it has a length.
    pub(super) bytes: &'a [u8],
    /// Its value, if it is a number.
    pub(super) value: usize,
}

/// The fields of a message, up to the first that is damaged.
pub(super) fn fields(message: &[u8]) -> impl Iterator<Item = Field<'_>> {
    let mut rest = message;
    std::iter::from_fn(move || {
        let all = rest;
        let key = number(&mut rest)?;
        let (mut bytes, mut value) = (&[][..], 0);
        match key & 7 {
            0 => value = size(number(&mut rest)?),
            1 => rest = rest.get(8..)?,
            2 => {
                let length = size(number(&mut rest)?);
                (bytes, rest) = rest.split_at_checked(length)?;
            }
            5 => rest = rest.get(4..)?,
            _ => return None,
        }
        let whole = all.get(..all.len() - rest.len())?;
        Some(Field { number: key >> 3, whole, bytes, value })
    })
}

/// The fields with one number.
pub(super) fn each(message: &[u8], of: u64) -> impl Iterator<Item = Field<'_>> {
    fields(message).filter(move |field| field.number == of)
}

/// The texts of the fields with one number.
pub(super) fn texts(message: &[u8], of: u64) -> impl Iterator<Item = &str> {
    each(message, of).filter_map(|field| std::str::from_utf8(field.bytes).ok())
}

/// The numbers of a field that repeats, one by one or all in one.
pub(super) fn numbers(message: &[u8], of: u64) -> Vec<usize> {
    let mut all = Vec::new();
    for field in each(message, of) {
        let mut rest = field.bytes;
        if rest.is_empty() {
            all.push(field.value);
        }
        while let Some(value) = number(&mut rest) {
            all.push(size(value));
        }
    }
    all
}

/// Adds a field with a length.
pub(super) fn add(out: &mut Vec<u8>, of: u64, content: &[u8]) {
    for mut value in [of << 3 | 2, content.len() as u64] {
        while value > 0x7f {
            out.push(value.to_le_bytes()[0] | 0x80);
            value >>= 7;
        }
        out.push(value.to_le_bytes()[0]);
    }
    out.extend_from_slice(content);
}

/// A number of as many bytes as it needs.
fn number(rest: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for at in 0..10 {
        let (byte, behind) = rest.split_first()?;
        *rest = behind;
        value |= u64::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

fn size(value: u64) -> usize {
    usize::try_from(value).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_added_is_read_again() {
        let mut message = vec![1 << 3, 0x96, 0x01];
        add(&mut message, 5, &[b'a'; 300]);
        add(&mut message, 20, "zwölf".as_bytes());
        add(&mut message, 8, &[3, 0x80, 0x02]);
        message.extend([8 << 3, 7]);
        let found: Vec<_> = fields(&message).map(|f| (f.number, f.bytes.len(), f.value)).collect();
        assert_eq!(found, [(1, 0, 150), (5, 300, 0), (20, 6, 0), (8, 3, 0), (8, 0, 7)]);
        assert_eq!(fields(&message).flat_map(|f| f.whole.to_owned()).collect::<Vec<_>>(), message);
        assert_eq!(texts(&message, 20).collect::<Vec<_>>(), ["zwölf"]);
        assert_eq!(numbers(&message, 8), [3, 256, 7]);
    }

    #[test]
    fn numbers_of_a_fixed_length_are_passed_over_and_long_ones_read() {
        let mut message = vec![1 << 3 | 5, 9, 9, 9, 9, 2 << 3 | 1, 9, 9, 9, 9, 9, 9, 9, 9, 3 << 3];
        message.extend([0xff; 9]);
        message.push(1);
        let found: Vec<_> = fields(&message).map(|f| (f.number, f.whole.len(), f.value)).collect();
        assert_eq!(found, [(1, 5, 0), (2, 9, 0), (3, 11, usize::MAX)]);
    }

    #[test]
    fn damage_ends_the_message() {
        let mut message = Vec::new();
        add(&mut message, 1, b"whole");
        add(&mut message, 2, b"cut");
        message.pop();
        assert_eq!(fields(&message).count(), 1);
        for damaged in [&[0xff; 12][..], &[1 << 3], &[2], &[1 << 3 | 1, 0], &[1 << 3 | 3]] {
            assert_eq!(fields(damaged).count(), 0, "{damaged:?}");
        }
    }
}
