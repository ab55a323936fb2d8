//! From metadata to a policy, and from counts to a decision: no cache and no RPC.

use std::{collections::HashMap, hint::black_box, time::Duration};

use sluice::scaling::{Backlog, Estimator, QueueSettings, Seen, Trigger, decide};

/// As often as KEDA asks while there are replicas, when one observation serves five seconds.
const BETWEEN_LOOKS: Duration = Duration::from_secs(10);

/// Looks before the first one that counts: a quarter of an hour, as much as is remembered.
const WARM_UP_LOOKS: u32 = 90;

/// One trigger, its queue, and what was learned of it.
pub(super) struct Deciding {
    trigger: Trigger,
    backlog: Backlog,
    estimator: Option<Estimator>,
    now: Duration,
}

/// The metadata of a trigger of KEDA's own scaler, and `more`.
pub(super) fn metadata(more: &[(&str, &str)]) -> HashMap<String, String> {
    let plain = [
        (
            "queueURL",
            "https://sqs.eu-west-1.amazonaws.com/123456789012/orders",
        ),
        ("awsRegion", "eu-west-1"),
        ("queueLength", "5"),
        ("activationQueueLength", "0"),
        ("scaleOnInFlight", "true"),
        ("scalerAddress", "sluice.keda.svc:9090"),
    ];
    let all = plain.iter().chain(more);
    all.map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect()
}

pub(super) fn parse() {
    thread_local! {
        static METADATA: HashMap<String, String> = metadata(&[]);
    }
    METADATA.with(|metadata| {
        black_box(Trigger::parse(black_box(metadata))).expect("good metadata");
    });
}

impl Deciding {
    fn given(more: &[(&str, &str)]) -> Self {
        let trigger = Trigger::parse(&metadata(more)).expect("good metadata");
        Self {
            estimator: trigger.policy.law.map(Estimator::new),
            trigger,
            backlog: Backlog {
                visible: 2_000,
                in_flight: 90,
                delayed: 0,
            },
            now: Duration::from_hours(500_000),
        }
    }

    /// As KEDA's own scaler decides.
    pub(super) fn plain() -> Self {
        Self::given(&[])
    }

    /// By the law, with a full memory.
    pub(super) fn law() -> Self {
        let mut law = Self::given(&[("targetWaitSeconds", "60"), ("concurrency", "10")]);
        (0..WARM_UP_LOOKS).for_each(|_| law.learn_and_decide());
        law
    }

    /// The decision alone, from an observation that was learned from before.
    pub(super) fn decide(&mut self) {
        let Self {
            trigger,
            backlog,
            now,
            ..
        } = self;
        let seen = seen(backlog);
        let estimate = self
            .estimator
            .as_mut()
            .map(|estimator| estimator.observe(*now, &seen));
        black_box(decide(
            black_box(&trigger.policy),
            black_box(backlog),
            black_box(estimate.as_ref()),
        ));
    }

    /// A new observation: the counts move a little.
    pub(super) fn learn_and_decide(&mut self) {
        self.now += BETWEEN_LOOKS;
        let step = i64::try_from(self.now.as_secs() % 97).unwrap_or(0);
        self.backlog.visible = 1_900 + step;
        self.backlog.in_flight = 80 + step % 11;
        self.decide();
    }
}

fn seen(backlog: &Backlog) -> Seen<'_> {
    Seen {
        backlog,
        minutes: &[],
        ready_replicas: None,
        delay: QueueSettings::default().delay,
    }
}
