//! The parts of a window that hold several things, as programs tell of them: dialogs, bars, the landmarks of a page,
//! forms and groups with a name.

use std::collections::HashMap;

use ::atspi::Role as BusRole;

use super::draft::Draft;
use super::node::Node;
use crate::element::{Region, RegionKind};

/// Things that make a part worth telling of.
const FEW: usize = 3;

/// The part of its window that an object called `name` is, if it is one.
pub(super) fn of(node: &Node, name: &str) -> Option<Region> {
    let named = |kind| (!name.is_empty()).then_some(kind);
    #[expect(clippy::wildcard_enum_match_arm, reason = "nothing else holds things for a person")]
    let kind = match node.role {
        BusRole::Dialog | BusRole::Alert | BusRole::FileChooser => RegionKind::Dialog,
        BusRole::ToolBar => RegionKind::Toolbar,
        BusRole::Landmark => landmark(node).or_else(|| named(RegionKind::Group))?,
        BusRole::Form => named(RegionKind::Form)?,
        BusRole::Grouping | BusRole::Panel => named(RegionKind::Group)?,
        _ => return None,
    };
    Some(Region { kind, name: name.to_owned() })
}

fn landmark(node: &Node) -> Option<RegionKind> {
    let roles = node.landmark.as_deref()?;
    roles.split_whitespace().find_map(|role| {
        Some(match role {
            "navigation" => RegionKind::Navigation,
            "main" => RegionKind::Main,
            "search" => RegionKind::Search,
            "complementary" => RegionKind::Aside,
            "banner" => RegionKind::Header,
            "contentinfo" => RegionKind::Footer,
            "form" => RegionKind::Form,
            _ => return None,
        })
    })
}

/// Forgets the parts that hold next to nothing.
pub(super) fn drop_small(drafts: &mut [Draft]) {
    let mut counts: HashMap<Region, usize> = HashMap::new();
    for region in drafts.iter().filter_map(|draft| draft.region.clone()) {
        *counts.entry(region).or_default() += 1;
    }
    for draft in drafts {
        draft.region.take_if(|region| counts.get(region).is_none_or(|count| *count < FEW));
    }
}
