//! Other autoscalers, from their published formulas: none of them goes through KEDA.

pub mod backlog_per_instance;
pub mod flink;
pub mod lambda;
pub mod oracle;
pub mod step;
pub mod worker_pod;

use std::{fmt, str::FromStr, time::Duration};

use self::{
    backlog_per_instance::{BacklogPerInstance, TargetTracking},
    flink::{Flink, FlinkLoop},
    lambda::LambdaLoop,
    step::{Step, StepLoop},
    worker_pod::{WorkerPod, WorkerPodLoop},
};
use super::{control::Sight, numbers::share, scenario::Scenario};

/// A rival and the settings that its user would choose. What it has to be told of the work, such as the
/// time a message takes, it is told truly: that is in its favour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rival {
    WorkerPod {
        /// The share of the target wait that the backlog of a worker may take.
        wait_percent: u32,
        scale_down_delay_seconds: u32,
    },
    BacklogPerInstance {
        /// The share of the target wait that the backlog of an instance may take.
        wait_percent: u32,
    },
    Lambda {
        /// `MaximumConcurrency`, in pods.
        maximum: u32,
    },
    Flink {
        catch_up_seconds: u32,
        utilisation_percent: u32,
        scale_down_interval_seconds: u32,
    },
    Step {
        /// More messages than this are a reason for more pods, a tenth of them for fewer.
        up_messages: u32,
        /// How many more, or fewer.
        pods: u32,
    },
}

impl Rival {
    /// Each as its authors leave it, and planned with three quarters of the wait where a wait is
    /// planned with, as a backlog has to be seen first.
    pub const UNTUNED: [Self; 5] = [
        Self::WorkerPod {
            wait_percent: 75,
            scale_down_delay_seconds: 600,
        },
        Self::BacklogPerInstance { wait_percent: 75 },
        Self::Lambda { maximum: 100 },
        Self::Flink {
            catch_up_seconds: 180,
            utilisation_percent: 70,
            scale_down_interval_seconds: 360,
        },
        Self::Step {
            up_messages: 100,
            pods: 1,
        },
    ];

    fn name(self) -> &'static str {
        match self {
            Self::WorkerPod { .. } => "worker-pod",
            Self::BacklogPerInstance { .. } => "backlog-per-instance",
            Self::Lambda { .. } => "lambda",
            Self::Flink { .. } => "flink",
            Self::Step { .. } => "step",
        }
    }

    /// Its settings in their order.
    fn numbers(self) -> Vec<u32> {
        match self {
            Self::WorkerPod {
                wait_percent,
                scale_down_delay_seconds,
            } => vec![wait_percent, scale_down_delay_seconds],
            Self::BacklogPerInstance { wait_percent } => vec![wait_percent],
            Self::Lambda { maximum } => vec![maximum],
            Self::Flink {
                catch_up_seconds,
                utilisation_percent,
                scale_down_interval_seconds,
            } => vec![
                catch_up_seconds,
                utilisation_percent,
                scale_down_interval_seconds,
            ],
            Self::Step { up_messages, pods } => vec![up_messages, pods],
        }
    }

    /// The same rival with its settings replaced, none of which may be 0.
    fn with(self, numbers: &[u32]) -> Option<Self> {
        if numbers.contains(&0) {
            return None;
        }
        Some(match (self, numbers) {
            (Self::WorkerPod { .. }, &[wait_percent, scale_down_delay_seconds]) => {
                Self::WorkerPod {
                    wait_percent,
                    scale_down_delay_seconds,
                }
            }
            (Self::BacklogPerInstance { .. }, &[wait_percent]) => {
                Self::BacklogPerInstance { wait_percent }
            }
            (Self::Lambda { .. }, &[maximum]) => Self::Lambda { maximum },
            (
                Self::Flink { .. },
                &[
                    catch_up_seconds,
                    utilisation_percent,
                    scale_down_interval_seconds,
                ],
            ) => Self::Flink {
                catch_up_seconds,
                utilisation_percent,
                scale_down_interval_seconds,
            },
            (Self::Step { .. }, &[up_messages, pods]) => Self::Step { up_messages, pods },
            _ => return None,
        })
    }

    /// The loop that scales `scenario` with these settings.
    pub(super) fn start(self, scenario: &Scenario) -> RivalLoop {
        let max_replicas = scenario.object.max_replicas;
        match self {
            Self::WorkerPod {
                wait_percent,
                scale_down_delay_seconds,
            } => RivalLoop::WorkerPod(WorkerPodLoop::new(WorkerPod {
                // Those in work count as well.
                messages_per_worker: f64::from(scenario.work.concurrency)
                    + acceptable_backlog(scenario, wait_percent),
                seconds_per_message: seconds_per_message(scenario),
                scale_down_delay: seconds(scale_down_delay_seconds),
                max_replicas,
            })),
            Self::BacklogPerInstance { wait_percent } => {
                RivalLoop::BacklogPerInstance(TargetTracking::new(BacklogPerInstance {
                    acceptable_backlog: acceptable_backlog(scenario, wait_percent),
                    max_replicas,
                }))
            }
            Self::Lambda { maximum } => RivalLoop::Lambda(LambdaLoop::new(
                maximum.min(max_replicas),
                scenario.work.concurrency,
            )),
            Self::Flink {
                catch_up_seconds,
                utilisation_percent,
                scale_down_interval_seconds,
            } => RivalLoop::Flink(FlinkLoop::new(Flink {
                catch_up: seconds(catch_up_seconds),
                utilisation: f64::from(utilisation_percent) / 100.0,
                scale_down_interval: seconds(scale_down_interval_seconds),
                restart: scenario.cluster.startup,
                concurrency: scenario.work.concurrency,
                message: scenario.work.service_time.mean(),
                max_replicas,
            })),
            Self::Step { up_messages, pods } => RivalLoop::Step(StepLoop::new(Step {
                up_messages: f64::from(up_messages),
                down_messages: f64::from(up_messages) / 10.0,
                pods,
                max_replicas,
                ..Step::default()
            })),
        }
    }
}

fn seconds(seconds: u32) -> Duration {
    Duration::from_secs(seconds.into())
}

/// How long a pod with all its slots busy takes for a message.
fn seconds_per_message(scenario: &Scenario) -> f64 {
    let slots = f64::from(scenario.work.concurrency.max(1));
    scenario.work.service_time.mean().as_secs_f64() / slots
}

/// The messages that may wait for each pod, so that the last of them is begun in time.
fn acceptable_backlog(scenario: &Scenario, wait_percent: u32) -> f64 {
    let wait = scenario.target_wait.as_secs_f64() * f64::from(wait_percent) / 100.0;
    share(wait, seconds_per_message(scenario)).max(1.0)
}

impl fmt::Display for Rival {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())?;
        if Self::UNTUNED.contains(self) {
            return Ok(());
        }
        let numbers: Vec<String> = self.numbers().iter().map(u32::to_string).collect();
        write!(formatter, "={}", numbers.join(","))
    }
}

impl FromStr for Rival {
    type Err = ();

    /// A name, or a name and all of its settings: `worker-pod=75,600`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, numbers) = text
            .split_once('=')
            .map_or((text, None), |(name, numbers)| (name, Some(numbers)));
        let named = Self::UNTUNED.into_iter().find(|rival| rival.name() == name);
        let rival = named.ok_or(())?;
        let Some(numbers) = numbers else {
            return Ok(rival);
        };
        let numbers: Result<Vec<u32>, _> = numbers.split(',').map(str::parse).collect();
        numbers
            .ok()
            .and_then(|numbers| rival.with(&numbers))
            .ok_or(())
    }
}

/// A rival at work.
#[derive(Debug)]
pub(super) enum RivalLoop {
    WorkerPod(WorkerPodLoop),
    BacklogPerInstance(TargetTracking),
    Lambda(LambdaLoop),
    Flink(FlinkLoop),
    Step(StepLoop),
}

impl RivalLoop {
    pub(super) fn next_at(&self) -> Duration {
        match self {
            Self::WorkerPod(rival) => rival.next_at,
            Self::BacklogPerInstance(rival) => rival.next_at,
            Self::Lambda(rival) => rival.next_at,
            Self::Flink(rival) => rival.next_at,
            Self::Step(rival) => rival.next_at,
        }
    }

    pub(super) fn act(&mut self, now: Duration, sight: &mut Sight<'_>) -> Option<u32> {
        match self {
            Self::WorkerPod(rival) => rival.act(now, sight),
            Self::BacklogPerInstance(rival) => rival.act(now, sight),
            Self::Lambda(rival) => Some(rival.act(now, sight)),
            Self::Flink(rival) => rival.act(now, sight),
            Self::Step(rival) => rival.act(now, sight),
        }
    }
}
