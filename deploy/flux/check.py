"""Checks the Flux tree as Flux would read it: builds what each Kustomization names, puts the settings in, and follows
every reference. `deploy/flux/check` runs it."""

import copy
import json
import re
import sys
from pathlib import Path

import yaml

HERE = Path(__file__).resolve().parent
DEPLOY = HERE.parent
sys.path[:0] = [str(DEPLOY / "rules"), str(DEPLOY / "check.d")]

import charts
import manifests
import strict
import workloads
from deployment import names
from report import Report

CLUSTER = HERE / "clusters" / "sluice"

MADE_BY_BOOTSTRAP = {("GitRepository", "flux-system", "flux-system")}
"""What `flux bootstrap` puts beside the tree."""


def main():
    report, checker = Report(), strict.Strict()
    manifests.lint(report, HERE)
    cluster = manifests.kustomize(report, CLUSTER)
    settings = next(item for item in cluster if item["metadata"]["name"] == "cluster-settings")["data"]
    built = {item["metadata"]["name"]: build(report, item, settings) for item in cluster if is_flux(item)}
    everything = cluster + [item for objects in built.values() for item in objects]
    checker.add("clusters/sluice", cluster)
    for name, objects in built.items():
        checker.add(name, objects)
        report.result("manifests under the rules of pods and triggers", name, workloads.faults(objects))
    rendered = releases(report, checker, built)
    references(report, everything, rendered)
    order(report, cluster)
    images(report, everything)
    report.result("settings of the cluster equal to names.env", "cluster-settings", settings_faults(settings))
    planted(
        report,
        next(
            item
            for item in built["infra-controllers"]
            if item["metadata"]["name"] == "keda" and item["kind"] == "HelmRelease"
        ),
    )
    checker.report(report)
    report.finish()


def is_flux(item):
    return item["kind"] == "Kustomization"


def build(report, kustomization, settings):
    """The objects of a Kustomization of Flux, with the settings put in."""
    folder = DEPLOY.parent / kustomization["spec"]["path"]
    objects = manifests.kustomize(report, folder)
    text = yaml.safe_dump_all(objects, sort_keys=False)
    wanted = set(re.findall(r"\$\{([A-Z_]+)\}", text))
    report.result(
        "settings put in, none left over",
        kustomization["metadata"]["name"],
        [f"${{{name}}} is not in cluster-settings" for name in sorted(wanted - settings.keys())],
    )
    for name, value in settings.items():
        text = text.replace(f"${{{name}}}", value)
    return strict.documents(text)


def releases(report, checker, built):
    """Holds the values of each release against its chart, and renders ours."""
    rendered = []
    for name, objects in built.items():
        for release in (item for item in objects if item["kind"] == "HelmRelease"):
            chart = release["spec"]["chart"]["spec"]
            what = f"{name}: {release['metadata']['namespace']}/{release['metadata']['name']}"
            report.result("releases pinned, with remediation", what, release_faults(release))
            values = values_of(release, objects)
            if chart["chart"].startswith("./"):
                faults, found = charts.render(release["metadata"], values)
                report.result("releases of our chart rendered by Helm 3 and 4", what, faults + workloads.faults(found))
                checker.add(what, found)
                rendered += found
            else:
                report.result("values known to the chart of that version", what, charts.unknown_values(chart, values))
    return rendered


def values_of(release, objects):
    """The values in a release, and those of the ConfigMaps that it names."""
    maps = {item["metadata"]["name"]: item for item in objects if item["kind"] == "ConfigMap"}
    values = {}
    for source in release["spec"].get("valuesFrom", []):
        values |= yaml.safe_load(maps[source["name"]]["data"][source.get("valuesKey", "values.yaml")])
    return values | release["spec"].get("values", {})


def release_faults(release):
    spec = release["spec"]
    chart = spec["chart"]["spec"]
    found = []
    if not chart["chart"].startswith("./") and not re.fullmatch(r"v?\d+\.\d+\.\d+", chart.get("version", "")):
        found.append(f"version {chart.get('version')} is not one version")
    for step in ("install", "upgrade"):
        if not spec.get(step, {}).get("remediation", {}).get("retries"):
            found.append(f"expected {step}.remediation.retries")
    versions = {key.removesuffix("_CHART_VERSION").lower().replace("_", "-"): value for key, value in names().items()}
    wanted = next((value for key, value in versions.items() if chart["chart"].endswith(key)), None)
    if wanted and chart.get("version") != wanted:
        found.append(f"version {chart['version']}, and {wanted} in names.env")
    return found


def references(report, everything, rendered):
    """What an object names must be there."""
    there = {identity(item) for item in everything + rendered} | MADE_BY_BOOTSTRAP
    for item in everything:
        faults = [f"there is no {' '.join(name)}" for name in referred(item) if name not in there]
        report.result("references of Flux that lead somewhere", strict.label(item), faults)


def identity(item):
    return item["kind"], item["metadata"].get("namespace", ""), item["metadata"]["name"]


def referred(item):
    """Kind, namespace and name of everything an object refers to."""
    spec, own = item.get("spec", {}), item["metadata"].get("namespace", "")
    found = []
    if "chart" in spec:
        source = spec["chart"]["spec"]["sourceRef"]
        found.append((source["kind"], source.get("namespace", own), source["name"]))
    if "sourceRef" in spec:
        found.append((spec["sourceRef"]["kind"], spec["sourceRef"].get("namespace", own), spec["sourceRef"]["name"]))
    if "imageRepositoryRef" in spec:
        found.append(("ImageRepository", own, spec["imageRepositoryRef"]["name"]))
    if item["kind"] in ("Kustomization", "HelmRelease"):
        found += [(item["kind"], before.get("namespace", own), before["name"]) for before in spec.get("dependsOn", [])]
    found += [(check["kind"], check["namespace"], check["name"]) for check in spec.get("healthChecks", [])]
    found += [("ConfigMap", own, source["name"]) for source in spec.get("postBuild", {}).get("substituteFrom", [])]
    return found


def order(report, cluster):
    """Controllers before their configurations, and both before apps."""
    after = {
        item["metadata"]["name"]: {before["name"] for before in item["spec"].get("dependsOn", [])}
        for item in cluster
        if is_flux(item)
    }
    wanted = {
        "infra-controllers": set(),
        "infra-configs": {"infra-controllers"},
        "apps": {"infra-controllers", "infra-configs"},
        "image-automation": {"apps"},
    }
    faults = [] if after == wanted else [f"expected {wanted}, found {after}"]
    report.result("order of Kustomizations", "clusters/sluice", faults)


def images(report, everything):
    """Each marker in apps/ names a policy, and each policy has a marker: automation that is installed and unused was
    a mistake of the past."""
    policies = {
        f"{item['metadata']['namespace']}:{item['metadata']['name']}"
        for item in everything
        if item["kind"] == "ImagePolicy"
    }
    text = "".join(path.read_text() for path in (HERE / "apps").glob("*.yaml"))
    marked = {
        json.loads(marker)["$imagepolicy"].rsplit(":", 1)[0]
        for marker in re.findall(r'# (\{"\$imagepolicy".*\})', text)
    }
    report.result(
        "image policies and markers that belong together",
        "apps",
        [] if marked == policies else [f"{marked} and {policies}"],
    )


def settings_faults(settings):
    return [
        f"{name} is {value}, and {names()[name]} in names.env"
        for name, value in settings.items()
        if name in names() and names()[name] != value
    ]


def karpenter_faults(built):
    """What Karpenter is told must be what CloudFormation and Terraform create."""
    release = next(
        item
        for item in built["infra-controllers"]
        if item["metadata"]["name"] == "karpenter" and "chart" in item["spec"]
    )
    nodes = next(item for item in built["infra-configs"] if item["kind"] == "EC2NodeClass")
    found = {
        "KARPENTER_INTERRUPTION_QUEUE": release["spec"]["values"]["settings"]["interruptionQueue"],
        "NODE_ROLE": nodes["spec"]["role"],
    }
    return [
        f"{name} is {value}, and {names()[name]} in names.env"
        for name, value in found.items()
        if value != names()[name]
    ]


def planted(report, keda):
    """Mistakes that must be found, planted in the release of KEDA."""

    def with_chart(**changes):
        changed = copy.deepcopy(keda)
        changed["spec"]["chart"]["spec"] |= changes
        return changed

    without = copy.deepcopy(keda)
    del without["spec"]["upgrade"]["remediation"]
    elsewhere = copy.deepcopy(keda) | {"spec": keda["spec"] | {"dependsOn": [{"name": "keta"}]}}
    pinned = keda["spec"]["chart"]["spec"]
    found = {
        "a range of versions": release_faults(with_chart(version=">=2.20.0")),
        "another version than in names.env": release_faults(with_chart(version="2.19.0")),
        "no remediation": release_faults(without),
        "a dependency that is not there": [name for name in referred(elsewhere) if name[2] == "keta"],
        "a value that the chart does not have": charts.unknown_values(pinned, {"operator": {"replicas": 2}}),
        "a setting that differs": settings_faults({"AWS_REGION": "us-east-1"}),
    }
    for mistake, faults in found.items():
        report.result("mistakes planted and found", mistake, [] if faults else ["nothing was found"])


main()
