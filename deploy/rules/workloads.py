"""Rules for pods and for what scales them, over the objects of one render or folder.

Each was a real mistake in a system of this kind: containers as root, a grace period shorter than the work, a
variable that nobody reads, replicas that fight with the autoscaler.
"""

import programs

POD_PATHS = {
    "Deployment": ("spec", "template"),
    "StatefulSet": ("spec", "template"),
    "DaemonSet": ("spec", "template"),
    "Job": ("spec", "template"),
    "CronJob": ("spec", "jobTemplate", "spec", "template"),
    "ScaledJob": ("spec", "jobTargetRef", "template"),
}

LAST_DELETES_SECONDS = 4
"""What the worker takes after its drain, as worker/README.md says."""


def faults(objects):
    """Every broken rule, one line each."""
    found = []
    for document in objects:
        name = f"{document['kind']} {document['metadata'].get('name')}"
        found += [f"{name}: {fault}" for fault in _of(document, objects)]
    return found


def _of(document, objects):
    found = []
    pod = pod_template(document)
    if pod:
        found += _pod(pod["spec"], objects)
    if document["kind"] in ("ScaledObject", "ScaledJob"):
        found += _scaled(document["spec"], objects, document["kind"])
    return found


def pod_template(document):
    """The pod of an object that has one, or is one."""
    if document["kind"] == "Pod":
        return document
    at = document
    for step in POD_PATHS.get(document["kind"], ()):
        at = at.get(step, {})
    return at if at and at is not document else None


def _pod(spec, objects):
    found = []
    context = spec.get("securityContext", {})
    if not context.get("runAsNonRoot"):
        found.append("the pod may run as root")
    if context.get("seccompProfile", {}).get("type") != "RuntimeDefault":
        found.append("the pod has no seccomp profile")
    for container in spec.get("initContainers", []) + spec["containers"]:
        found += [f"container {container['name']}: {fault}" for fault in _container(container, spec, objects)]
    return found


def _container(container, spec, objects):
    found = []
    context = container.get("securityContext", {})
    if context.get("allowPrivilegeEscalation") is not False:
        found.append("may gain privileges")
    if not context.get("readOnlyRootFilesystem"):
        found.append("may write its file system")
    if context.get("capabilities", {}).get("drop") != ["ALL"]:
        found.append("keeps capabilities")
    resources = container.get("resources", {})
    if not {"cpu", "memory"} <= resources.get("requests", {}).keys() or "memory" not in resources.get("limits", {}):
        found.append("expected requests of cpu and memory, and a limit of memory")
    image = container["image"]
    if image.endswith(":latest") or not (":" in image.rpartition("/")[2] or "@sha256:" in image):
        found.append(f"image {image} is not of one version")
    return found + _program(container, spec, objects)


def _program(container, spec, objects):
    """Rules for containers that run one of our programs."""
    program = program_of(container)
    if program is None:
        return []
    settings = environment(container, objects)
    found = [programs.variable_fault(program, name) for name in settings]
    own = [variable["name"] for variable in container.get("env", [])]
    found += [f"variable {name} is set twice" for name in sorted(set(own)) if own.count(name) > 1]
    if program == "sluice-worker" and container["args"][0] in ("run", "once"):
        found.append(_grace(settings, spec))
    return [fault for fault in found if fault]


def program_of(container):
    """Which of our programs a container runs, by its image."""
    name = container["image"].rpartition("/")[2].partition("@")[0].partition(":")[0]
    return name if name in ("sluice", "sluice-worker") else None


def environment(container, objects):
    """The variables of a container, those of its ConfigMaps included; None for what a Secret holds."""
    maps = {document["metadata"]["name"]: document for document in objects if document["kind"] == "ConfigMap"}
    settings = {}
    for source in container.get("envFrom", []):
        reference = source.get("configMapRef", {}).get("name")
        settings.update(maps.get(reference, {}).get("data", {}))
    settings.update({variable["name"]: variable.get("value") for variable in container.get("env", [])})
    return settings


def _grace(settings, spec):
    wait = int(settings.get("SQS_WAIT_TIME_SECONDS") or 20)
    drain = int(settings.get("SLUICE_WORKER_DRAIN_SECONDS") or 25)
    grace = spec.get("terminationGracePeriodSeconds", 30)
    if grace <= wait + drain:
        return f"terminationGracePeriodSeconds {grace} is not above a receive and the drain, {wait} + {drain} s"
    if grace < drain + LAST_DELETES_SECONDS:
        return f"terminationGracePeriodSeconds {grace} leaves no time for the last deletes"
    return None


def _scaled(spec, objects, kind):
    found = []
    if "maxReplicaCount" not in spec:
        found.append("expected maxReplicaCount")
    if kind == "ScaledObject":
        found += _scaled_object(spec, objects)
    for trigger in spec["triggers"]:
        keys = trigger.get("metadata", {})
        if trigger["type"].startswith("external"):
            found += [fault for fault in map(programs.key_fault, keys) if fault]
    return found


def _scaled_object(spec, objects):
    found = []
    behavior = spec.get("advanced", {}).get("horizontalPodAutoscalerConfig", {}).get("behavior", {})
    if "stabilizationWindowSeconds" not in behavior.get("scaleDown", {}):
        found.append("expected a stabilizationWindowSeconds of scaleDown")
    target = spec["scaleTargetRef"]["name"]
    for document in objects:
        is_target = document["kind"] == "Deployment" and document["metadata"]["name"] == target
        if is_target and "replicas" in document["spec"]:
            found.append(f"Deployment {target} has replicas, which KEDA owns")
    return found
