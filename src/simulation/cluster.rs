//! The cluster that pods run on, as settings.

use std::time::Duration;

/// Where pods run, and how long things take there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cluster {
    /// From a pod's place on a node to its first message.
    pub startup: Duration,
    /// `terminationGracePeriodSeconds`.
    pub grace: Duration,
    pub pods_per_node: u32,
    /// Nodes that are always there.
    pub nodes: u32,
    /// A further node takes at least this long to come.
    pub node_startup_min: Duration,
    /// A further node takes at most this long to come.
    pub node_startup_max: Duration,
    /// A further node leaves when it was not needed for this long.
    pub node_idle: Duration,
}

impl Default for Cluster {
    fn default() -> Self {
        Self {
            startup: Duration::from_secs(15),
            grace: Duration::from_secs(30),
            pods_per_node: 10,
            nodes: 2,
            node_startup_min: Duration::from_secs(40),
            node_startup_max: Duration::from_secs(90),
            node_idle: Duration::from_mins(5),
        }
    }
}
