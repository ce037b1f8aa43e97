//! Which model suits a machine, and why the others do not.

use std::cmp::Reverse;

use super::catalogue::{Catalogue, Entry, Served};

/// The share of a machine's memory that a model may take, in percent: other programs run beside it.
const SHARE: u64 = 60;
/// The share of a graphics card's memory, in percent.
const GRAPHICS_SHARE: u64 = 92;

/// What a machine has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Machine {
    /// Memory, in MB.
    pub memory_mb: u64,
    /// Cores of the processor, as the system counts those that can be used.
    pub cores: usize,
    /// Its graphics card, where it has one that models run on.
    pub graphics: Option<Graphics>,
}

/// A graphics card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Graphics {
    /// Its name.
    pub name: String,
    /// Its memory, in MB.
    pub memory_mb: u64,
}

/// What is said about one model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict<'a, T> {
    /// The model.
    pub model: &'a T,
    /// Why it does not suit; `None` where it does.
    pub against: Option<String>,
}

/// A model that is recommended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pick<'a> {
    /// It runs in Freehand itself.
    Here(&'a Entry),
    /// It needs a server.
    Served(&'a Served),
}

/// What is said about all of them, the best first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advice<'a> {
    /// Those that run in Freehand itself.
    pub here: Vec<Verdict<'a, Entry>>,
    /// Those that need a server.
    pub served: Vec<Verdict<'a, Served>>,
    /// The best that suits, and why it and no better one.
    pub first: Option<(Pick<'a>, String)>,
}

impl Catalogue {
    /// Which models suit `machine`, the best first, then those that do not.
    pub fn advise(&self, machine: &Machine) -> Advice<'_> {
        let mut here: Vec<Verdict<'_, Entry>> = self
            .models
            .iter()
            .filter_map(|model| Some(Verdict { model, against: here(model, machine)? }))
            .collect();
        here.sort_by_key(|verdict| (verdict.against.is_some(), Reverse(verdict.model.rank)));
        let served = self.served.iter().map(|model| Verdict { model, against: served(model, machine) });
        let mut served: Vec<Verdict<'_, Served>> = served.collect();
        served.sort_by_key(|verdict| (verdict.against.is_some(), Reverse(verdict.model.rank)));
        let first = first(&here, &served, machine);
        Advice { here, served, first }
    }
}

/// The best that suits. A model that sees takes minutes for a step without a graphics card, so it suits there
/// and is not recommended.
fn first<'a>(
    here: &[Verdict<'a, Entry>],
    served: &[Verdict<'a, Served>],
    machine: &Machine,
) -> Option<(Pick<'a>, String)> {
    let has_card = machine.graphics.is_some();
    let in_itself = here.iter().find(|v| v.against.is_none()).map(|v| v.model);
    let mut with_server = served.iter().filter(|v| v.against.is_none()).map(|v| v.model);
    let with_server = with_server.find(|model| has_card || !model.sees);
    let room = percent(machine.memory_mb, SHARE);
    match (in_itself, with_server) {
        (entry, Some(model)) if entry.is_none_or(|entry| entry.rank < model.rank) => {
            let sees = if model.sees { "it sees the screen" } else { "it is the best that reads text" };
            let why = match &machine.graphics {
                Some(card) => {
                    format!("{sees} and fits on `{}`: {} MB", card.name, model.graphics_mb)
                }
                None => {
                    format!("{sees} and takes {} of the {room} MB that can be spared", model.memory_mb)
                }
            };
            Some((Pick::Served(model), why))
        }
        (Some(entry), _) => {
            let needs = entry.needs?;
            let why = format!(
                "the best that this machine bears: it takes {} of the {room} MB that can be spared, and needs {} of \
                 {} cores",
                needs.memory_mb, needs.cores, machine.cores
            );
            Some((Pick::Here(entry), why))
        }
        (None, _) => None,
    }
}

fn percent(of: u64, share: u64) -> u64 {
    of.saturating_mul(share) / 100
}

/// Why a model does not run well in Freehand on this machine; `None` for one that cannot be asked.
#[expect(
    clippy::option_option,
    reason = "one for whether it can be asked, one for whether something is against it"
)]
fn here(model: &Entry, machine: &Machine) -> Option<Option<String>> {
    let needs = model.needs?;
    let room = percent(machine.memory_mb, SHARE);
    Some(if needs.memory_mb > room {
        Some(format!("it takes {} MB of memory, and {room} MB can be spared", needs.memory_mb))
    } else if needs.cores > machine.cores {
        let (needs, cores) = (needs.cores, machine.cores);
        Some(format!("a step would take too long on {cores} cores; {needs} make it bearable"))
    } else {
        None
    })
}

fn served(model: &Served, machine: &Machine) -> Option<String> {
    if let Some(graphics) = &machine.graphics {
        let room = percent(graphics.memory_mb, GRAPHICS_SHARE);
        return (model.graphics_mb > room).then(|| {
            format!(
                "it takes {} MB of a graphics card, and `{}` has {room} MB to spare",
                model.graphics_mb, graphics.name
            )
        });
    }
    let room = percent(machine.memory_mb, SHARE);
    if model.memory_mb > room {
        let wanted = model.memory_mb;
        return Some(format!(
            "without a graphics card it takes {wanted} MB of memory, and {room} MB can be spared"
        ));
    }
    (model.cores > machine.cores).then(|| {
        let (needs, cores) = (model.cores, machine.cores);
        format!("without a graphics card a step would take too long on {cores} cores; {needs} make it bearable")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine(memory_mb: u64, cores: usize, graphics: Option<u64>) -> Machine {
        let graphics = graphics.map(|memory_mb| Graphics { name: "card".into(), memory_mb });
        Machine { memory_mb, cores, graphics }
    }

    #[test]
    fn the_best_that_suits_comes_first() {
        let catalogue = Catalogue::builtin().unwrap();
        // Memory in MB, cores, memory of the graphics card; what is recommended, and what without a server.
        for (memory, cores, graphics, first, in_itself) in [
            (1_000, 1, None, None, None),
            (2_100, 2, None, Some("qwen2.5-coder-0.5b"), Some("qwen2.5-coder-0.5b")),
            (4_200, 2, None, Some("qwen2.5-coder-1.5b"), Some("qwen2.5-coder-1.5b")),
            (4_200, 16, None, Some("qwen2.5-coder-1.5b"), Some("qwen2.5-coder-1.5b")),
            (8_500, 4, None, Some("qwen2.5-coder-1.5b"), Some("qwen2.5-coder-1.5b")),
            (8_500, 8, None, Some("qwen3-4b"), Some("qwen3-4b")),
            (17_000, 8, None, Some("qwen2.5-coder-7b"), Some("qwen2.5-coder-7b")),
            (34_000, 2, None, Some("qwen2.5-coder-1.5b"), Some("qwen2.5-coder-1.5b")),
            (34_000, 16, None, Some("qwen3-8b"), Some("qwen3-8b")),
            (68_000, 16, None, Some("Qwen3-30B-A3B"), Some("qwen3-8b")),
            (17_000, 8, Some(4_300), Some("qwen2.5-coder-7b"), Some("qwen2.5-coder-7b")),
            (17_000, 8, Some(6_400), Some("GUI-Owl-1.5-4B-Instruct"), Some("qwen2.5-coder-7b")),
            (34_000, 16, Some(12_800), Some("GUI-Owl-1.5-8B-Instruct"), Some("qwen3-8b")),
            (34_000, 16, Some(25_700), Some("Holo3.1-35B-A3B"), Some("qwen3-8b")),
        ] {
            let machine = machine(memory, cores, graphics);
            let advice = catalogue.advise(&machine);
            let picked = advice.first.as_ref().map(|(pick, why)| {
                assert!(why.contains(" MB"), "{why}");
                match pick {
                    Pick::Here(model) => model.name.as_str(),
                    Pick::Served(model) => model.name.as_str(),
                }
            });
            let here = advice.here.iter().find(|verdict| verdict.against.is_none());
            let here = here.map(|verdict| verdict.model.name.as_str());
            assert_eq!((picked, here), (first, in_itself), "{machine:?}");
        }
    }

    #[test]
    fn says_what_is_against_the_others() {
        let catalogue = Catalogue::builtin().unwrap();
        let advice = catalogue.advise(&machine(16_000, 4, None));
        let against = |name: &str| {
            advice.here.iter().find(|v| v.model.name == name).and_then(|v| v.against.clone()).unwrap()
        };
        assert!(against("qwen3-8b").contains("on 4 cores; 12 make"), "{}", against("qwen3-8b"));
        assert!(advice.here.iter().all(|verdict| !verdict.model.name.starts_with("ocr")));
    }
}
