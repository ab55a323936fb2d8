"""Rules for what Karpenter makes of nodes. Each was a real mistake: a label that enforces nothing, a pool without an end,
an image that changes by itself."""

import re

DOMAINS = re.compile(r"(^|\.)(kubernetes\.io|k8s\.io|karpenter\.sh|karpenter\.k8s\.aws|k8s\.aws)/")
"""Domains in which a label that Karpenter does not know is a mistake and enforces nothing."""

_PROPERTIES = """
category family generation size hypervisor tenancy cpu cpu-manufacturer cpu-sustained-clock-speed-mhz memory
ebs-bandwidth network-bandwidth local-nvme capability-flex encryption-in-transit-supported
gpu-name gpu-manufacturer gpu-count gpu-memory accelerator-name accelerator-manufacturer accelerator-count
"""

KNOWN = {
    "karpenter.sh/capacity-type",
    "karpenter.sh/nodepool",
    "kubernetes.io/arch",
    "kubernetes.io/os",
    "node.kubernetes.io/instance-type",
    "node.kubernetes.io/windows-build",
    "topology.kubernetes.io/zone",
    "topology.kubernetes.io/region",
    "topology.k8s.aws/zone-id",
    *(f"karpenter.k8s.aws/instance-{name}" for name in _PROPERTIES.split()),
}

IMAGE_ARCHITECTURES = {"amd64", "arm64"}
"""Those of our images; see ../images/build."""


def faults(objects):
    """Every broken rule of NodePools and EC2NodeClasses, one line each."""
    rules = {"NodePool": _pool, "EC2NodeClass": _node_class}
    return [
        f"{item['kind']} {item['metadata']['name']}: {fault}"
        for item in objects
        if item["kind"] in rules
        for fault in rules[item["kind"]](item["spec"])
    ]


def _pool(spec):
    requirements = {item["key"]: item.get("values", []) for item in spec["template"]["spec"]["requirements"]}
    for key in requirements:
        if DOMAINS.search(key) and key not in KNOWN:
            yield f"Karpenter does not know {key}: it would be a label that enforces nothing"
    architectures = set(requirements.get("kubernetes.io/arch", []))
    if not architectures or not architectures <= IMAGE_ARCHITECTURES:
        yield f"architectures {sorted(architectures)}; our images have {sorted(IMAGE_ARCHITECTURES)}"
    if not {"cpu", "memory"} <= spec.get("limits", {}).keys():
        yield "expected limits of cpu and memory"
    disruption = spec.get("disruption", {})
    if not disruption.get("budgets") or "consolidateAfter" not in disruption:
        yield "expected disruption.consolidateAfter and disruption.budgets"


def _node_class(spec):
    if not spec.get("tags"):
        yield "expected tags"
    aliases = [term.get("alias", "") for term in spec.get("amiSelectorTerms", [])]
    for alias in aliases:
        if alias and not re.fullmatch(r"[a-z0-9]+@v[0-9.]+", alias):
            yield f"alias {alias} is not one release"
    if spec.get("metadataOptions", {}).get("httpTokens") != "required":
        yield "expected metadataOptions.httpTokens required"
