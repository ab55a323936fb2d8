//! Sends messages to a queue, at a rate or as fast as it takes them, and says how many.

pub mod events;

use std::collections::VecDeque;
use std::io::{self, Write as _};
use std::time::Duration;

use anyhow::{Context as _, bail};
use fastrand::Rng;
use tokio::time::{Instant, sleep_until};
use tracing::{error, info};

use self::events::{Maker, Outgoing, Shape, Tally};
use crate::batch::Reply;
use crate::date;
use crate::outbox::{Answer, BatchOperation, Outbox};
use crate::queue::{Queue, QueueError};
use crate::settings::{LogSettings, QueueSettings};
use crate::signals::Signals;

/// Messages whose answers are not yet looked at; the outbox holds fewer, so this bounds only what is remembered.
const UNANSWERED_MAX: usize = 1_000;

/// What is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProduceSettings {
    pub queue: QueueSettings,
    pub log: LogSettings,
    pub shape: Shape,
    pub messages: u64,
    /// Between two messages; zero for as fast as the queue takes them.
    pub interval: Duration,
    pub bad_percent: u8,
    pub duplicate_percent: u8,
    pub seed: Option<u64>,
}

impl ProduceSettings {
    fn maker(&self, seed: u64) -> Maker {
        Maker {
            shape: self.shape,
            bad_percent: self.bad_percent,
            chance: Rng::with_seed(seed),
            tally: Tally::default(),
        }
    }
}

struct Sending(Queue);

impl BatchOperation for Sending {
    type Entry = Outgoing;

    async fn send(&self, messages: &[Outgoing]) -> Result<Reply, QueueError> {
        self.0.send(messages).await
    }
}

/// Sends all of it, or what a signal leaves of it; fails when SQS did not take a message.
pub async fn run(settings: ProduceSettings) -> anyhow::Result<()> {
    let queue = Queue::connect(&settings.queue).await?;
    let seed = settings.seed.unwrap_or_else(|| fastrand::u64(..));
    info!(
        queue = queue.url(),
        messages = settings.messages,
        seed,
        "producing"
    );
    let mut production = Production::new(queue, settings.maker(seed));
    let mut signals = Signals::install()?;
    tokio::select! {
        () = production.send_all(&settings) => {}
        signal = signals.next() => info!(signal, "stopping; what was begun is finished"),
    }
    let (tally, failed) = production.end().await;
    writeln!(io::stdout(), "{}", tally.line(failed == 0)).context("cannot write the result")?;
    if failed > 0 {
        bail!("SQS did not take {failed} messages; the log says why");
    }
    Ok(())
}

/// Messages on their way to a queue.
#[derive(Debug)]
pub struct Production {
    maker: Maker,
    outbox: Outbox<Outgoing>,
    unanswered: VecDeque<Answer>,
    failed: u64,
}

impl Production {
    /// Sends what `maker` makes.
    pub fn new(queue: Queue, maker: Maker) -> Self {
        // The task ends with the last way to hand a message in; every answer is awaited before.
        let (outbox, _sending) = Outbox::open(Sending(queue));
        Self {
            maker,
            outbox,
            unanswered: VecDeque::new(),
            failed: 0,
        }
    }

    async fn send_all(&mut self, settings: &ProduceSettings) {
        let mut due_at = Instant::now();
        for _ in 0..settings.messages {
            self.send_next(settings.duplicate_percent).await;
            due_at += settings.interval;
            sleep_until(due_at).await;
        }
    }

    /// One more message; so many of a hundred are sent twice.
    pub async fn send_next(&mut self, duplicate_percent: u8) {
        let message = self.maker.next(date::now());
        let again = self.maker.chance.u8(0..100) < duplicate_percent;
        if again {
            self.send(message.clone()).await;
        }
        self.send(message).await;
    }

    async fn send(&mut self, message: Outgoing) {
        let answer = self.outbox.submit(message).await;
        self.unanswered.push_back(answer);
        if self.unanswered.len() > UNANSWERED_MAX {
            self.look_at_oldest().await;
        }
    }

    /// Whether there was one.
    async fn look_at_oldest(&mut self) -> bool {
        let Some(answer) = self.unanswered.pop_front() else {
            return false;
        };
        if let Err(cause) = answer.wait().await {
            error!(%cause, "SQS did not take a message");
            self.failed += 1;
        }
        true
    }

    /// What was made, and how many of it SQS did not take.
    pub async fn end(mut self) -> (Tally, u64) {
        while self.look_at_oldest().await {}
        (self.maker.tally, self.failed)
    }
}
