//! Reads a stream of server-sent events. It takes any bytes, holds no more than a bounded line, and
//! knows only the one field that a completion is sent in.

/// As long as one line of the stream may be, in bytes.
const LONGEST_LINE: usize = 1 << 20;

/// Cuts the bytes of a stream into the data of its events.
#[derive(Debug, Default)]
pub(super) struct Events {
    line: Vec<u8>,
    data: Option<String>,
    /// Each line is an event by itself.
    bare: bool,
}

/// Why the stream cannot be read on.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Broken {
    /// A line without an end.
    TooLong,
    /// Bytes that are no text.
    NotText,
}

impl Events {
    /// For a stream that has an event on each line, and nothing around it.
    pub(super) fn on_lines() -> Self {
        Self { bare: true, ..Self::default() }
    }

    /// Takes the next bytes and gives the data of the events that they complete.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Result<Vec<String>, Broken> {
        let mut complete = Vec::new();
        for byte in bytes {
            if *byte != b'\n' {
                if self.line.len() >= LONGEST_LINE {
                    return Err(Broken::TooLong);
                }
                self.line.push(*byte);
                continue;
            }
            let line = std::mem::take(&mut self.line);
            complete.extend(self.line(&line)?);
        }
        Ok(complete)
    }

    /// The event that the end of the stream completes: some servers leave out the last empty line.
    pub(super) fn finish(mut self) -> Result<Option<String>, Broken> {
        let line = std::mem::take(&mut self.line);
        if line.is_empty() {
            return Ok(self.data);
        }
        let complete = self.line(&line)?;
        Ok(complete.or(self.data))
    }

    fn line(&mut self, line: &[u8]) -> Result<Option<String>, Broken> {
        let line = std::str::from_utf8(line).map_err(|_| Broken::NotText)?;
        let line = line.strip_suffix('\r').unwrap_or(line);
        if self.bare {
            return Ok((!line.trim().is_empty()).then(|| line.to_owned()));
        }
        if line.is_empty() {
            return Ok(self.data.take());
        }
        let Some(value) = line.strip_prefix("data:") else {
            return Ok(None);
        };
        let value = value.strip_prefix(' ').unwrap_or(value);
        match &mut self.data {
            // A JSON value that is cut over several lines is bounded like a single one.
            Some(data) if data.len() + value.len() > LONGEST_LINE => return Err(Broken::TooLong),
            Some(data) => {
                data.push('\n');
                data.push_str(value);
            }
            None => self.data = Some(value.to_owned()),
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn all(bytes: &[u8], size: usize) -> Result<Vec<String>, Broken> {
        let mut events = Events::default();
        let mut seen = Vec::new();
        for piece in bytes.chunks(size) {
            seen.extend(events.push(piece)?);
        }
        seen.extend(events.finish()?);
        Ok(seen)
    }

    #[test]
    fn reads_events() {
        for (stream, data) in [
            ("data: a\n\ndata:b\r\n\r\n", vec!["a", "b"]),
            (": ping\n\nevent: x\nid: 1\ndata: ä\n\n", vec!["ä"]),
            ("data: {\ndata: }\n\n", vec!["{\n}"]),
            ("data: last", vec!["last"]),
            ("data: last\n", vec!["last"]),
            ("<html>\n</html>", vec![]),
            ("", vec![]),
        ] {
            for size in [1, 2, 7, 100] {
                assert_eq!(
                    all(stream.as_bytes(), size),
                    Ok(data.iter().map(|d| (*d).to_owned()).collect())
                );
            }
        }
    }

    #[test]
    fn reads_lines() {
        let mut events = Events::on_lines();
        assert_eq!(events.push(b"{}\r\n\n[1").unwrap(), ["{}"]);
        assert_eq!(events.finish().unwrap().as_deref(), Some("[1"));
    }

    #[test]
    fn bounds_a_line() {
        assert_eq!(all(&vec![b'x'; LONGEST_LINE + 1], 4096), Err(Broken::TooLong));
        let lines = b"data: 0123456789\n".repeat(LONGEST_LINE / 8);
        assert_eq!(all(&lines, 4096), Err(Broken::TooLong));
        assert_eq!(all(b"data: \xff\n", 3), Err(Broken::NotText));
    }

    proptest! {
        #[test]
        fn total(bytes in proptest::collection::vec(any::<u8>(), 0..300), size in 1usize..20) {
            prop_assert_eq!(all(&bytes, size), all(&bytes, 300));
        }
    }
}
