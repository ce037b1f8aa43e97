//! Numbers that nobody can guess, for tokens and for names that no other has.

use std::fmt::Write as _;

use anyhow::{Context as _, Result};

/// `N` bytes as hexadecimal digits.
pub fn hex<const N: usize>() -> Result<String> {
    let mut bytes = [0_u8; N];
    getrandom::fill(&mut bytes).context("the system gives no random numbers")?;
    let mut digits = String::with_capacity(2 * N);
    for byte in bytes {
        write!(digits, "{byte:02x}")?;
    }
    Ok(digits)
}
