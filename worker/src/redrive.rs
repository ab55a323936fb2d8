//! Moves the dead letters of a queue back to where they came from, and tells how far that is.

use std::io::{self, Write as _};
use std::time::Duration;

use anyhow::{Context as _, bail};
use tokio::time::sleep;
use tracing::info;

use crate::queue::{MoveProgress, Queue};
use crate::settings::{LogSettings, QueueSettings};
use crate::signals::Signals;

/// SQS moves up to 500 messages a second; looking more often shows nothing new.
const LOOK_INTERVAL: Duration = Duration::from_secs(2);

/// Which dead-letter queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedriveSettings {
    pub queue: QueueSettings,
    pub log: LogSettings,
}

/// Moves all, printing a line for each look; a signal stops it, and what is moved by then stays moved.
pub async fn run(settings: RedriveSettings) -> anyhow::Result<()> {
    let queue = Queue::connect(&settings.queue).await?;
    let mut signals = Signals::install()?;
    let arn = queue.arn().await?;
    let task = queue.start_move(&arn).await?;
    info!(queue = queue.url(), "moving dead letters back");
    tokio::select! {
        outcome = follow(&queue, &arn) => outcome,
        signal = signals.next() => {
            queue.cancel_move(&task).await?;
            bail!("{signal}: stopped; what is moved stays moved");
        }
    }
}

async fn follow(queue: &Queue, arn: &str) -> anyhow::Result<()> {
    loop {
        let progress = queue.move_progress(arn).await?;
        writeln!(io::stdout(), "{}", line(&progress)).context("cannot write the progress")?;
        match progress.status.as_str() {
            "RUNNING" | "CANCELLING" => sleep(LOOK_INTERVAL).await,
            "COMPLETED" => return Ok(()),
            status => bail!(
                "the task is {status}: {}",
                progress.cause.unwrap_or_default()
            ),
        }
    }
}

fn line(progress: &MoveProgress) -> String {
    let MoveProgress {
        status,
        moved,
        to_move,
        ..
    } = progress;
    let of = to_move.map_or(String::new(), |to_move| format!(" of {to_move}"));
    format!("status={status} moved={moved}{of}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_tells_of_how_many_only_when_sqs_does() {
        let mut progress = MoveProgress {
            status: "RUNNING".into(),
            moved: 7,
            to_move: Some(20),
            cause: None,
        };
        assert_eq!(line(&progress), "status=RUNNING moved=7 of 20");
        progress.to_move = None;
        assert_eq!(line(&progress), "status=RUNNING moved=7");
    }
}
