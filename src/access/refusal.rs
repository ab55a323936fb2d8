//! Why a trigger may not ask for its queue: what it named, and what would have been allowed.

/// Which rule keeps a trigger from its queue.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No rule is about the namespace.
    #[error("no rule names namespace {namespace:?}")]
    Namespace {
        /// Who asks.
        namespace: String,
    },
    /// The queue has another name.
    #[error("queue {queue:?} is none of those that {rule} allows: {allowed}")]
    Queue {
        /// Its name.
        queue: String,
        /// Which rule.
        rule: String,
        /// What it allows.
        allowed: String,
    },
    /// The queue is in another region.
    #[error("region {region:?} is none of those that {rule} allows: {allowed}")]
    Region {
        /// The region.
        region: String,
        /// Which rule.
        rule: String,
        /// What it allows.
        allowed: String,
    },
    /// The region is not the name of one.
    #[error("awsRegion {region:?} is no region: expected letters, digits and hyphens")]
    NoRegion {
        /// What was found.
        region: String,
    },
    /// The queue is of another account.
    #[error("account {account} of the queue is none of those that {rule} allows: {allowed}")]
    Account {
        /// The account in the queue's URL.
        account: String,
        /// Which rule.
        rule: String,
        /// What it allows.
        allowed: String,
    },
    /// The URL does not say of which account the queue is.
    #[error(
        "queueURL {url:?} does not say of which account the queue is: expected a bare name, or a path \
         of /<account of 12 digits>/<name>"
    )]
    NoAccount {
        /// `queueURL`.
        url: String,
    },
    /// The role may not be assumed.
    #[error("awsRoleArn {role:?} is none of those that {rule} allows: {allowed}")]
    Role {
        /// The role.
        role: String,
        /// Which rule.
        rule: String,
        /// What it allows.
        allowed: String,
    },
    /// The role may be assumed, but not with this external id.
    #[error("awsExternalId is not the one that {rule} asks for with role {role:?}")]
    ExternalId {
        /// The role.
        role: String,
        /// Which rule.
        rule: String,
    },
    /// The endpoint is not AWS's.
    #[error(
        "awsEndpoint {endpoint:?} is not SQS of AWS over https, nor any that {rule} allows: {allowed}"
    )]
    Endpoint {
        /// The endpoint.
        endpoint: String,
        /// Which rule.
        rule: String,
        /// What it allows.
        allowed: String,
    },
    /// The endpoint is this machine.
    #[error("awsEndpoint {endpoint:?} is this machine, which only --loopback-endpoints allows")]
    Loopback {
        /// The endpoint.
        endpoint: String,
    },
    /// The endpoint is only seen from within a machine.
    #[error("awsEndpoint {endpoint:?} is a link-local or metadata address, which nothing allows")]
    Reserved {
        /// The endpoint.
        endpoint: String,
    },
    /// The endpoint is no URL.
    #[error("awsEndpoint {endpoint:?} is no URL of http or https without a user")]
    NoEndpoint {
        /// What was found.
        endpoint: String,
    },
}
