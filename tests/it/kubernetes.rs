//! The objects that ask, read from a stand-in for the API server over HTTP.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Json, Router,
    extract::{Path, State},
    http::StatusCode,
};
use serde_json::{Value, json};
use sluice::{
    kubernetes::Kubernetes,
    scaling::{JobStrategy, Workload, WorkloadKind},
    workloads::{ObjectName, ReadError, WorkloadFeed, WorkloadSource},
};
use tokio::{
    net::TcpListener,
    time::{sleep, timeout},
};

use crate::support::LOOPBACK;

const PATIENCE: Duration = Duration::from_secs(20);
const OBJECTS: &str = "apis/keda.sh/v1alpha1/namespaces/shop/scaledobjects";
const JOBS: &str = "apis/keda.sh/v1alpha1/namespaces/shop/scaledjobs";
const DEPLOYMENTS: &str = "apis/apps/v1/namespaces/shop/deployments";

/// What a path is answered with; everything else is not found.
#[derive(Clone, Default)]
struct ApiServer(Arc<Mutex<HashMap<String, (StatusCode, Value)>>>);

impl ApiServer {
    async fn start(&self) -> Kubernetes {
        let listener = TcpListener::bind(LOOPBACK).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let routes = Router::new().route("/{*path}", axum::routing::get(answer));
        let routes = routes.with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Kubernetes::at(&url).unwrap()
    }

    fn has(&self, path: &str, name: &str, object: Value) {
        let mut object = object;
        object["metadata"] = json!({"name": name, "namespace": "shop"});
        let answer = (StatusCode::OK, object);
        self.0
            .lock()
            .unwrap()
            .insert(format!("{path}/{name}"), answer);
    }

    fn forbids(&self, path: &str, name: &str) {
        let answer = failure(StatusCode::FORBIDDEN, "Forbidden", "you may not");
        self.0
            .lock()
            .unwrap()
            .insert(format!("{path}/{name}"), answer);
    }
}

fn failure(code: StatusCode, reason: &str, message: &str) -> (StatusCode, Value) {
    let status = json!({
        "apiVersion": "v1", "kind": "Status", "status": "Failure",
        "reason": reason, "message": message, "code": code.as_u16(),
    });
    (code, status)
}

async fn answer(
    State(server): State<ApiServer>,
    Path(path): Path<String>,
) -> (StatusCode, Json<Value>) {
    let known = server.0.lock().unwrap().get(&path).cloned();
    let unknown = || failure(StatusCode::NOT_FOUND, "NotFound", "there is none");
    let (status, body) = known.unwrap_or_else(unknown);
    (status, Json(body))
}

fn worker() -> Arc<ObjectName> {
    Arc::new(ObjectName {
        namespace: "shop".to_owned(),
        name: "worker".to_owned(),
    })
}

fn scaled_object() -> Value {
    json!({
        "apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject",
        "spec": {"scaleTargetRef": {"name": "orders"}, "minReplicaCount": 2, "maxReplicaCount": 30},
        "status": {"scaleTargetGVKR": {
            "group": "apps", "version": "v1", "kind": "Deployment", "resource": "deployments",
        }},
    })
}

fn deployment(status: &Value) -> Value {
    json!({"apiVersion": "apps/v1", "kind": "Deployment", "status": status})
}

#[tokio::test]
async fn a_scaled_object_is_read_with_the_replicas_of_its_target() {
    let server = ApiServer::default();
    server.has(OBJECTS, "worker", scaled_object());
    let status = json!({"observedGeneration": 1, "replicas": 5, "readyReplicas": 4});
    server.has(DEPLOYMENTS, "orders", deployment(&status));
    let expected = Workload {
        kind: WorkloadKind::ScaledObject,
        ready_replicas: Some(4),
        replicas_min: 2,
        replicas_max: 30,
    };
    let feed = WorkloadFeed::reading(server.start().await);
    let known = async {
        loop {
            if let Some(workload) = feed.workload(&worker()) {
                return workload;
            }
            sleep(Duration::from_millis(10)).await;
        }
    };
    assert_eq!(timeout(PATIENCE, known).await.unwrap(), expected);
}

#[tokio::test]
async fn a_target_that_may_not_be_read_leaves_the_limits_known() {
    let server = ApiServer::default();
    let mut bare = scaled_object();
    bare["spec"] = json!({"scaleTargetRef": {"name": "orders"}});
    server.has(OBJECTS, "worker", bare);
    server.forbids(DEPLOYMENTS, "orders");
    let found = server.start().await.read(&worker()).await.unwrap().unwrap();
    let limits = (found.replicas_min, found.replicas_max);
    assert_eq!(
        (limits, found.ready_replicas),
        ((0, 100), None),
        "KEDA's defaults"
    );
}

#[tokio::test]
async fn a_scaled_job_is_read_with_its_strategy() {
    let server = ApiServer::default();
    let spec = json!({"maxReplicaCount": 7, "scalingStrategy": {"strategy": "accurate"}});
    let job = json!({"apiVersion": "keda.sh/v1alpha1", "kind": "ScaledJob", "spec": spec});
    server.has(JOBS, "worker", job);
    let found = server.start().await.read(&worker()).await.unwrap().unwrap();
    let accurate = WorkloadKind::ScaledJob(Some(JobStrategy::Accurate));
    assert_eq!((found.kind, found.replicas_max), (accurate, 7));
    assert_eq!(found.ready_replicas, None);
}

#[tokio::test]
async fn two_objects_of_one_name_and_none_at_all_tell_nothing() {
    let server = ApiServer::default();
    let kubernetes = server.start().await;
    assert_eq!(kubernetes.read(&worker()).await, Ok(None));
    server.has(OBJECTS, "worker", scaled_object());
    let job = json!({"apiVersion": "keda.sh/v1alpha1", "kind": "ScaledJob", "spec": {}});
    server.has(JOBS, "worker", job);
    assert_eq!(kubernetes.read(&worker()).await, Ok(None));
}

#[tokio::test]
async fn a_refusal_and_an_outage_are_errors_that_say_why() {
    let server = ApiServer::default();
    let kubernetes = server.start().await;
    server.forbids(OBJECTS, "worker");
    let refused = ReadError::NoPermission("you may not".to_owned());
    assert_eq!(kubernetes.read(&worker()).await, Err(refused));

    let nobody = TcpListener::bind(LOOPBACK).await.unwrap().local_addr();
    // TLS is set up here as well, with the one provider that there is.
    for scheme in ["http", "https"] {
        let url = format!("{scheme}://{}", nobody.as_ref().unwrap());
        let error = Kubernetes::at(&url).unwrap().read(&worker()).await;
        assert!(matches!(error, Err(ReadError::Failed(_))), "{error:?}");
    }
    assert!(Kubernetes::at("no url").is_err());
}
