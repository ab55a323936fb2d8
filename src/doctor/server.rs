//! A running Sluice, asked by its port for people: whether KEDA calls it, how well it sees, and what it
//! has measured.

use std::{collections::HashMap, time::Duration};

use super::{Finding, certificates, metrics_text::Metrics, queue_checks::Work};
use crate::{
    client,
    status::{Confidence, QueueList, QueueName, ScaledObjectList, TriggerReport, Trouble},
};

const CHECK: &str = "server";

/// What a server told.
#[derive(Debug, Default)]
pub(super) struct Told {
    pub(super) findings: Vec<Finding>,
    /// How long messages take, by region and name of the queue.
    pub(super) work: HashMap<(String, String), Work>,
    /// KEDA opened the stream that its version 2.21 has.
    pub(super) has_metric_spec_streams: bool,
}

/// The queues that a server is asked about.
pub(super) async fn queues(server: &str) -> Vec<QueueName> {
    let Ok((200, text)) = client::get(server, "/api/v1/queues").await else {
        return Vec::new();
    };
    let list: Option<QueueList> = serde_json::from_str(&text).ok();
    let queues = list.map(|list| list.queues).unwrap_or_default();
    queues.into_iter().map(|report| report.queue).collect()
}

/// Asks the server at `server` about itself, at `now` since the Unix epoch.
pub(super) async fn examine(server: &str, now: Duration) -> Told {
    let mut told = Told::default();
    match client::get(server, "/readyz").await {
        Err(error) => {
            let error = anyhow::Error::from(error);
            let finding = Finding::problem(CHECK, format!("{error:#}")).remedy(
                "is the pod running (kubectl -n keda get pods)? From a laptop: kubectl -n keda port-forward \
                 deploy/sluice 8080",
            );
            told.findings.push(finding.of(server));
            return told;
        }
        Ok((200, _)) => told
            .findings
            .push(Finding::ok(CHECK, "it is ready").of(server)),
        Ok((status, text)) => {
            let found = format!("/readyz answers {status} ({})", text.trim());
            let finding = Finding::problem(CHECK, found)
                .remedy("it starts, or it is being stopped: look at its log (kubectl -n keda logs deploy/sluice)");
            told.findings.push(finding.of(server));
        }
    }
    if let Ok((200, page)) = client::get(server, "/metrics").await {
        let metrics = Metrics::parse(&page);
        told.findings.extend(
            calls(&metrics)
                .into_iter()
                .map(|finding| finding.of(server)),
        );
        told.findings.push(certificate(&metrics, now).of(server));
        told.has_metric_spec_streams =
            metrics.sum("sluice_open_streams", &[("method", "StreamMetricSpec")]) > 0.0;
    }
    if let Ok((200, text)) = client::get(server, "/api/v1/scaledobjects").await
        && let Ok(list) = serde_json::from_str::<ScaledObjectList>(&text)
    {
        told.findings.extend(objects(&list));
        told.work = work(&list);
    }
    told
}

/// Whether KEDA calls, and what it is answered.
fn calls(metrics: &Metrics<'_>) -> Vec<Finding> {
    let calls = |labels: &[(&str, &str)]| metrics.sum("sluice_rpcs_total", labels);
    let (all, good) = (calls(&[]), calls(&[("code", "Ok")]));
    let streams = metrics.sum("sluice_open_streams", &[("method", "StreamIsActive")]);
    if all <= 0.0 && streams <= 0.0 {
        let found = "KEDA has not called since it started";
        return vec![Finding::problem("keda-connection", found).remedy(
            "compare scalerAddress in the triggers with the Service (name.namespace.svc:9090), allow the operator's \
             namespace in the NetworkPolicy, and look for connection errors in: kubectl -n keda logs \
             deploy/keda-operator",
        )];
    }
    let found = format!("KEDA has called {all} times, and holds {streams} push streams open");
    let mut findings = vec![Finding::ok("keda-connection", found)];
    if good < all {
        let found = format!("{} of {all} calls were answered with an error", all - good);
        findings.push(
            Finding::warning("keda-answers", found).remedy(
                "the reasons are in the log, and by object in: sluice explain namespace/name",
            ),
        );
    }
    findings
}

fn certificate(metrics: &Metrics<'_>, now: Duration) -> Finding {
    let expiry = metrics.least("sluice_tls_certificate_expiry_timestamp_seconds");
    match expiry.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()) {
        Some(at) => certificates::finding(at, now),
        None => Finding::unknown(
            "certificate",
            "the gRPC port has none: KEDA's calls, with the keys in them, are in clear",
        )
        .remedy("let nobody but KEDA reach the port (NetworkPolicy), or serve with --tls-certificate and --tls-key"),
    }
}

/// Objects that something is wrong with.
fn objects(list: &ScaledObjectList) -> Vec<Finding> {
    let rejected = list.rejected.iter().map(|object| {
        let name = format!("{}/{}", object.namespace, object.name);
        Finding::problem("metadata", object.error.clone())
            .of(&name)
            .remedy("correct the metadata of the trigger")
    });
    let unseen = list.scaledobjects.iter().flat_map(|object| {
        let name = format!("{}/{}", object.namespace, object.name);
        let blind = |trigger: &&TriggerReport| trigger.trouble == Trouble::CannotObserve;
        object.triggers.iter().filter(blind).map(move |trigger| {
            let cause = trigger.failure.as_ref().map_or("not told", |failure| &failure.cause);
            Finding::problem("scaled-object", format!("its queue cannot be seen: {cause}"))
                .of(&name)
                .remedy("KEDA gets an error and uses the object's fallback; see the finding about the queue")
        })
    });
    rejected.chain(unseen).collect()
}

fn work(list: &ScaledObjectList) -> HashMap<(String, String), Work> {
    let triggers = list
        .scaledobjects
        .iter()
        .flat_map(|object| &object.triggers);
    let known = triggers.filter_map(|trigger| {
        let estimate = trigger.estimate.as_ref()?;
        let is_known = matches!(
            estimate.message_confidence,
            Confidence::Fair | Confidence::Good
        );
        let seconds = estimate.message_seconds.filter(|_| is_known)?;
        let queue = (trigger.queue.region.clone(), trigger.queue.name.clone());
        let work = Work {
            seconds,
            told_by: "as Sluice has learned",
            receives: None,
        };
        Some((queue, work))
    });
    known.collect()
}
