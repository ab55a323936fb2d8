"""Helm charts: ours is rendered, those of others are known by the names of their values (deploy/schemas/charts)."""

import os
import subprocess
import tempfile
from pathlib import Path

import strict
import yaml

DEPLOY = Path(__file__).resolve().parent.parent
HELMS = {"Helm 3": os.environ["HELM_3"], "Helm 4": os.environ["HELM_4"]}

OPEN = {"nodeSelector", "affinity", "annotations", "labels", "additionalAnnotations", "podLabels", "podAnnotations"}
"""Maps that take any key, also where a chart has defaults in them."""


def render(metadata, values):
    """What is wrong with a release of our chart, and its objects."""
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        yaml.safe_dump(values, file)
        file.flush()
        place = ["--namespace", metadata["namespace"], "--values", file.name]
        command = ["template", metadata["name"], str(DEPLOY / "chart"), *place]
        runs = {
            name: subprocess.run([helm, *command], capture_output=True, text=True, check=False)
            for name, helm in HELMS.items()
        }
    faults = [f"{name}: {run.stderr.strip()}" for name, run in runs.items() if run.returncode]
    objects = [strict.documents(run.stdout) for run in runs.values() if not run.returncode]
    return faults, objects[-1] if objects else []


def unknown_values(chart, values):
    """Values that the chart of this version does not have."""
    path = DEPLOY / "schemas" / "charts" / f"{chart['chart']}-{chart['version']}.yaml"
    if not path.exists():
        return [f"there is no {path.relative_to(DEPLOY)}"]
    return list(_unknown(values, yaml.safe_load(path.read_text()), ""))


def _unknown(values, known, place):
    for key, value in values.items():
        if key not in known:
            yield f"{place}{key} is no value of the chart"
        elif isinstance(value, dict) and isinstance(known[key], dict) and known[key] and key not in OPEN:
            yield from _unknown(value, known[key], f"{place}{key}.")
