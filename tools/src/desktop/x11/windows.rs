//! The windows on the screen, the front one first. The order is that of the root's children, which
//! is what the pointer really hits; the window manager's list only says which of them are programs'
//! windows. Menus and pop-ups are windows too: a click on one must be judged as a click on its program.

use std::collections::{HashMap, HashSet};

use x11rb::connection::Connection;
use x11rb::protocol::shape::{self, ConnectionExt as _, SK};
use x11rb::protocol::xproto::{
    AtomEnum, ConnectionExt as _, GetGeometryReply, GetWindowAttributesReply, MapState,
    Window as XWindow, WindowClass,
};

use super::link::{During, Link};
use super::window_facts::{self, Facts};
use crate::desktop::DesktopError;
use crate::desktop::area::{Area, AreaKind};
use crate::element::{Window, WindowId};
use crate::geometry::{Rect, ScreenPoint, ScreenRect};

const WHAT: &str = "looking at the windows";
/// Windows lie at most so deep inside the frames that a window manager puts round them.
const DEPTH: usize = 8;
/// More windows than this are not looked at.
const MOST: usize = 512;

/// One child of the root that shows.
#[derive(Debug)]
struct Top {
    id: XWindow,
    bounds: ScreenRect,
    past_the_manager: bool,
}

/// What the window manager says.
#[derive(Debug)]
struct Managed {
    there: bool,
    /// A window of the window manager's own.
    check: Option<XWindow>,
    clients: Vec<XWindow>,
    active: Option<XWindow>,
    desktop: Option<u32>,
}

/// The windows that show, the front one first.
pub(super) fn list(link: &Link) -> Result<Vec<Window>, DesktopError> {
    let (managed, focus, children) = overview(link)?;
    let tops = showing(link, &children)?;
    let roots: HashSet<XWindow> = children.iter().copied().collect();
    let sought: Vec<XWindow> =
        managed.clients.iter().copied().chain(focus).chain(managed.active).collect();
    let home = ancestors(link, &sought, &roots)?;
    let mut client_of: HashMap<XWindow, XWindow> = HashMap::new();
    for client in &managed.clients {
        if let Some(top) = home.get(client) {
            client_of.insert(*top, *client);
        }
    }
    let shown: Vec<(&Top, XWindow)> = tops
        .iter()
        .filter_map(|top| {
            let client = client_of.get(&top.id).copied();
            Some((top, client.or_else(|| counts_by_itself(link, top, &managed).then_some(top.id))?))
        })
        .collect();
    let ids: Vec<(XWindow, XWindow)> = shown.iter().map(|(top, client)| (top.id, *client)).collect();
    let facts = window_facts::read(link, &ids)?;
    let focused = [focus, managed.active].into_iter().flatten().find_map(|window| {
        let top = home.get(&window)?;
        shown.iter().find(|(shown, _)| shown.id == *top).map(|(_, client)| *client)
    });
    let names = names_by_program(link, &shown, &facts);
    Ok(shown
        .iter()
        .zip(facts)
        .filter(|(_, facts)| !facts.is_hidden(managed.desktop))
        .filter_map(|((top, client), facts)| {
            let (app, pid) = names.get(&program(link, *client)).cloned().unwrap_or_default();
            Some(Window {
                id: WindowId(u64::from(*client)),
                bounds: facts.visible_part(top.bounds)?,
                title: facts.title,
                app: if facts.app.is_empty() { app } else { facts.app },
                pid: facts.pid.or(pid),
                focused: focused == Some(*client),
            })
        })
        .collect())
}

/// The bars and edges that the window manager draws round each of them.
pub(super) fn bars(link: &Link, windows: &[Window]) -> Result<Vec<Area>, DesktopError> {
    let asked: Result<Vec<_>, DesktopError> = windows
        .iter()
        .map(|window| {
            let id = XWindow::try_from(window.id.0).unwrap_or(0);
            let extents = link.atoms._NET_FRAME_EXTENTS;
            let asked =
                link.wire.get_property(false, id, extents, AtomEnum::CARDINAL, 0, 4).during(WHAT)?;
            Ok((window, asked))
        })
        .collect();
    let mut bars = Vec::new();
    for (window, cookie) in asked? {
        let reply = there(cookie.reply())?;
        let sides: Vec<u32> = reply.iter().filter_map(|reply| reply.value32()).flatten().collect();
        let [left, right, top, bottom] = sides.as_slice() else { continue };
        let ScreenRect { x, y, width, height, .. } = window.bounds;
        let (far, low) = (x.saturating_add_unsigned(width), y.saturating_add_unsigned(height));
        let sides = [
            Rect::new(x, y, width, *top),
            Rect::new(x, low.saturating_sub_unsigned(*bottom), width, *bottom),
            Rect::new(x, y, *left, height),
            Rect::new(far.saturating_sub_unsigned(*right), y, *right, height),
        ];
        let sides = sides.into_iter().filter_map(|side| side.intersect(&window.bounds));
        bars.extend(sides.map(|bounds| Area { window: window.id, bounds, kind: AreaKind::Bar }));
    }
    Ok(bars)
}

/// The front window at `point`.
pub(super) fn at(windows: &[Window], point: ScreenPoint) -> Option<&Window> {
    windows.iter().find(|window| window.bounds.contains(point))
}

/// Windows of one X client share the upper bits of their number, so a menu that does not say whose
/// it is can be told by its siblings.
fn program(link: &Link, window: XWindow) -> u32 {
    window & !link.wire.setup().resource_id_mask
}

fn names_by_program(
    link: &Link,
    shown: &[(&Top, XWindow)],
    facts: &[Facts],
) -> HashMap<u32, (String, Option<u32>)> {
    let mut names: HashMap<u32, (String, Option<u32>)> = HashMap::new();
    for ((_, client), facts) in shown.iter().zip(facts) {
        let name = names.entry(program(link, *client)).or_default();
        if name.0.is_empty() {
            name.0.clone_from(&facts.app);
        }
        name.1 = name.1.or(facts.pid);
    }
    names
}

/// A child of the root that is no frame: a menu, a pop-up, or any window where nobody manages them.
fn counts_by_itself(link: &Link, top: &Top, managed: &Managed) -> bool {
    let of_the_manager =
        managed.check.is_some_and(|check| program(link, check) == program(link, top.id));
    top.past_the_manager || !managed.there || !of_the_manager
}

fn overview(link: &Link) -> Result<(Managed, Option<XWindow>, Vec<XWindow>), DesktopError> {
    let (wire, atoms) = (&link.wire, &link.atoms);
    let ask = |property, kind: AtomEnum, most| {
        wire.get_property(false, link.root, property, kind, 0, most).during(WHAT)
    };
    let tree = wire.query_tree(link.root).during(WHAT)?;
    let focus = wire.get_input_focus().during(WHAT)?;
    // Some tell of a new window in one of them only, until windows change places.
    let lists = [atoms._NET_CLIENT_LIST_STACKING, atoms._NET_CLIENT_LIST];
    let lists = lists.map(|list| ask(list, AtomEnum::WINDOW, 4096));
    let active = ask(atoms._NET_ACTIVE_WINDOW, AtomEnum::WINDOW, 1)?;
    let desktop = ask(atoms._NET_CURRENT_DESKTOP, AtomEnum::CARDINAL, 1)?;
    let check = ask(atoms._NET_SUPPORTING_WM_CHECK, AtomEnum::WINDOW, 1)?;

    let mut children = tree.reply().during(WHAT)?.children;
    children.reverse();
    children.truncate(MOST);
    // 0 and 1 stand for nothing and for the window under the pointer.
    let focus =
        Some(focus.reply().during(WHAT)?.focus).filter(|focus| *focus > 1 && *focus != link.root);
    let (mut there, mut clients) = (false, Vec::new());
    for list in lists {
        let list = list?.reply().during(WHAT)?;
        there |= list.format == 32;
        let named = list.value32().into_iter().flatten().take(MOST);
        clients.extend(named.filter(|window| !clients.contains(window)).collect::<Vec<XWindow>>());
    }
    let first =
        |reply: x11rb::protocol::xproto::GetPropertyReply| reply.value32().and_then(|mut v| v.next());
    let managed = Managed {
        there,
        clients,
        active: first(active.reply().during(WHAT)?).filter(|window| *window != 0),
        desktop: first(desktop.reply().during(WHAT)?),
        check: first(check.reply().during(WHAT)?),
    };
    Ok((managed, focus, children))
}

/// The children of the root that can be seen and hit.
fn showing(link: &Link, children: &[XWindow]) -> Result<Vec<Top>, DesktopError> {
    let asked: Result<Vec<_>, DesktopError> = children
        .iter()
        .map(|id| {
            let attributes = link.wire.get_window_attributes(*id).during(WHAT)?;
            Ok((*id, attributes, link.wire.get_geometry(*id).during(WHAT)?))
        })
        .collect();
    let mut tops = Vec::new();
    for (id, attributes, geometry) in asked? {
        // A window that has gone meanwhile is no fault.
        let (Some(attributes), Some(geometry)) = (there(attributes.reply())?, there(geometry.reply())?)
        else {
            continue;
        };
        if let Some(top) = Top::of(id, &attributes, &geometry) {
            tops.push(top);
        }
    }
    without_ghosts(link, tops)
}

impl Top {
    fn of(
        id: XWindow,
        attributes: &GetWindowAttributesReply,
        geometry: &GetGeometryReply,
    ) -> Option<Self> {
        let border = u32::from(geometry.border_width) * 2;
        let bounds = Rect::new(
            geometry.x.into(),
            geometry.y.into(),
            u32::from(geometry.width) + border,
            u32::from(geometry.height) + border,
        );
        let seen = attributes.map_state == MapState::VIEWABLE
            && attributes.class == WindowClass::INPUT_OUTPUT
            && bounds.width > 1
            && bounds.height > 1
            && bounds.right() > 0
            && bounds.bottom() > 0;
        seen.then_some(Self { id, bounds, past_the_manager: attributes.override_redirect })
    }
}

/// Overlays through which every click falls are not in front of anything.
fn without_ghosts(link: &Link, tops: Vec<Top>) -> Result<Vec<Top>, DesktopError> {
    if !link.has(shape::X11_EXTENSION_NAME)? {
        return Ok(tops);
    }
    let asked: Result<Vec<_>, DesktopError> = tops
        .into_iter()
        .map(|top| {
            let input = top.past_the_manager.then(|| link.wire.shape_get_rectangles(top.id, SK::INPUT));
            Ok((top, input.transpose().during(WHAT)?))
        })
        .collect();
    let mut solid = Vec::new();
    for (top, input) in asked? {
        let reply = match input {
            Some(cookie) => there(cookie.reply())?,
            None => None,
        };
        if reply.is_none_or(|reply| !reply.rectangles.is_empty()) {
            solid.push(top);
        }
    }
    Ok(solid)
}

/// For each window the child of the root that it lies in.
fn ancestors(
    link: &Link,
    windows: &[XWindow],
    roots: &HashSet<XWindow>,
) -> Result<HashMap<XWindow, XWindow>, DesktopError> {
    let mut home = HashMap::new();
    let mut climbing: Vec<(XWindow, XWindow)> =
        windows.iter().map(|window| (*window, *window)).collect();
    for _ in 0..DEPTH {
        climbing.retain(|(window, now)| {
            let arrived = roots.contains(now);
            if arrived {
                home.insert(*window, *now);
            }
            !arrived
        });
        let asked: Result<Vec<_>, DesktopError> = climbing
            .iter()
            .map(|(window, now)| Ok((*window, link.wire.query_tree(*now).during(WHAT)?)))
            .collect();
        climbing = Vec::new();
        for (window, cookie) in asked? {
            if let Some(tree) = there(cookie.reply())?.filter(|tree| tree.parent != 0) {
                climbing.push((window, tree.parent));
            }
        }
        if climbing.is_empty() {
            break;
        }
    }
    Ok(home)
}

/// The answer, or nothing when the window has gone.
pub(super) fn there<T>(reply: Result<T, x11rb::errors::ReplyError>) -> Result<Option<T>, DesktopError> {
    match reply.during(WHAT) {
        Ok(found) => Ok(Some(found)),
        Err(fault) if fault.is_fatal() => Err(fault),
        Err(_) => Ok(None),
    }
}
