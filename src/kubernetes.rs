//! The API server of Kubernetes, and the only file that names `kube`. Reads the object that asks and what
//! it scales, and changes nothing.
//!
//! All it needs, in each namespace whose objects ask:
//!
//! ```yaml
//! rules:
//!   - { apiGroups: [keda.sh], resources: [scaledobjects, scaledjobs], verbs: [get] }
//!   - { apiGroups: [apps], resources: [deployments, statefulsets], verbs: [get] }
//! ```
//!
//! Without the second rule limits and kind are known and replicas are not.

use kube::{
    Api, Client, Config,
    api::{ApiResource, DynamicObject},
    core::GroupVersionKind,
};
use serde_json::Value;

use crate::{
    scaling::{JobStrategy, Workload, WorkloadKind},
    workloads::{ObjectName, ReadError, WorkloadSource},
};

/// KEDA's defaults for what an object does not say.
const REPLICAS_MIN_DEFAULT: u32 = 0;
const REPLICAS_MAX_DEFAULT: u32 = 100;

/// Reads the objects of one cluster.
#[derive(Clone)]
pub struct Kubernetes {
    client: Client,
}

impl std::fmt::Debug for Kubernetes {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Kubernetes")
    }
}

/// Why no cluster can be read.
#[derive(Debug, thiserror::Error)]
pub enum KubernetesError {
    /// There is no service account and no kubeconfig.
    #[error("nothing says where Kubernetes is")]
    Config(#[source] Box<kube::Error>),
    /// What they say is no address.
    #[error("{0:?} is no URL of an API server")]
    Url(String),
}

impl Kubernetes {
    /// The cluster of the pod's service account, or of the kubeconfig.
    ///
    /// # Errors
    /// When there is none.
    pub async fn from_environment() -> Result<Self, KubernetesError> {
        let client = Client::try_default().await;
        let client = client.map_err(|error| KubernetesError::Config(Box::new(error)))?;
        Ok(Self { client })
    }

    /// The cluster whose API server is at `url`, without credentials.
    ///
    /// # Errors
    /// When that is no URL.
    pub fn at(url: &str) -> Result<Self, KubernetesError> {
        let address = url.parse();
        let address = address.map_err(|_| KubernetesError::Url(url.to_owned()))?;
        let client = Client::try_from(Config::new(address));
        let client = client.map_err(|error| KubernetesError::Config(Box::new(error)))?;
        Ok(Self { client })
    }

    async fn get(
        &self,
        (group, version, kind, plural): (&str, &str, &str, &str),
        object: &ObjectName,
    ) -> Result<Option<Value>, ReadError> {
        let kind = GroupVersionKind::gvk(group, version, kind);
        let resource = ApiResource::from_gvk_with_plural(&kind, plural);
        let objects: Api<DynamicObject> =
            Api::namespaced_with(self.client.clone(), &object.namespace, &resource);
        let found = objects.get_opt(&object.name).await;
        Ok(found
            .map_err(|error| read_error(&error))?
            .map(|found| found.data))
    }

    /// The ready replicas of what a `ScaledObject` scales. That it cannot be read is no error: all else
    /// that is known of the object stays known.
    async fn ready_replicas(&self, namespace: &str, scaled: &Value) -> Option<u32> {
        let target = ObjectName {
            namespace: namespace.to_owned(),
            name: text(scaled, "/spec/scaleTargetRef/name")?.to_owned(),
        };
        // KEDA writes down what it found behind the reference.
        let found = "/status/scaleTargetGVKR";
        let part = |name: &str| text(scaled, &format!("{found}/{name}"));
        let resource = match (
            part("group"),
            part("version"),
            part("kind"),
            part("resource"),
        ) {
            (Some(group), Some(version), Some(kind), Some(plural)) => {
                (group, version, kind, plural)
            }
            _ => ("apps", "v1", "Deployment", "deployments"),
        };
        let target = match self.get(resource, &target).await {
            Ok(target) => target?,
            Err(error) => {
                tracing::debug!(namespace, name = target.name, %error, "replicas are not known");
                return None;
            }
        };
        let is_of_kubernetes = resource.0 == "apps";
        ready_replicas(&target, is_of_kubernetes)
    }
}

impl WorkloadSource for Kubernetes {
    async fn read(&self, object: &ObjectName) -> Result<Option<Workload>, ReadError> {
        let scaled_object = ("keda.sh", "v1alpha1", "ScaledObject", "scaledobjects");
        let scaled_job = ("keda.sh", "v1alpha1", "ScaledJob", "scaledjobs");
        let (scaled_object, scaled_job) = tokio::join!(
            self.get(scaled_object, object),
            self.get(scaled_job, object)
        );
        match (scaled_object?, scaled_job?) {
            (Some(scaled), None) => {
                let ready_replicas = self.ready_replicas(&object.namespace, &scaled).await;
                Ok(Some(workload(
                    &scaled,
                    WorkloadKind::ScaledObject,
                    ready_replicas,
                )))
            }
            (None, Some(scaled)) => {
                let kind = WorkloadKind::ScaledJob(strategy(&scaled));
                Ok(Some(workload(&scaled, kind, None)))
            }
            // KEDA does not say which of two of one name asks.
            (Some(_), Some(_)) | (None, None) => Ok(None),
        }
    }
}

fn workload(scaled: &Value, kind: WorkloadKind, ready_replicas: Option<u32>) -> Workload {
    let number = |path: &str| count(scaled, path);
    Workload {
        kind,
        ready_replicas,
        replicas_min: number("/spec/minReplicaCount").unwrap_or(REPLICAS_MIN_DEFAULT),
        replicas_max: number("/spec/maxReplicaCount").unwrap_or(REPLICAS_MAX_DEFAULT),
    }
}

/// KEDA takes what it does not know for `default`.
fn strategy(scaled_job: &Value) -> Option<JobStrategy> {
    match text(scaled_job, "/spec/scalingStrategy/strategy") {
        None | Some("" | "default") => Some(JobStrategy::Default),
        Some("custom") => Some(JobStrategy::Custom),
        Some("accurate") => Some(JobStrategy::Accurate),
        Some("eager") => Some(JobStrategy::Eager),
        Some(_) => None,
    }
}

/// Deployments and their like leave a 0 out of their status; of others a number that is absent may be one
/// that they do not keep.
fn ready_replicas(target: &Value, leaves_out_zeros: bool) -> Option<u32> {
    let ready = count(target, "/status/readyReplicas");
    let is_known = leaves_out_zeros && target.pointer("/status/observedGeneration").is_some();
    ready.or(is_known.then_some(0))
}

fn count(object: &Value, path: &str) -> Option<u32> {
    object.pointer(path)?.as_u64()?.try_into().ok()
}

fn text<'a>(object: &'a Value, path: &str) -> Option<&'a str> {
    object.pointer(path)?.as_str()
}

fn read_error(error: &kube::Error) -> ReadError {
    match error {
        kube::Error::Api(status) if matches!(status.code, 401 | 403) => {
            ReadError::NoPermission(status.message.clone())
        }
        kube::Error::Api(status) => ReadError::Failed(status.message.clone()),
        error => ReadError::Failed(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_zero_that_kubernetes_leaves_out_is_known_and_one_of_others_is_not() {
        let seen = json!({"status": {"observedGeneration": 3, "replicas": 2}});
        assert_eq!(ready_replicas(&seen, true), Some(0));
        assert_eq!(ready_replicas(&seen, false), None);
        assert_eq!(
            ready_replicas(&json!({}), true),
            None,
            "not seen by its controller yet"
        );
        let ready = json!({"status": {"readyReplicas": 2}});
        assert_eq!(ready_replicas(&ready, false), Some(2));
    }

    #[test]
    fn strategies_are_those_of_keda() {
        let job = |name: &str| json!({"spec": {"scalingStrategy": {"strategy": name}}});
        assert_eq!(strategy(&json!({"spec": {}})), Some(JobStrategy::Default));
        assert_eq!(strategy(&job("eager")), Some(JobStrategy::Eager));
        assert_eq!(strategy(&job("later")), None);
    }
}
