//! Whether anything was drawn on the screen since it was looked at. The server says so by itself (the DAMAGE
//! extension), once until it is asked to say it again, so a screen that stands still needs no picture. A
//! server that cannot say it has always drawn something.

use x11rb::connection::Connection;
use x11rb::protocol::damage::{self, ConnectionExt as _, ReportLevel};

use super::link::{During, Link};
use crate::desktop::DesktopError;

const WHAT: &str = "watching what is drawn";

/// What the server says of one screen.
#[derive(Debug)]
pub(super) struct Drawing(Option<damage::Damage>);

impl Drawing {
    /// Something was drawn, until it is forgotten.
    pub(super) fn on(link: &Link) -> Result<Self, DesktopError> {
        if !link.has(damage::X11_EXTENSION_NAME)? {
            return Ok(Self(None));
        }
        link.wire.damage_query_version(1, 1).during(WHAT)?.reply().during(WHAT)?;
        let damage = link.wire.generate_id().map_err(|fault| DesktopError::failed(WHAT, fault))?;
        let level = ReportLevel::NON_EMPTY;
        link.wire.damage_create(damage, link.root, level).during(WHAT)?.check().during(WHAT)?;
        Ok(Self(Some(damage)))
    }

    /// What was drawn before a picture that is taken after this is no news.
    pub(super) fn forget(&self, link: &Link) -> Result<(), DesktopError> {
        let Some(damage) = self.0 else { return Ok(()) };
        link.attend()?;
        // What the server says after it has forgotten is news, and it says so only once.
        link.forget_drawing();
        link.wire.damage_subtract(damage, 0_u32, 0_u32).during(WHAT)?;
        Ok(())
    }

    /// Whether nothing was drawn since, as far as the server had told with its last answer.
    pub(super) fn is_quiet(&self, link: &Link) -> Result<bool, DesktopError> {
        link.attend()?;
        Ok(self.0.is_some() && !link.is_drawn_on())
    }
}
