//! What the worker tells Kubernetes about how busy it is.

use sluice_worker::causes::with_causes;
use sluice_worker::cluster::Cluster;
use sluice_worker::deletion_cost::{self, DeletionCost};
use sluice_worker::metrics::Metrics;

use crate::api_server::{ApiServer, POD};
use crate::gate::Gate;
use crate::local_sqs::LocalSqs;
use crate::worker::eventually;

const ON: (&str, &str) = ("SLUICE_WORKER_DELETION_COST", "on");

#[tokio::test]
async fn a_busy_pod_costs_more_than_an_idle_one() {
    let (sqs, gate, cluster) = (
        LocalSqs::start().await,
        Gate::start().await,
        ApiServer::start().await,
    );
    let url = sqs.given_queue("orders", &[]);
    let mut variables = gate.handles(&[ON, ("SLUICE_WORKER_CONCURRENCY", "2")]);
    variables.extend(cluster.told());
    let worker = sqs.worker(&url, &variables);
    eventually("it is idle", || cluster.costs() == ["0"]).await;
    for number in 0..2 {
        sqs.control.send("orders", &number.to_string()).unwrap();
    }
    worker.works_on(2).await;
    let told_last = |cost: &str| cluster.costs().last().is_some_and(|last| last == cost);
    eventually("it is busy", || told_last("100")).await;
    gate.open();
    eventually("it is idle again", || told_last("0")).await;
    worker.terminate().await.assert_drained();
}

#[tokio::test]
async fn without_the_permission_it_says_so_once_and_works_on() {
    let (sqs, cluster) = (LocalSqs::start().await, ApiServer::start().await);
    cluster.forbid(true);
    let url = sqs.given_queue("orders", &[]);
    let mut variables = cluster.told();
    variables.push(ON);
    let worker = sqs.worker(&url, &variables);
    eventually("it says so", || {
        let line = worker.stderr.find("cannot tell the deletion cost");
        line.is_some_and(|line| line.contains("does not let the service account PATCH"))
    })
    .await;
    sqs.control.send("orders", "work").unwrap();
    eventually("it is deleted", || sqs.queue("orders").deleted == 1).await;
    worker.terminate().await.assert_drained();
    assert!(cluster.costs().is_empty());
}

#[tokio::test]
async fn outside_of_a_cluster_it_says_so_and_works_on() {
    let sqs = LocalSqs::start().await;
    let url = sqs.given_queue("orders", &[]);
    let worker = sqs.worker(&url, &[ON, ("POD_NAME", "worker-1")]);
    sqs.control.send("orders", "work").unwrap();
    eventually("it is deleted", || sqs.queue("orders").deleted == 1).await;
    let ended = worker.terminate().await;
    ended.assert_drained();
    let says = |line: &String| line.contains("not in a Kubernetes cluster");
    assert!(ended.stderr.iter().any(says), "{:?}", ended.stderr);
}

#[tokio::test]
async fn in_a_pod_it_shows_the_token_of_its_service_account_which_changes_every_hour() {
    let identity = tempfile::tempdir().unwrap();
    let (cluster, settings) = ApiServer::start_with_tls(identity.path()).await;
    let own = Cluster::as_pod(&settings, identity.path()).unwrap();
    let telling = DeletionCost {
        cluster: own.clone(),
        pod: POD.to_owned(),
        metrics: Metrics::default(),
    };
    let telling = tokio::spawn(telling.keep_told());
    eventually("it is told", || cluster.costs() == ["0"]).await;
    telling.abort();
    cluster.given_token(identity.path(), "second");
    own.annotate(POD, deletion_cost::ANNOTATION, "25")
        .await
        .unwrap();
    assert_eq!(cluster.costs(), ["0", "25"]);
}

#[tokio::test]
async fn a_server_that_the_authority_of_the_cluster_does_not_vouch_for_is_told_nothing() {
    let (identity, of_others) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (cluster, settings) = ApiServer::start_with_tls(identity.path()).await;
    ApiServer::start_with_tls(of_others.path()).await;
    let own = Cluster::as_pod(&settings, of_others.path()).unwrap();
    let told = own.annotate(POD, deletion_cost::ANNOTATION, "25").await;
    let error = with_causes(&told.unwrap_err());
    assert!(error.contains("certificate"), "{error}");
    assert!(cluster.costs().is_empty());
}
