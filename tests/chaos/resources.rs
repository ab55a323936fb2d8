//! What a process takes of the machine, as the kernel counts it.

/// At one moment, or the most of several.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Resources {
    pub(crate) resident_kibibytes: f64,
    pub(crate) descriptors: usize,
    pub(crate) threads: usize,
}

impl Resources {
    pub(crate) fn of(process: u32) -> Self {
        let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS:"));
        let resident = line.unwrap().split_whitespace().nth(1).unwrap();
        let count = |of: &str| {
            std::fs::read_dir(format!("/proc/{process}/{of}"))
                .unwrap()
                .count()
        };
        Self {
            resident_kibibytes: resident.parse().unwrap(),
            descriptors: count("fd"),
            threads: count("task"),
        }
    }

    pub(crate) fn most(samples: &[Self]) -> Self {
        samples.iter().fold(Self::default(), |most, sample| Self {
            resident_kibibytes: most.resident_kibibytes.max(sample.resident_kibibytes),
            descriptors: most.descriptors.max(sample.descriptors),
            threads: most.threads.max(sample.threads),
        })
    }
}
