//! What a page needs to show text that nobody vouches for.

use std::fmt;

use freehand_tools::visible::visible;

/// A text as it may stand in an element or in a quoted attribute, whatever is in it; in each line what is hidden is
/// written out.
pub(super) struct Escaped<'t>(pub &'t str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.0.split('\n').map(|line| visible(line, usize::MAX)).collect::<Vec<_>>();
        for c in shown.join("\n").chars() {
            match c {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                c => fmt::Write::write_char(f, c)?,
            }
        }
        Ok(())
    }
}

/// A length of time, given in ms, in the unit that suits it.
pub(super) struct Span(pub f64);

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            ms if ms < 10.0 => write!(f, "{ms:.1} ms"),
            ms if ms < 1_000.0 => write!(f, "{ms:.0} ms"),
            ms if ms < 120_000.0 => write!(f, "{:.1} s", ms / 1_000.0),
            ms => write!(f, "{:.1} min", ms / 60_000.0),
        }
    }
}

/// A moment, given in ms since 1970, in UTC.
pub(super) struct Moment(pub u64);

const DAY: u64 = 86_400;

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0 / 1_000;
        let (year, month, day) = civil(seconds / DAY);
        let (hour, minute, second) = (seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60);
        write!(f, "{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")
    }
}

/// Year, month and day of the day that lies so many days after the first of 1970. A year is counted
/// from March here, so that the leap day is its last.
const fn civil(days: u64) -> (u64, u64, u64) {
    const CYCLE: u64 = 146_097; // days in 400 years
    let days = days + 719_468; // from the first of March of the year 0
    let (cycle, day) = (days / CYCLE, days % CYCLE);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let date = day - (153 * month + 2) / 5 + 1;
    let (month, carry) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (cycle * 400 + year + carry, month, date)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_what_could_leave_its_place() {
        let text = "</script><img src=x onerror='a(\"b\")'>&\u{0}\u{1b}\n";
        let safe =
            "&lt;/script&gt;&lt;img src=x onerror=&#39;a(&quot;b&quot;)&#39;&gt;&amp;\\u{0}\\u{1b}\n";
        assert_eq!(Escaped(text).to_string(), safe);
    }

    #[test]
    fn moments() {
        for (ms, text) in [
            (0, "1970-01-01 00:00:00"),
            (951_782_399_999, "2000-02-28 23:59:59"),
            (951_782_400_000, "2000-02-29 00:00:00"),
            (1_709_251_199_000, "2024-02-29 23:59:59"),
            (1_767_225_600_000, "2026-01-01 00:00:00"),
        ] {
            assert_eq!(Moment(ms).to_string(), text);
        }
        let _ = Moment(u64::MAX).to_string();
    }

    #[test]
    fn spans() {
        for (ms, text) in [(0.34, "0.3 ms"), (12.6, "13 ms"), (1_500.0, "1.5 s"), (150_000.0, "2.5 min")]
        {
            assert_eq!(Span(ms).to_string(), text);
        }
    }
}
