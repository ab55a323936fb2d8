//! Stands in for the API server of Kubernetes, over HTTP as `kubectl proxy` does: pods with their labels and annotations,
//! and an autoscaler. What it does not permit it refuses as the real one does.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, patch};
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// What the worker needs to be told to find it.
pub(crate) const POD: &str = "worker-1";

#[derive(Clone, Default)]
pub(crate) struct ApiServer {
    state: Arc<Mutex<Cluster>>,
    pub(crate) url: String,
}

#[derive(Default)]
struct Cluster {
    /// Labels by name.
    pods: BTreeMap<String, String>,
    /// Values of the deletion cost of `POD`, one after the other.
    costs: Vec<String>,
    average: Option<String>,
    forbids: bool,
}

type Answer = (StatusCode, Json<Value>);

impl ApiServer {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let server = Self {
            url,
            ..Self::default()
        };
        let autoscalers = "/apis/autoscaling/v2/namespaces/shop/horizontalpodautoscalers";
        let routes = Router::new()
            .route("/api/v1/namespaces/shop/pods", get(list_pods))
            .route("/api/v1/namespaces/shop/pods/{name}", patch(patch_pod))
            .route(autoscalers, get(list_autoscalers))
            .with_state(server.clone());
        tokio::spawn(async { axum::serve(listener, routes).await.unwrap() });
        server
    }

    /// The variables that a worker in one of its pods has.
    pub(crate) fn told(&self) -> Vec<(&str, &str)> {
        vec![
            ("SLUICE_WORKER_KUBERNETES_URL", &self.url),
            ("POD_NAME", POD),
            ("POD_NAMESPACE", "shop"),
        ]
    }

    pub(crate) fn given_pod(&self, name: &str, label: &str) {
        let (name, label) = (name.to_owned(), label.to_owned());
        self.state.lock().unwrap().pods.insert(name, label);
    }

    pub(crate) fn given_average(&self, value: &str) {
        self.state.lock().unwrap().average = Some(value.to_owned());
    }

    pub(crate) fn forbid(&self, forbids: bool) {
        self.state.lock().unwrap().forbids = forbids;
    }

    pub(crate) fn costs(&self) -> Vec<String> {
        self.state.lock().unwrap().costs.clone()
    }
}

fn forbidden(what: &str) -> Answer {
    let message = format!("{what} is forbidden: User \"system:serviceaccount:shop:worker\"");
    let status = json!({ "kind": "Status", "status": "Failure", "message": message, "code": 403 });
    (StatusCode::FORBIDDEN, Json(status))
}

async fn list_pods(State(server): State<ApiServer>, RawQuery(query): RawQuery) -> Answer {
    let query = query.unwrap();
    let query: BTreeMap<_, _> = form_urlencoded::parse(query.as_bytes()).collect();
    let cluster = server.state.lock().unwrap();
    if cluster.forbids {
        return forbidden("pods");
    }
    let wanted = cluster
        .pods
        .iter()
        .filter(|(_, label)| **label == query["labelSelector"]);
    let items: Vec<_> = wanted
        .map(|(name, _)| json!({ "metadata": { "name": name, "namespace": "shop" } }))
        .collect();
    let list = json!({ "kind": "PartialObjectMetadataList", "items": items });
    (StatusCode::OK, Json(list))
}

async fn patch_pod(
    State(server): State<ApiServer>,
    Path(name): Path<String>,
    headers: HeaderMap,
    Json(change): Json<Value>,
) -> Answer {
    let mut cluster = server.state.lock().unwrap();
    assert_eq!(headers["content-type"], "application/merge-patch+json");
    if cluster.forbids || name != POD {
        return forbidden(&format!("pods {name:?}"));
    }
    let annotations = &change["metadata"]["annotations"];
    let cost = annotations["controller.kubernetes.io/pod-deletion-cost"].as_str();
    cluster.costs.push(cost.unwrap().to_owned());
    (StatusCode::OK, Json(json!({ "kind": "Pod" })))
}

async fn list_autoscalers(State(server): State<ApiServer>) -> Answer {
    let cluster = server.state.lock().unwrap();
    if cluster.forbids {
        return forbidden("horizontalpodautoscalers");
    }
    let current = cluster.average.iter().map(|average| {
        json!({ "type": "External", "external": { "current": { "averageValue": average } } })
    });
    let metrics: Vec<_> = current.collect();
    let one = json!({ "metadata": { "name": "keda-hpa-worker" }, "status": { "currentMetrics": metrics } });
    let list = json!({ "kind": "HorizontalPodAutoscalerList", "items": [one] });
    (StatusCode::OK, Json(list))
}
