//! KEDA's questions about one object, one a second, before, during and after a fault.

use std::net::SocketAddr;
use std::time::Duration;

use sluice::grpc::proto::ScaledObjectRef;
use tokio::time::{Instant, sleep};

use crate::answers::{Answers, Phase};
use crate::keda::{Keda, object};
use crate::scaler::{FAILURE_MEMORY, STALENESS_BOUND, TIME_TO_LIVE};
use crate::world::World;

const POLL_INTERVAL: Duration = Duration::from_secs(1);
const SECONDS_BEFORE: u32 = 3;
const SECONDS_AFTER: u32 = 3;
/// A machine that does other things as well answers late; this is for it alone.
const BUSY: Duration = Duration::from_secs(6);

/// How long a fault lasts: more than twice the staleness bound; `SLUICE_CHAOS_OUTAGE_SECONDS=1800` for longer.
pub(crate) fn outage() -> Duration {
    let asked = std::env::var("SLUICE_CHAOS_OUTAGE_SECONDS").ok();
    asked.map_or(3 * STALENESS_BOUND, |asked| {
        Duration::from_secs(asked.parse().unwrap())
    })
}

/// One object, asked about once a second.
pub(crate) struct Watch {
    pub(crate) keda: Keda,
    pub(crate) object: ScaledObjectRef,
    pub(crate) answers: Answers,
}

impl Watch {
    /// What KEDA is told at `scaler` of the queue of `world`, by a trigger with these further keys.
    pub(crate) fn of(
        scaler: SocketAddr,
        (world, keys): (&World, &[(&str, &str)]),
        fault: &'static str,
    ) -> Self {
        Self {
            keda: Keda::of(scaler),
            object: object("worker", &world.queue_url, keys),
            answers: Answers::new(fault),
        }
    }

    /// While all is well.
    pub(crate) async fn look_before(&mut self) {
        self.look_for(POLL_INTERVAL * SECONDS_BEFORE, Phase::Before)
            .await;
    }

    async fn look(&mut self, phase: Phase) {
        let at = Instant::now();
        let poll = self.keda.poll(&self.object).await;
        self.answers.seconds.push((phase, poll));
        sleep(POLL_INTERVAL.saturating_sub(at.elapsed())).await;
    }

    pub(crate) async fn look_for(&mut self, time: Duration, phase: Phase) {
        let begun_at = Instant::now();
        while begun_at.elapsed() < time {
            self.look(phase).await;
        }
    }

    /// Until an answer comes, and some seconds more.
    pub(crate) async fn look_until_recovered(&mut self) {
        let ended_at = Instant::now();
        while self.answers.recovered_after().is_none() {
            let begun = ended_at.elapsed();
            self.look(Phase::After).await;
            if self.answers.recovered_after().is_none() {
                let allowed = TIME_TO_LIVE + FAILURE_MEMORY + BUSY;
                assert!(
                    begun < allowed,
                    "no answer {begun:?} after: {}",
                    self.answers.row()
                );
            }
        }
        self.look_for(POLL_INTERVAL * SECONDS_AFTER, Phase::After)
            .await;
    }
}
