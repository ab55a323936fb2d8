//! The handle by which tests, the demo and the administrative endpoints look into a running server.

use std::{collections::BTreeMap, net::SocketAddr, sync::Arc, time::Duration};

use super::{
    faults::FaultRule,
    local_queue::QueueSnapshot,
    server::Shared,
    sqs::{SqsError, queue_url, send_body},
};

/// Looks into a server and changes it; cheap to clone, and valid while the server serves and after.
#[derive(Debug, Clone)]
pub struct Control {
    shared: Arc<Shared>,
    address: SocketAddr,
}

impl Control {
    pub(crate) fn new(shared: Arc<Shared>, address: SocketAddr) -> Self {
        Self { shared, address }
    }

    /// The server's time since the Unix epoch, with what it was moved by.
    pub fn now(&self) -> Duration {
        self.shared.now()
    }

    /// How many requests for `operation`, such as `GetQueueAttributes`, were received so far,
    /// those that a fault answered included.
    pub fn requests(&self, operation: &str) -> u64 {
        self.shared.requests().get(operation).copied().unwrap_or(0)
    }

    /// Creates a queue with SQS attributes as `CreateQueue` does, and returns its URL.
    pub fn create_queue(
        &self,
        name: &str,
        attributes: &[(&str, &str)],
    ) -> Result<String, SqsError> {
        let attributes: BTreeMap<String, String> = attributes
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        self.shared
            .account()
            .create(self.shared.now(), name, &attributes)?;
        Ok(queue_url(&self.address.to_string(), name))
    }

    /// Sends a message with this body to the queue called `name`, as a client of SQS would.
    ///
    /// # Errors
    /// When there is no such queue, or it does not take the message.
    pub fn send(&self, name: &str, body: &str) -> Result<(), SqsError> {
        let now = self.shared.now();
        send_body(self.shared.account().queue(name)?, now, body)
    }

    /// The true state of the queue called `name`, whatever faults are set.
    pub fn queue(&self, name: &str) -> Option<QueueSnapshot> {
        let now = self.shared.now();
        self.shared
            .account()
            .queues
            .get_mut(name)
            .map(|queue| queue.snapshot(now))
    }

    /// The true state of every queue, by name.
    pub fn queues(&self) -> BTreeMap<String, QueueSnapshot> {
        let now = self.shared.now();
        let mut account = self.shared.account();
        account
            .queues
            .iter_mut()
            .map(|(name, queue)| (name.clone(), queue.snapshot(now)))
            .collect()
    }

    /// Puts a rule in force, after those that are.
    pub fn set_fault(&self, rule: FaultRule) {
        self.shared.faults().add(self.shared.now(), rule);
    }

    pub fn clear_faults(&self) {
        self.shared.faults().clear();
    }

    /// Sets how long after its minute a queue's metric can be seen; 90 seconds at the start.
    pub fn set_metric_delay(&self, delay: Duration) {
        self.shared.metrics().delay = delay;
    }

    /// Moves the server's time forward: delays, timeouts and retention end as if it had passed.
    pub fn advance_clock(&self, by: Duration) {
        self.shared.advance_clock(by);
    }
}
