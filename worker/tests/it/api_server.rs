//! Stands in for the API server of Kubernetes: pods with their labels and annotations, and an autoscaler. Over HTTP as
//! `kubectl proxy`, or over TLS to those who show the token of its service account. What it does not permit it refuses as
//! the real one does.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path as FilePath;
use std::sync::{Arc, Mutex};
use std::{fs, io};

use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, patch};
use axum::serve::Listener;
use axum::{Json, Router};
use rcgen::{CertifiedKey, KeyPair, generate_simple_self_signed};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use serde_json::{Value, json};
use sluice_worker::settings::ClusterSettings;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

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
    /// What must be shown; `None` over HTTP.
    token: Option<String>,
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
        let routes = server.routes();
        tokio::spawn(async { axum::serve(listener, routes).await.unwrap() });
        server
    }

    /// As the pods of a cluster see it, with the identity of one in `folder`.
    pub(crate) async fn start_with_tls(folder: &FilePath) -> (Self, ClusterSettings) {
        let tcp = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = tcp.local_addr().unwrap();
        let server = Self {
            url: format!("https://{address}"),
            ..Self::default()
        };
        let own = generate_simple_self_signed([address.ip().to_string()]).unwrap();
        fs::write(folder.join("ca.crt"), own.cert.pem()).unwrap();
        fs::write(folder.join("namespace"), "shop").unwrap();
        server.given_token(folder, "first");
        let listener = Tls {
            tcp,
            acceptor: acceptor(&own),
        };
        let routes = server.routes();
        tokio::spawn(async { axum::serve(listener, routes).await.unwrap() });
        let settings = ClusterSettings {
            host: Some(address.ip().to_string()),
            port: address.port(),
            ..ClusterSettings::default()
        };
        (server, settings)
    }

    /// From now on only this one is good, as after the hour of the one before.
    pub(crate) fn given_token(&self, folder: &FilePath, token: &str) {
        fs::write(folder.join("token"), format!("{token}\n")).unwrap();
        self.state.lock().unwrap().token = Some(token.to_owned());
    }

    fn routes(&self) -> Router {
        let autoscalers = "/apis/autoscaling/v2/namespaces/shop/horizontalpodautoscalers";
        Router::new()
            .route("/api/v1/namespaces/shop/pods", get(list_pods))
            .route("/api/v1/namespaces/shop/pods/{name}", patch(patch_pod))
            .route(autoscalers, get(list_autoscalers))
            .with_state(self.clone())
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

/// Connections over TLS.
struct Tls {
    tcp: TcpListener,
    acceptor: TlsAcceptor,
}

impl Listener for Tls {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            let (stream, address) = self.tcp.accept().await.unwrap();
            // Who does not trust the certificate hangs up.
            if let Ok(stream) = self.acceptor.accept(stream).await {
                return (stream, address);
            }
        }
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.tcp.local_addr()
    }
}

fn acceptor(own: &CertifiedKey<KeyPair>) -> TlsAcceptor {
    let key = PrivateKeyDer::try_from(own.signing_key.serialize_der()).unwrap();
    let provider = rustls::crypto::aws_lc_rs::default_provider();
    let config = ServerConfig::builder_with_provider(provider.into())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![own.cert.der().clone()], key);
    Arc::new(config.unwrap()).into()
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
    if let Some(token) = &cluster.token
        && headers["authorization"] != format!("Bearer {token}")
    {
        let status = json!({ "kind": "Status", "message": "Unauthorized", "code": 401 });
        return (StatusCode::UNAUTHORIZED, Json(status));
    }
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
