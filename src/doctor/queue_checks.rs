//! From what was seen of a queue to findings. Pure.

use std::time::Duration;

use super::Finding;
use crate::{
    permissions::{Policy, queue_arn},
    queue::{FetchError, ObserveError, QueueDetails},
    scaling::{Minute, Observation, QueueRef},
};

/// How long a message is in flight, and who says so.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Work {
    pub(super) seconds: f64,
    pub(super) told_by: &'static str,
    /// Receipts for each deletion, where that is known: more than one says that messages come again.
    pub(super) receives: Option<f64>,
}

/// Fewer deletions in half an hour say nothing.
const DELETIONS_MIN: f64 = 20.0;

/// From so many receipts for each deletion on, messages come again.
const RECEIVES_AGAIN: f64 = 1.2;

/// A timeout is sensible from so many times the work on; six is what AWS advises for Lambda.
const TIMEOUT_FACTOR: f64 = 6.0;

/// SQS allows no longer timeout.
const TIMEOUT_SECONDS_MAX: f64 = 43_200.0;

/// Whether the queue is there and can be read.
pub(super) fn reading(queue: &QueueRef, seen: &Result<QueueDetails, ObserveError>) -> Finding {
    const CHECK: &str = "queue";
    let (name, region) = (&queue.name, &queue.region);
    match seen {
        Ok(details) => counts(&details.observation),
        Err(ObserveError::NoSuchQueue { .. }) => {
            Finding::problem(CHECK, format!("there is no such queue in {region}")).remedy(format!(
                "compare queueURL and awsRegion with: aws sqs get-queue-url --queue-name {name} --region {region}"
            ))
        }
        Err(ObserveError::Refused { code, message, .. }) => refused(queue, code, message),
        Err(error @ ObserveError::Unreachable { cause }) if cause.contains("credential") => {
            Finding::problem(CHECK, error.to_string())
                .remedy("see the finding about credentials: without them nothing can be read")
        }
        Err(error) => Finding::problem(CHECK, error.to_string()).remedy(format!(
            "allow egress to sqs.{region}.amazonaws.com:443 (NetworkPolicy, security group, proxy), or add an \
             interface endpoint for com.amazonaws.{region}.sqs; check awsEndpoint if the trigger has one"
        )),
    }
}

fn counts(observation: &Observation) -> Finding {
    let stages = [
        (&observation.visible, "visible"),
        (&observation.in_flight, "in flight"),
        (&observation.delayed, "delayed"),
    ];
    let mut texts = Vec::new();
    for (count, stage) in stages {
        match count {
            Ok(messages) => texts.push(format!("{messages} {stage}")),
            Err(error) => {
                return Finding::problem("queue", error.to_string()).remedy(
                    "SQS always gives this count: check whether awsEndpoint leads to a stand-in for it",
                );
            }
        }
    }
    Finding::ok("queue", format!("it can be read: {}", texts.join(", ")))
}

fn refused(queue: &QueueRef, code: &str, message: &str) -> Finding {
    let found = format!("SQS refuses sqs:GetQueueAttributes ({code}: {message})");
    let finding = Finding::problem("queue", found);
    if code.contains("AccessDenied") || code.contains("NotAuthorized") {
        let policy = Policy::reading([queue_arn(queue)].into()).json();
        return finding.remedy(format!(
            "attach this policy to the role that AWS knows us as; for a queue of another account its queue policy \
             must allow the same:\n{policy}"
        ));
    }
    if code.contains("Throttl") {
        return finding
            .remedy("run fewer copies, or raise --cache-ttl-seconds and --push-interval-seconds");
    }
    if code.contains("Expired") || code.contains("Signature") {
        return finding
            .remedy("see the findings about clock and credentials: the signature is not accepted");
    }
    finding.remedy("see the finding about credentials; if it is fine, try again: AWS may have trouble of its own")
}

/// Whether the queue is asked for where it is.
pub(super) fn region(queue: &QueueRef, in_url: Option<&str>) -> Option<Finding> {
    let in_url = in_url.filter(|in_url| *in_url != queue.region)?;
    let found = format!(
        "the URL of the queue is in {in_url}, and awsRegion says {}, where SQS will be asked",
        queue.region
    );
    Some(Finding::problem("region", found).remedy(format!("set awsRegion to {in_url}")))
}

/// How the queue is set.
pub(super) fn settings(
    queue: &QueueRef,
    details: &QueueDetails,
    work: Option<&Work>,
) -> Vec<Finding> {
    vec![
        visibility(queue, details.observation.settings.visibility_timeout, work),
        long_polling(queue, details.long_polling),
    ]
}

fn visibility(queue: &QueueRef, timeout: Option<Duration>, work: Option<&Work>) -> Finding {
    const CHECK: &str = "visibility-timeout";
    let Some(timeout) = timeout.map(|timeout| timeout.as_secs_f64()) else {
        return Finding::unknown(CHECK, "the queue does not tell its timeout");
    };
    let Some(work) = work else {
        let found = format!("{timeout} s, and nothing tells how long a message takes");
        return Finding::unknown(CHECK, found)
            .remedy("run this again while messages are worked on, with CloudWatch or --server to measure by");
    };
    let Work {
        seconds, told_by, ..
    } = work;
    let found = format!("{timeout} s, and a message takes {seconds:.1} s ({told_by})");
    if *seconds <= timeout {
        return Finding::ok(CHECK, found);
    }
    let wanted = (seconds * TIMEOUT_FACTOR).ceil().min(TIMEOUT_SECONDS_MAX);
    let remedy = format!(
        "a message is given out again before it is done, unless its consumer extends the timeout, as sluice-worker \
         does: aws sqs set-queue-attributes --queue-url {} --attributes VisibilityTimeout={wanted}",
        queue.url
    );
    match work.receives.filter(|receives| *receives > RECEIVES_AGAIN) {
        Some(receives) => {
            let found = format!("{found}; messages are received {receives:.1} times each");
            Finding::problem(CHECK, found).remedy(remedy)
        }
        None => Finding::warning(CHECK, found).remedy(remedy),
    }
}

fn long_polling(queue: &QueueRef, wait: Option<Duration>) -> Finding {
    const CHECK: &str = "long-polling";
    match wait.map(|wait| wait.as_secs()) {
        None => Finding::unknown(CHECK, "the queue does not tell ReceiveMessageWaitTimeSeconds"),
        Some(0) => Finding::warning(CHECK, "off: ReceiveMessageWaitTimeSeconds is 0").remedy(format!(
            "unless every consumer sets WaitTimeSeconds, as sluice-worker does: aws sqs set-queue-attributes \
             --queue-url {} --attributes ReceiveMessageWaitTimeSeconds=20",
            queue.url
        )),
        Some(seconds) => Finding::ok(CHECK, format!("receivers wait for up to {seconds} s")),
    }
}

/// The dead letters, looked at twice.
#[derive(Debug)]
pub(super) struct DeadLetters {
    pub(super) queue: QueueRef,
    pub(super) first: Result<i64, ObserveError>,
    pub(super) second: Result<i64, ObserveError>,
    pub(super) between: Duration,
}

/// That there is no queue for them.
pub(super) fn no_dead_letters(queue: &QueueRef) -> Finding {
    let found = "there is no queue for dead letters: a message that always fails is tried for ever, or until its \
                 retention ends";
    let arn = "{\"deadLetterTargetArn\":\"<ARN>\",\"maxReceiveCount\":\"5\"}";
    Finding::warning("dead-letters", found).remedy(format!(
        "create one, and set on {}: RedrivePolicy={arn}",
        queue.name
    ))
}

/// What two looks at them tell.
pub(super) fn dead_letters(seen: &DeadLetters) -> Finding {
    const CHECK: &str = "dead-letters";
    let (name, url) = (&seen.queue.name, &seen.queue.url);
    match (&seen.first, &seen.second) {
        (Ok(first), Ok(second)) if second > first => {
            let more = second - first;
            let seconds = seen.between.as_secs_f64();
            let found = format!("{more} more in {name} within {seconds} s ({first}, then {second})");
            Finding::problem(CHECK, found).remedy(format!(
                "messages fail now: look at one (aws sqs receive-message --queue-url {url} --visibility-timeout 0), \
                 mend the consumer, and give them back with sluice-worker redrive"
            ))
        }
        (Ok(_), Ok(0)) => Finding::ok(CHECK, format!("none in {name}")),
        (Ok(_), Ok(messages)) => Finding::warning(CHECK, format!("{messages} in {name}")).remedy(
            "look at one, mend what failed, and give them back with sluice-worker redrive, before their retention \
             ends",
        ),
        (Err(error), _) | (_, Err(error)) => unseen_dead_letters(&seen.queue, error),
    }
}

fn unseen_dead_letters(queue: &QueueRef, error: &ObserveError) -> Finding {
    let found = format!("{} cannot be read: {error}", queue.name);
    match error {
        ObserveError::NoSuchQueue { .. } => Finding::problem("dead-letters", found).remedy(
            "the RedrivePolicy names a queue that is not there: create it, or messages that fail go nowhere",
        ),
        _ => Finding::unknown("dead-letters", found).remedy(format!(
            "allow sqs:GetQueueAttributes on {} to whoever runs this; Sluice itself does without",
            queue_arn(queue)
        )),
    }
}

/// Whether CloudWatch tells.
pub(super) fn cloudwatch(told: &Result<Vec<Minute>, FetchError>) -> Finding {
    const CHECK: &str = "cloudwatch";
    const DOES_WITHOUT: &str =
        "Sluice does without it, and learns more slowly how long a message takes";
    match told {
        Ok(minutes) => {
            Finding::ok(CHECK, format!("it tells {} of the last 32 minutes", minutes.len()))
        }
        Err(error @ FetchError::NoPermission { .. }) => {
            Finding::warning(CHECK, error.to_string()).remedy(format!(
                "allow cloudwatch:GetMetricData on * (IAM knows no single metrics). {DOES_WITHOUT}"
            ))
        }
        Err(error) => Finding::warning(CHECK, error.to_string()).remedy(format!(
            "allow egress to monitoring.<region>.amazonaws.com:443, or add an interface endpoint for \
             com.amazonaws.<region>.monitoring; --cloudwatch off says that it is not wanted. {DOES_WITHOUT}"
        )),
    }
}

/// How long messages were in flight, by Little's law over the minutes that tell of both stages.
pub(super) fn work(minutes: &[Minute]) -> Option<Work> {
    let (mut busy_seconds, mut deleted, mut received) = (0.0, 0.0, 0.0);
    for minute in minutes {
        if let (Some(in_flight), Some(done)) = (minute.in_flight, minute.deleted) {
            busy_seconds += in_flight * Minute::LENGTH.as_secs_f64();
            deleted += done;
            received += minute.received.unwrap_or(done);
        }
    }
    (deleted >= DELETIONS_MIN).then(|| Work {
        seconds: busy_seconds / deleted,
        told_by: "CloudWatch, by Little's law",
        receives: Some(received / deleted),
    })
}

#[cfg(test)]
#[path = "queue_checks_tests.rs"]
mod tests;
