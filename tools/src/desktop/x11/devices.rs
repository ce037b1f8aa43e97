//! Which devices are a person's. Injected events come from the devices of XTEST, whoever injects them, and
//! those say so of themselves.

use std::collections::HashMap;

use x11rb::errors::ReplyError;
use x11rb::protocol::xinput::ConnectionExt as _;
use x11rb::protocol::xproto::{AtomEnum, ConnectionExt as _};

use super::link::Wire;

/// The version of the X Input extension from which raw events come though another program has grabbed the
/// device.
pub(super) const XINPUT: (u16, u16) = (2, 2);

/// What is known of the devices by their numbers.
#[derive(Debug, Default)]
pub(super) struct Devices(HashMap<u16, bool>);

impl Devices {
    /// Whether a device is real.
    pub(super) fn is_real(&mut self, wire: &Wire, device: u16) -> Result<bool, ReplyError> {
        if let Some(real) = self.0.get(&device) {
            return Ok(*real);
        }
        let property = wire.intern_atom(false, b"XTEST Device")?.reply()?.atom;
        let any = u32::from(u8::from(AtomEnum::ANY));
        let reply = wire.xinput_xi_get_property(device, false, property, any, 0, 1)?.reply()?;
        let says = reply.items.as_data8().is_some_and(|bytes| bytes.first() == Some(&1));
        self.0.insert(device, !says);
        Ok(!says)
    }

    /// A number may mean another device now.
    pub(super) fn forget(&mut self) {
        self.0.clear();
    }
}
