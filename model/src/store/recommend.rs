//! Which model suits a machine, and why the others do not.

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

/// What is said about all of them, the best first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advice<'a> {
    /// Those that run in Freehand itself.
    pub here: Vec<Verdict<'a, Entry>>,
    /// Those that need a server.
    pub served: Vec<Verdict<'a, Served>>,
}

impl Catalogue {
    /// Which models suit `machine`, the best first, then those that do not.
    pub fn advise(&self, machine: &Machine) -> Advice<'_> {
        let mut here: Vec<Verdict<'_, Entry>> = self
            .models
            .iter()
            .filter_map(|model| Some(Verdict { model, against: here(model, machine)? }))
            .collect();
        // What was measured here comes before what only should be better; then the larger one.
        here.sort_by_key(|verdict| {
            let measured =
                verdict.model.judged.as_ref().is_some_and(|said| said.contains("measured here)"));
            let default = verdict.model.name == self.default;
            let order = std::cmp::Reverse((default, measured, verdict.model.bytes));
            (verdict.against.is_some(), order)
        });
        let served = self.served.iter().map(|model| Verdict { model, against: served(model, machine) });
        let mut served: Vec<Verdict<'_, Served>> = served.collect();
        served
            .sort_by_key(|verdict| (verdict.against.is_some(), std::cmp::Reverse(verdict.model.bytes)));
        Advice { here, served }
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

    fn fitting(machine: &Machine) -> (Vec<String>, Vec<String>) {
        let catalogue = Catalogue::builtin().unwrap();
        let advice = catalogue.advise(machine);
        let here = advice.here.iter().filter(|verdict| verdict.against.is_none());
        let served = advice.served.iter().filter(|verdict| verdict.against.is_none());
        (here.map(|v| v.model.name.clone()).collect(), served.map(|v| v.model.name.clone()).collect())
    }

    #[test]
    fn suits_the_machine() {
        let (here, served) = fitting(&machine(4_000, 2, None));
        assert_eq!(
            (here, served.len()),
            (vec!["qwen2.5-coder-1.5b".into(), "qwen2.5-coder-0.5b".into()], 0)
        );
        let (here, _) = fitting(&machine(2_200, 2, None));
        assert_eq!(here, ["qwen2.5-coder-0.5b"]);
        let (here, served) = fitting(&machine(64_000, 16, Some(24_564)));
        assert_eq!(here[0], "qwen2.5-coder-1.5b");
        assert!(here.contains(&"qwen3-8b".to_owned()) && served.contains(&"Qwen3-30B-A3B".to_owned()));
        let (_, served) = fitting(&machine(64_000, 16, Some(8_192)));
        assert!(served.is_empty());
        assert!(fitting(&machine(0, 0, None)).0.is_empty());
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
