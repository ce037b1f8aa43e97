//! What this machine has for a model to run on.

use std::process::Command;

use freehand_model::store::{Graphics, Machine};
use sysinfo::{MemoryRefreshKind, RefreshKind, System};

/// This machine, with what the user says instead: memory and that of a graphics card in GB, and cores.
pub fn described(memory_gb: Option<u64>, cores: Option<usize>, graphics_gb: Option<u64>) -> Machine {
    let graphics = match graphics_gb {
        Some(0) => None,
        Some(gb) => Some(Graphics { name: "a graphics card".into(), memory_mb: megabytes(gb) }),
        None => graphics(),
    };
    Machine {
        memory_mb: memory_gb.map_or_else(memory, megabytes),
        cores: cores.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, Into::into)),
        graphics,
    }
}

/// What is sold as so many GB of memory.
const fn megabytes(gb: u64) -> u64 {
    gb.saturating_mul(1 << 30) / 1_000_000
}

/// The memory, or what of it this process may use.
fn memory() -> u64 {
    let wanted = RefreshKind::nothing().with_memory(MemoryRefreshKind::nothing().with_ram());
    let system = System::new_with_specifics(wanted);
    let limit = system.cgroup_limits().map_or(u64::MAX, |limits| limits.total_memory);
    system.total_memory().min(limit) / 1_000_000
}

fn graphics() -> Option<Graphics> {
    nvidia().or_else(amd)
}

/// By the tool that comes with NVIDIA's driver.
fn nvidia() -> Option<Graphics> {
    let mut command = Command::new("nvidia-smi");
    command.args(["--query-gpu=name,memory.total", "--format=csv,noheader,nounits"]);
    let told = command.output().ok().filter(|told| told.status.success())?;
    largest(&String::from_utf8_lossy(&told.stdout))
}

/// The card with most memory among lines of a name and a number of MiB.
fn largest(lines: &str) -> Option<Graphics> {
    let cards = lines.lines().filter_map(|line| {
        let (name, memory) = line.rsplit_once(',')?;
        let memory_mb = memory.trim().parse::<u64>().ok()?.checked_mul(1_048_576)? / 1_000_000;
        Some(Graphics { name: name.trim().to_owned(), memory_mb })
    });
    cards.max_by_key(|card| card.memory_mb)
}

/// As the kernel tells it of AMD's cards.
fn amd() -> Option<Graphics> {
    let cards = std::fs::read_dir("/sys/class/drm").ok()?.flatten();
    let memory = cards.filter_map(|card| {
        let told = std::fs::read_to_string(card.path().join("device/mem_info_vram_total")).ok()?;
        told.trim().parse::<u64>().ok()
    });
    let memory_mb = memory.max()? / 1_000_000;
    // What is smaller is a part of the processor that borrows the machine's memory.
    (memory_mb >= 4_000).then(|| Graphics { name: "a card of AMD".into(), memory_mb })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_the_tool_tells() {
        let told = "NVIDIA GeForce GTX 1650, 4096\nNVIDIA GeForce RTX 4090, 24564\nbroken\n";
        let card = largest(told).unwrap();
        assert_eq!((card.name.as_str(), card.memory_mb), ("NVIDIA GeForce RTX 4090", 25_757));
        assert_eq!(largest("[N/A]"), None);
    }

    #[test]
    fn this_machine_has_something() {
        let machine = described(None, None, Some(0));
        assert!(machine.memory_mb > 500 && machine.cores > 0, "{machine:?}");
        let told = described(Some(8), Some(3), Some(6));
        assert_eq!((told.memory_mb, told.cores, told.graphics.unwrap().memory_mb), (8589, 3, 6442));
    }
}
