//! Whether something is wanted that a command decides by itself unless it is told: `auto`, `on` or `off`, on the
//! command line and in the configuration.

use std::fmt;
use std::str::FromStr;

/// Whether it is wanted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Wanted {
    /// Where the command finds that it fits.
    #[default]
    Auto,
    /// Always.
    On,
    /// Never.
    Off,
}

impl Wanted {
    /// What the user says, where they do.
    pub const fn told(self) -> Option<bool> {
        match self {
            Self::Auto => None,
            Self::On => Some(true),
            Self::Off => Some(false),
        }
    }
}

impl FromStr for Wanted {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "auto" => Ok(Self::Auto),
            "on" => Ok(Self::On),
            "off" => Ok(Self::Off),
            _ => Err(format!("`{text}` is none of auto, on and off")),
        }
    }
}

impl fmt::Display for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Auto => "auto",
            Self::On => "on",
            Self::Off => "off",
        })
    }
}
