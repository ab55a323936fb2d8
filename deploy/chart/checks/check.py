"""Checks the chart; `deploy/chart/check` runs it with its tools at hand."""

import argparse
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import yaml

HERE = Path(__file__).resolve().parent
CHART = HERE.parent
sys.path.insert(0, str(CHART.parent / "rules"))

import strict
import workloads

HELMS = {"Helm 3": os.environ["HELM_3"], "Helm 4": os.environ["HELM_4"]}
NAMES = dict(
    line.split("=", 1)
    for line in (CHART.parent / "names.env").read_text().splitlines()
    if line and not line.startswith("#")
)


def main():
    arguments = argparse.ArgumentParser(description="Checks the chart")
    arguments.add_argument("--render", type=Path, metavar="FOLDER", help="keep what was rendered in this folder")
    folder = arguments.parse_args().render
    accepted = yaml.safe_load((HERE / "accepted.yaml").read_text())
    refused = yaml.safe_load((HERE / "refused.yaml").read_text())
    checker = strict.Strict()
    faults = lint() + copies()
    with ThreadPoolExecutor(max_workers=4) as pool:
        renders = dict(zip([case["name"] for case in accepted], pool.map(render_both, accepted), strict=True))
        refusals = list(pool.map(refusal_fault, refused))
    for name, (objects, wrong) in renders.items():
        wrong += checker.faults(objects) + workloads.faults(objects)
        faults += [f"{name}: {fault}" for fault in wrong]
        if folder:
            keep(folder, name, objects)
    faults += [fault for fault in refusals if fault] + expectation_faults(accepted, renders)
    custom, held, skipped = checker.custom_faults()
    report(
        faults + custom,
        f"{len(accepted)} sets of values rendered by two Helms, {len(refused)} refused, "
        f"{checker.validations} validations of built-in kinds, {held} custom objects held against their schema"
        + (f", {skipped} skipped: no schemas beside the project" if skipped else ""),
    )


def report(faults, counts):
    for fault in faults:
        print(f"FAULT {fault}")
    print(f"chart: {counts}, {len(faults)} faults")
    sys.exit(bool(faults))


def helm(binary, *arguments):
    return subprocess.run([binary, *map(str, arguments)], capture_output=True, text=True, check=False)


def lint():
    """What `helm lint` says, of the defaults."""
    runs = {name: helm(binary, "lint", "--strict", CHART) for name, binary in HELMS.items()}
    return [f"{name}: lint: {run.stdout}" for name, run in runs.items() if run.returncode]


def template(binary, case):
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as values:
        yaml.safe_dump(case.get("values", {}), values)
        values.flush()
        namespace = case.get("namespace", NAMES["SCALER_NAMESPACE"])
        return helm(binary, "template", "sluice", CHART, "--namespace", namespace, "--values", values.name)


def render_both(case):
    """The objects of a set of values, and what is wrong with the rendering itself."""
    runs = {name: template(binary, case) for name, binary in HELMS.items()}
    failed = [f"{name}: {run.stderr.strip()}" for name, run in runs.items() if run.returncode]
    if failed:
        return [], failed
    first, second = (strict.documents(run.stdout) for run in runs.values())
    return second, [] if first == second else ["Helm 3 and Helm 4 render different objects"]


def refusal_fault(case):
    """A wrong value must be refused by both, with words that name it."""
    for name, binary in HELMS.items():
        run = template(binary, case)
        if run.returncode == 0:
            return f"{case['name']}: {name} takes it"
        if case["says"] not in run.stderr:
            return f"{case['name']}: {name} does not say {case['says']!r}: {run.stderr.strip()[:300]}"
    return None


def expectation_faults(accepted, renders):
    """Each case says which objects it has, as `Kind/name`, and which not, as `!Kind/name`."""
    found = []
    for case in accepted:
        objects = {f"{item['kind']}/{item['metadata']['name']}" for item in renders[case["name"]][0]}
        for wanted in case.get("has", []):
            if (wanted.lstrip("!") in objects) == wanted.startswith("!"):
                found.append(f"{case['name']}: {wanted} is wanted; there are {', '.join(sorted(objects))}")
    return found


def copies():
    """A chart reads nothing outside of itself, so it has copies of what deploy/observability owns."""
    found = []
    for kind, suffix in (("dashboards", "json"), ("rules", "yaml")):
        own, original = CHART / "files" / kind, CHART.parent / "observability" / kind
        contents = [{path.name: path.read_bytes() for path in folder.glob(f"*.{suffix}")} for folder in (own, original)]
        if contents[0] != contents[1]:
            found.append(f"files/{kind} is not a copy of observability/{kind}: run deploy/chart/copy-observability")
    return found


def keep(folder, name, objects):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name.replace(' ', '-')}.yaml").write_text(yaml.safe_dump_all(objects, sort_keys=False))


main()
