//! Which language model answers on this machine.

use std::path::Path;

use providers::packs::Profile;

use crate::config::Profile as Wish;

/// On one core the better model takes seconds to its first clause; on two it answers after 1.3 s (median), and what it
/// says makes sense, which the small one's answers often do not.
const GOOD_CORES: usize = 2;
/// The better model, the voice models and their caches take 2.5 GiB; the rest is for whatever else runs here.
const GOOD_MEMORY_BYTES: u64 = 5 * 1024 * 1024 * 1024;

/// What of the machine decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Machine {
    /// Cores this process may use.
    pub cores: usize,
    /// Memory this process may use.
    pub memory_bytes: u64,
}

impl Machine {
    /// This machine, within the limits of its container.
    pub(crate) fn here() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let total = read(Path::new("/proc/meminfo"), mem_total).unwrap_or(0);
        let limit: Option<u64> = read(Path::new("/sys/fs/cgroup/memory.max"), |text| text.trim().parse().ok());
        Self { cores, memory_bytes: limit.map_or(total, |limit| limit.min(total)) }
    }
}

/// The profile for a wish on a machine.
pub(crate) fn choose(wish: Wish, machine: Machine) -> Profile {
    match wish {
        Wish::Fast => Profile::Fast,
        Wish::Good => Profile::Good,
        Wish::Auto if machine.cores >= GOOD_CORES && machine.memory_bytes >= GOOD_MEMORY_BYTES => Profile::Good,
        Wish::Auto => Profile::Fast,
    }
}

/// The profile that is not this one.
pub(super) fn other(profile: Profile) -> Profile {
    match profile {
        Profile::Fast => Profile::Good,
        Profile::Good => Profile::Fast,
    }
}

fn read<T>(path: &Path, parse: impl Fn(&str) -> Option<T>) -> Option<T> {
    parse(&std::fs::read_to_string(path).ok()?)
}

fn mem_total(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

#[cfg(test)]
mod tests {
    use providers::packs::Profile;

    use super::{Machine, Wish, choose, mem_total};

    fn machine(cores: usize, gib: u64) -> Machine {
        Machine { cores, memory_bytes: gib * 1024 * 1024 * 1024 }
    }

    #[test]
    fn auto_takes_the_better_model_where_it_answers_in_time() {
        for (here, expected) in [
            (machine(1, 24), Profile::Fast),
            (machine(2, 4), Profile::Fast),
            (machine(2, 5), Profile::Good),
            (machine(64, 256), Profile::Good),
        ] {
            assert_eq!(choose(Wish::Auto, here), expected, "{here:?}");
        }
    }

    #[test]
    fn a_named_profile_is_taken_at_its_word() {
        assert_eq!(choose(Wish::Good, machine(1, 1)), Profile::Good);
        assert_eq!(choose(Wish::Fast, machine(64, 256)), Profile::Fast);
    }

    #[test]
    fn memory_is_read_in_kibibytes() {
        assert_eq!(mem_total("MemFree: 1 kB\nMemTotal:       16384 kB\n"), Some(16_384 * 1024));
    }
}
