"""Checks a folder of manifests: manifests.py FOLDER. Lint, kustomize, strict schemas and the rules of workloads.

Files whose documents have no kind (values of a chart) are linted only.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import yaml
from jsonschema import Draft7Validator
from yamllint import linter
from yamllint.config import YamlLintConfig

DEPLOY = Path(__file__).resolve().parent.parent
sys.path.append(str(DEPLOY / "check.d"))

import nodes
import places
import started
import strict
import workloads
from report import Report

KUBECTLS = {"kubectl 1.32": os.environ["KUBECTL_3"], "kubectl 1.34": os.environ["KUBECTL_4"]}

TOOLS_OWN = ("kustomize.config.k8s.io/", "eksctl.io/")
"""Groups of files that no API server takes."""


def files(folder):
    return sorted(folder.rglob("*.yaml"))


def lint(report, folder):
    config = YamlLintConfig(file=str(DEPLOY / "rules" / "yamllint.yaml"))
    for path in files(folder):
        faults = [f"line {fault.line}: {fault.desc}" for fault in linter.run(path.read_text(), config)]
        report.result("YAML files linted", path.relative_to(DEPLOY), faults)
        report.result(
            "names equal to names.env, none left out", path.relative_to(DEPLOY), places.faults(path.read_text())
        )


def objects(path):
    """The objects of a file that an API server takes."""
    documents = [document for document in yaml.safe_load_all(path.read_text()) if isinstance(document, dict)]
    taken = [document for document in documents if "kind" in document and "apiVersion" in document]
    return [document for document in taken if not document["apiVersion"].startswith(TOOLS_OWN)]


def is_built(path):
    """Whether kustomize takes the file: its objects are whole only in what is built."""
    at = path.parent / "kustomization.yaml"
    return at.exists() and path.name in yaml.safe_load(at.read_text()).get("resources", [])


def eksctl(report, folder):
    """Holds configurations of eksctl against its schema, where that exists."""
    checker = strict.shared_checker()
    for path in files(folder) if checker else []:
        for document in yaml.safe_load_all(path.read_text()):
            if isinstance(document, dict) and str(document.get("apiVersion")).startswith("eksctl.io/"):
                schema = json.loads((checker.parent.parent / "schemas" / "eksctl" / "schema.json").read_text())
                faults = [error.message for error in Draft7Validator(schema).iter_errors(document)]
                report.result("eksctl configurations held against its schema", path.relative_to(DEPLOY), faults)


def kustomize(report, folder):
    """What kustomize makes of a folder; both versions must make the same of it."""
    runs = {
        name: subprocess.run([binary, "kustomize", folder], capture_output=True, text=True, check=False)
        for name, binary in KUBECTLS.items()
    }
    faults = [f"{name}: {run.stderr.strip()}" for name, run in runs.items() if run.returncode]
    built = [strict.documents(run.stdout) for run in runs.values() if not run.returncode]
    if len(built) == 2 and built[0] != built[1]:
        faults.append(f"{' and '.join(KUBECTLS)} make different objects of it")
    report.result("folders built by two versions of kustomize", folder.relative_to(DEPLOY), faults)
    return built[0] if built else []


def check(report, folder):
    """All of a folder: each file's objects as they are, and what kustomize makes of them."""
    checker, judged = strict.Strict(), {}
    lint(report, folder)
    for path in files(folder):
        place, found = path.relative_to(DEPLOY), objects(path)
        checker.add(str(place), found)
        if found and not is_built(path):
            judged[str(place)] = found
    for path in sorted(folder.rglob("kustomization.yaml")):
        place, found = path.parent.relative_to(DEPLOY), kustomize(report, path.parent)
        checker.add(str(place), found)
        judged[str(place)] = found
    for place, found in judged.items():
        report.result("manifests under the rules of pods and triggers", place, workloads.faults(found))
        if any(item["kind"] in ("NodePool", "EC2NodeClass") for item in found):
            report.result("manifests under the rules of nodes", place, nodes.faults(found))
    eksctl(report, folder)
    checker.report(report)
    started.report(report, judged)


if __name__ == "__main__":
    counts = Report()
    check(counts, DEPLOY / sys.argv[1])
    counts.finish()
