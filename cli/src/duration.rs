//! Spans of time as a person writes them: `90s`, `10m`, `1h30m`.

use std::time::Duration;

/// Longer than anybody waits, in seconds.
const MOST: u64 = 7 * 24 * 3600;

/// Reads a span; a number alone is seconds.
pub fn parse(text: &str) -> Result<Duration, String> {
    let bad = || format!("`{text}` is not a span of time such as 90s, 10m or 1h30m");
    let mut seconds: u64 = 0;
    let mut number = String::new();
    for c in text.trim().chars() {
        let unit = match c {
            '0'..='9' => {
                number.push(c);
                continue;
            }
            's' => 1,
            'm' => 60,
            'h' => 3600,
            _ => return Err(bad()),
        };
        seconds = add(seconds, &number, unit).ok_or_else(bad)?;
        number.clear();
    }
    if !number.is_empty() {
        seconds = add(seconds, &number, 1).ok_or_else(bad)?;
    }
    match seconds {
        0 => Err(bad()),
        1..=MOST => Ok(Duration::from_secs(seconds)),
        _ => Err(format!("`{text}` is longer than a week")),
    }
}

fn add(seconds: u64, number: &str, unit: u64) -> Option<u64> {
    number.parse::<u64>().ok()?.checked_mul(unit)?.checked_add(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans() {
        for (text, seconds) in
            [("90s", 90), ("10m", 600), ("1h30m", 5400), ("45", 45), ("1m30", 90), (" 2h ", 7200)]
        {
            assert_eq!(parse(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for text in [
            "",
            "0",
            "0m",
            "m",
            "10x",
            "-5s",
            "1.5m",
            "99999999999999999999s",
            "8000h",
            "18446744073709551615h",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
