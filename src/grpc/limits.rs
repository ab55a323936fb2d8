//! How much of everything the clients of the gRPC port may take.

/// What is beyond a limit is refused, and nobody else notices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Connections at once. KEDA holds one; the rest is for probes and people.
    pub connections_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections_max: 512,
        }
    }
}
