"""Names of metrics: which are exported, and which an expression of Prometheus asks for."""

import re
from dataclasses import dataclass
from functools import cache

import yaml

from deployment import REPOSITORY

# What others export, by who does; of the versions in names.env.
OTHERS = """
keda_build_info keda_scaler_metrics_value keda_scaler_metrics_latency_seconds keda_scaler_active
keda_scaled_object_paused keda_scaler_detail_errors_total keda_scaled_object_errors_total keda_scaled_job_errors_total
keda_scaler_empty_upstream_responses_total keda_trigger_registered_total keda_resource_registered_total
keda_internal_scale_loop_latency_seconds

karpenter_nodeclaims_created_total karpenter_nodeclaims_terminated_total karpenter_nodeclaims_disrupted_total
karpenter_nodes_created_total karpenter_nodes_allocatable karpenter_nodes_total_pod_requests karpenter_pods_state
karpenter_pods_startup_duration_seconds karpenter_voluntary_disruption_decisions_total karpenter_scheduler_queue_depth

kube_deployment_spec_replicas kube_deployment_status_replicas kube_deployment_status_replicas_ready
kube_deployment_status_replicas_available kube_horizontalpodautoscaler_spec_max_replicas
kube_horizontalpodautoscaler_spec_min_replicas kube_horizontalpodautoscaler_status_current_replicas
kube_horizontalpodautoscaler_status_desired_replicas kube_node_info kube_node_labels kube_pod_info kube_pod_labels
kube_pod_owner kube_pod_status_phase kube_pod_status_ready kube_pod_container_status_restarts_total
kube_pod_container_status_last_terminated_reason kube_job_status_failed kube_job_status_active kube_job_status_succeeded
kube_pod_container_resource_requests kube_pod_status_reason kube_job_owner kube_replicaset_owner

container_cpu_usage_seconds_total container_memory_working_set_bytes container_memory_rss process_start_time_seconds
process_resident_memory_bytes process_cpu_seconds_total up ALERTS ALERTS_FOR_STATE
scrape_duration_seconds scrape_samples_scraped
""".split()

# What the formats add to the name that a program registers.
ENDINGS = ("", "_total", "_info", "_seconds", "_seconds_bucket", "_seconds_count", "_seconds_sum", "_bucket", "_count", "_sum",
           "_dollars", "_ratio", "_bytes")

WORDS = set("by on without ignoring group_left group_right and or unless offset bool inf nan start end atan2".split())


@cache
def exported():
    """What our own programs export: each name that a registry with a prefix is given, with all endings."""
    found = set()
    for folder in ("src", "worker/src"):
        for path in (REPOSITORY / folder).rglob("*.rs"):
            source = path.read_text()
            for prefix in re.findall(r'Registry::with_prefix\("(\w+)"\)', source):
                family = [source, *(p.read_text() for p in path.with_suffix("").glob("*.rs"))]
                names = {name for text in family for name in re.findall(r'"([a-z][a-z0-9_]+)"', text)}
                found |= {f"{prefix}_{name}{ending}" for name in names for ending in ENDINGS}
            # What is written out when it is asked for is registered with no name, and by the registry of the scaler.
            if "encode_descriptor(" in source:
                names = re.findall(r'"([a-z][a-z0-9_]+)"', source)
                found |= {f"sluice_{name}{ending}" for name in names for ending in ENDINGS}
    return found


def known_metrics():
    histograms = {f"{name}{end}" for name in OTHERS if name.endswith("_seconds") for end in ("_bucket", "_count", "_sum")}
    return set(OTHERS) | histograms | exported()


@dataclass(frozen=True)
class Expression:
    """An expression of PromQL."""

    text: str

    def metrics(self):
        """The names of metrics in it."""
        text = re.sub(r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'', " ", self.text)
        text = re.sub(r"#.*", " ", text)
        # Dashboards' own variables.
        text = re.sub(r"\$\{?\w+(?::\w+)?\}?", " 1 ", text)
        text = re.sub(r"\{[^}]*\}|\[[^\]]*\]", " ", text)
        text = re.sub(r"\b(?:by|on|without|ignoring|group_left|group_right)\s*\([^)]*\)", " ", text, flags=re.IGNORECASE)
        names = re.findall(r"(?<![\w.])([a-zA-Z_:][\w:]*)(?!\s*\()(?![\w:])", text)
        return {name for name in names if name.lower() not in WORDS}


def groups(files):
    """Path and group of each group of rules, in files of Prometheus and in PrometheusRules."""
    for path, text in files.with_suffix(".yaml", ".yml").items():
        if "/templates/" in path or "{{" in text and "kind: PrometheusRule" not in text and "groups:" not in text:
            continue
        if "groups:" not in text:
            continue
        try:
            documents = list(yaml.safe_load_all(text))
        except yaml.YAMLError:
            continue
        for document in documents:
            if isinstance(document, dict):
                found = document.get("groups") or (document.get("spec") or {}).get("groups") or []
                yield from ((path, group) for group in found if isinstance(group, dict) and "rules" in group)


def recorded(files):
    """What recording rules record."""
    return {rule["record"] for _, group in groups(files) for rule in group["rules"] if "record" in rule}


def asked_for(files):
    """Path and expression of each rule, and of each target of a panel."""
    for path, group in groups(files):
        yield from ((path, Expression(rule["expr"])) for rule in group["rules"])
    for path, dashboard in files.dashboards():
        yield from ((path, Expression(text)) for text in expressions(dashboard))


def expressions(content):
    """Every `expr` below a part of a dashboard."""
    if isinstance(content, dict):
        if isinstance(content.get("expr"), str):
            yield content["expr"]
        for value in content.values():
            yield from expressions(value)
    elif isinstance(content, list):
        for value in content:
            yield from expressions(value)
