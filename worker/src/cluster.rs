//! The API server of the cluster that the worker runs in, asked as the service account of its pod, or through `kubectl
//! proxy`. It does not know what is asked for.

mod objects;

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use axum::body::Bytes;
use axum::http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use axum::http::{Method, Request, StatusCode};
use http_body_util::Full;
use serde_json::Value;
use thiserror::Error;
use tokio::time::timeout;

use crate::handlers::HandlerError;
use crate::settings::ClusterSettings;
use crate::web::Web;

/// Where Kubernetes mounts the identity of a pod.
const IDENTITY: &str = "/var/run/secrets/kubernetes.io/serviceaccount";
/// An API server answers in milliseconds; one that does not is asked again later.
const TIMEOUT: Duration = Duration::from_secs(5);
/// Five hundred pods without their specifications, several times over.
const ANSWER_BYTES_MAX: usize = 4 << 20;

/// One namespace of a cluster.
#[derive(Debug, Clone)]
pub struct Cluster {
    web: Web,
    /// Scheme, host and port.
    server: String,
    /// Read for each request, because it is replaced every hour. `None` through a proxy, which has its own.
    token: Option<PathBuf>,
    namespace: String,
}

/// Why the cluster did not tell or do something.
#[derive(Debug, Error)]
pub enum ClusterError {
    #[error("not in a Kubernetes cluster: KUBERNETES_SERVICE_HOST is not set")]
    Absent,
    #[error("cannot read the identity of the pod, {path:?}: is automountServiceAccountToken off?")]
    Identity {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("cannot ask the API server for {path}")]
    Unanswered {
        path: String,
        #[source]
        source: HandlerError,
    },
    #[error("the API server does not let the service account {method} {path}: {answer}")]
    Denied {
        method: Method,
        path: String,
        answer: String,
    },
    #[error("the API server answered {status} to {method} {path}: {answer}")]
    Refused {
        status: StatusCode,
        method: Method,
        path: String,
        answer: String,
    },
}

impl Cluster {
    /// Reads the identity of the pod; asks nothing of the API server yet.
    pub fn connect(settings: &ClusterSettings) -> Result<Self, ClusterError> {
        match &settings.proxy {
            Some(proxy) => Ok(Self {
                web: Web::new().map_err(|source| unreadable(Path::new("certificates"), source))?,
                server: proxy.trim_end_matches('/').to_owned(),
                token: None,
                namespace: settings.namespace.clone().unwrap_or("default".to_owned()),
            }),
            None => Self::as_pod(settings, Path::new(IDENTITY)),
        }
    }

    /// With the identity in a folder as Kubernetes mounts it.
    pub fn as_pod(settings: &ClusterSettings, identity: &Path) -> Result<Self, ClusterError> {
        let host = settings.host.as_deref().ok_or(ClusterError::Absent)?;
        let host = if host.contains(':') {
            format!("[{host}]")
        } else {
            host.to_owned()
        };
        let authorities = read(&identity.join("ca.crt"))?;
        let namespace = match &settings.namespace {
            Some(namespace) => namespace.clone(),
            None => text(read(&identity.join("namespace"))?),
        };
        let web = Web::trusting(&authorities);
        Ok(Self {
            web: web.map_err(|source| unreadable(&identity.join("ca.crt"), source))?,
            server: format!("https://{host}:{}", settings.port),
            token: Some(identity.join("token")),
            namespace,
        })
    }

    async fn get(&self, path: &str, accept: &'static str) -> Result<Value, ClusterError> {
        let mut request = Request::new(Full::default());
        let accept = HeaderValue::from_static(accept);
        request.headers_mut().insert(ACCEPT, accept);
        self.ask(request, path).await
    }

    async fn patch(&self, path: &str, change: &Value) -> Result<Value, ClusterError> {
        let mut request = Request::new(Full::from(change.to_string()));
        *request.method_mut() = Method::PATCH;
        let merge = HeaderValue::from_static("application/merge-patch+json");
        request.headers_mut().insert(CONTENT_TYPE, merge);
        self.ask(request, path).await
    }

    async fn ask(
        &self,
        mut request: Request<Full<Bytes>>,
        path: &str,
    ) -> Result<Value, ClusterError> {
        let unanswered = |source: HandlerError| ClusterError::Unanswered {
            path: path.to_owned(),
            source,
        };
        let uri = format!("{}{path}", self.server).parse();
        *request.uri_mut() = uri.map_err(|error| unanswered(Box::new(error)))?;
        if let Some(authorization) = self.authorization()? {
            request.headers_mut().insert(AUTHORIZATION, authorization);
        }
        let method = request.method().clone();
        let answer = timeout(TIMEOUT, self.web.read(request, ANSWER_BYTES_MAX)).await;
        let answer = answer.unwrap_or_else(|_| Err(format!("no answer within {TIMEOUT:?}").into()));
        let (status, body) = answer.map_err(unanswered)?;
        if !status.is_success() {
            return Err(refusal(status, method, path, &body));
        }
        serde_json::from_slice(&body).map_err(|error| unanswered(error.into()))
    }

    fn authorization(&self) -> Result<Option<HeaderValue>, ClusterError> {
        let Some(path) = &self.token else {
            return Ok(None);
        };
        let bearer = format!("Bearer {}", text(read(path)?));
        let mut value = HeaderValue::try_from(bearer)
            .map_err(|error| unreadable(path, io::Error::other(error)))?;
        value.set_sensitive(true);
        Ok(Some(value))
    }
}

fn read(path: &Path) -> Result<Vec<u8>, ClusterError> {
    std::fs::read(path).map_err(|source| unreadable(path, source))
}

fn unreadable(path: &Path, source: io::Error) -> ClusterError {
    let path = path.to_owned();
    ClusterError::Identity { path, source }
}

fn text(bytes: Vec<u8>) -> String {
    let text = String::from_utf8(bytes).unwrap_or_default();
    text.trim().to_owned()
}

/// What the API server says of a refusal is a status object with a message.
fn refusal(status: StatusCode, method: Method, path: &str, body: &[u8]) -> ClusterError {
    let told: Option<Value> = serde_json::from_slice(body).ok();
    let answer = told
        .as_ref()
        .and_then(|told| told.get("message")?.as_str())
        .unwrap_or("no explanation")
        .to_owned();
    let path = path.to_owned();
    if matches!(status, StatusCode::FORBIDDEN | StatusCode::UNAUTHORIZED) {
        return ClusterError::Denied {
            method,
            path,
            answer,
        };
    }
    ClusterError::Refused {
        status,
        method,
        path,
        answer,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outside_of_a_cluster_that_is_what_is_said() {
        let error = Cluster::connect(&ClusterSettings::default()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "not in a Kubernetes cluster: KUBERNETES_SERVICE_HOST is not set"
        );
    }

    #[test]
    fn a_refusal_says_what_was_asked_and_what_the_server_made_of_it() {
        let body = br#"{"kind":"Status","message":"pods is forbidden"}"#;
        let error = refusal(StatusCode::FORBIDDEN, Method::GET, "/api/v1", body);
        assert_eq!(
            error.to_string(),
            "the API server does not let the service account GET /api/v1: pods is forbidden"
        );
        let error = refusal(StatusCode::NOT_FOUND, Method::PATCH, "/api/v1", b"gone");
        assert_eq!(
            error.to_string(),
            "the API server answered 404 Not Found to PATCH /api/v1: no explanation"
        );
    }
}
