//! What is typed, and what Kubernetes tells a pod, about the cluster, and how it is checked.

use clap::Args;

use super::Faults;
use crate::settings::ClusterSettings;

#[derive(Debug, Args)]
pub struct ClusterArguments {
    /// URL of `kubectl proxy`, where the worker is no pod; a pod knows its API server
    #[arg(long, env = "SLUICE_WORKER_KUBERNETES_URL", value_name = "URL")]
    kubernetes_url: Option<String>,

    /// Name of the pod; without it what Kubernetes calls the host
    #[arg(long, env = "POD_NAME", value_name = "NAME")]
    pod_name: Option<String>,

    /// Namespace of the pod; without it that of its service account
    #[arg(long, env = "POD_NAMESPACE", value_name = "NAME")]
    pod_namespace: Option<String>,

    #[arg(long, env = "HOSTNAME", hide = true)]
    hostname: Option<String>,
    #[arg(long, env = "KUBERNETES_SERVICE_HOST", hide = true)]
    kubernetes_service_host: Option<String>,
    #[arg(long, env = "KUBERNETES_SERVICE_PORT", hide = true)]
    kubernetes_service_port: Option<String>,
}

impl ClusterArguments {
    pub(super) fn check(&self, faults: &mut Faults) -> ClusterSettings {
        let port = self.kubernetes_service_port.as_deref().unwrap_or("443");
        let proxy = self.kubernetes_url.clone().filter(|url| !url.is_empty());
        if let Some(url) = &proxy {
            faults.http_url("SLUICE_WORKER_KUBERNETES_URL", url);
        }
        let namespace = self.pod_namespace.clone();
        if let Some(name) = &namespace {
            faults.kubernetes_name("POD_NAMESPACE", name);
        }
        ClusterSettings {
            host: self.kubernetes_service_host.clone(),
            port: faults.number("KUBERNETES_SERVICE_PORT", port, 1..=u16::MAX),
            namespace,
            proxy,
        }
    }

    /// The name of the pod, or of the machine; empty when neither is known.
    pub(super) fn pod(&self) -> String {
        let known = self.pod_name.as_ref().or(self.hostname.as_ref());
        known.cloned().unwrap_or_default()
    }
}
