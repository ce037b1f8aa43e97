//! Giving keys that mean nothing a meaning, in one request however many there are: each request makes
//! the window manager and every program read the whole keyboard anew, which for forty keys one by one
//! keeps a small window manager busy for a second.

use x11rb::connection::{Connection, RequestConnection};
use x11rb::errors::ReplyError;
use x11rb::protocol::xkb::{
    self, ConnectionExt as _, GetMapRequest, ID, KeySymMap, MapPart, SetMapAux, SetMapFlags, VMod,
};
use x11rb::protocol::xproto::{ConnectionExt as _, Keycode, Keysym};

use super::link::Wire;

/// What a key makes without and with Shift; zeros for a key that means nothing.
pub(super) type Pair = [Keysym; 2];

/// The type of keys with two levels, the same in every keyboard description.
const TWO_LEVELS: u8 = 1;

/// Sets what these keys make. Returns once the server has done so.
pub(super) fn set(wire: &Wire, keys: &[(Keycode, Pair)]) -> Result<(), ReplyError> {
    let (Some(first), Some(last)) =
        (keys.iter().map(|key| key.0).min(), keys.iter().map(|key| key.0).max())
    else {
        return Ok(());
    };
    let has_xkb = wire.extension_information(xkb::X11_EXTENSION_NAME)?.is_some();
    if has_xkb && wire.xkb_use_extension(1, 0)?.reply()?.supported {
        return at_once(wire, keys, first, last);
    }
    for (code, pair) in keys {
        wire.change_keyboard_mapping(1, *code, 2, pair)?.check()?;
    }
    Ok(())
}

/// Writes back all keys from the first to the last; those in between stay exactly as they are.
fn at_once(
    wire: &Wire,
    keys: &[(Keycode, Pair)],
    first: Keycode,
    last: Keycode,
) -> Result<(), ReplyError> {
    let mut rows = rows(wire, first, last - first + 1)?;
    for (row, code) in rows.iter_mut().zip(first..=last) {
        if let Some((_, pair)) = keys.iter().find(|(key, _)| *key == code) {
            *row = meaning(*pair);
        }
    }
    write(wire, rows, first, last - first + 1)
}

/// What `count` keys from `first` on mean now.
fn rows(wire: &Wire, first: Keycode, count: u8) -> Result<Vec<KeySymMap>, ReplyError> {
    let request = GetMapRequest {
        device_spec: ID::USE_CORE_KBD.into(),
        partial: MapPart::KEY_SYMS,
        first_key_sym: first,
        n_key_syms: count,
        ..GetMapRequest::default()
    };
    let reply = wire.send_trait_request_with_reply(request)?.reply()?;
    Ok(reply.map.syms_rtrn.unwrap_or_default())
}

fn write(wire: &Wire, rows: Vec<KeySymMap>, first: Keycode, count: u8) -> Result<(), ReplyError> {
    let device = u16::from(ID::USE_CORE_KBD);
    let no_modifiers = VMod::from(0_u16);
    let total = rows.iter().map(|row| row.syms.len()).sum::<usize>();
    let total = u16::try_from(total).unwrap_or(u16::MAX);
    let setup = wire.setup();
    let (low, high) = (setup.min_keycode, setup.max_keycode);
    wire.xkb_set_map(
        device,
        SetMapFlags::from(0_u16),
        low,
        high,
        0,
        0,
        first,
        count,
        total,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        no_modifiers,
        &SetMapAux::new().syms(rows),
    )?
    .check()
}

fn meaning(pair: Pair) -> KeySymMap {
    if pair == [0, 0] {
        return KeySymMap { kt_index: [0; 4], group_info: 0, width: 0, syms: Vec::new() };
    }
    KeySymMap { kt_index: [TWO_LEVELS; 4], group_info: 1, width: 2, syms: pair.to_vec() }
}
