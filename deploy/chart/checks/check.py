"""Checks the chart; `deploy/chart/check` runs it with its tools at hand."""

import argparse
import os
import shlex
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import yaml

HERE = Path(__file__).resolve().parent
CHART = HERE.parent
sys.path[:0] = [str(CHART.parent / "rules"), str(CHART.parent / "check.d")]

import started
import strict
import workloads
from deployment import names
from report import Report

HELMS = {"Helm 3": os.environ["HELM_3"], "Helm 4": os.environ["HELM_4"]}


def main():
    arguments = argparse.ArgumentParser(description="Checks the chart")
    arguments.add_argument("--render", type=Path, metavar="FOLDER", help="keep what was rendered in this folder")
    folder = arguments.parse_args().render
    accepted = yaml.safe_load((HERE / "accepted.yaml").read_text())
    refused = yaml.safe_load((HERE / "refused.yaml").read_text())
    report = Report()
    for name, binary in HELMS.items():
        report.result("chart linted by Helm 3 and 4", name, lint(binary))
    report.result("chart's copies of dashboards and rules", "files", copies())
    for command in readme_commands():
        report.result("commands of the chart's README", " ".join(command[-2:]), command_faults(command))
    with ThreadPoolExecutor(max_workers=4) as pool:
        renders = list(pool.map(render_both, accepted))
        refusals = list(pool.map(refusal_faults, refused))
    for case, faults in zip(refused, refusals, strict=True):
        report.result("wrong values refused by Helm 3 and 4", case["name"], faults)
    judge(report, accepted, renders)
    for case, (objects, _) in zip(accepted, renders, strict=True):
        if folder:
            keep(folder, case["name"], objects)
    report.finish()


def judge(report, accepted, renders):
    """Holds what was rendered against schemas and rules."""
    checker = strict.Strict()
    for case, (objects, faults) in zip(accepted, renders, strict=True):
        report.result("chart rendered by Helm 3 and 4 alike", case["name"], faults + expectation_faults(case, objects))
        report.result("renders under the rules of pods and triggers", case["name"], workloads.faults(objects))
        checker.add(case["name"], objects)
    checker.report(report)
    started.report(report, {case["name"]: objects for case, (objects, _) in zip(accepted, renders, strict=True)})


def helm(binary, *arguments):
    return subprocess.run(
        [binary, *map(str, arguments)], cwd=CHART.parent.parent, capture_output=True, text=True, check=False
    )


def lint(binary):
    """What `helm lint` says of the defaults."""
    run = helm(binary, "lint", "--strict", CHART)
    return [run.stdout] if run.returncode else []


def template(binary, case):
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as values:
        yaml.safe_dump(case.get("values", {}), values)
        values.flush()
        namespace = case.get("namespace", names()["SCALER_NAMESPACE"])
        return helm(binary, "template", "sluice", CHART, "--namespace", namespace, "--values", values.name)


def render_both(case):
    """The objects of a set of values, and what is wrong with the rendering itself."""
    runs = {name: template(binary, case) for name, binary in HELMS.items()}
    failed = [f"{name}: {run.stderr.strip()}" for name, run in runs.items() if run.returncode]
    if failed:
        return [], failed
    first, second = (strict.documents(run.stdout) for run in runs.values())
    return second, [] if first == second else ["Helm 3 and Helm 4 render different objects"]


def refusal_faults(case):
    """A wrong value must be refused by both, with words that name it."""
    found = []
    for name, binary in HELMS.items():
        run = template(binary, case)
        if run.returncode == 0:
            found.append(f"{name} takes it")
        elif case["says"] not in run.stderr:
            found.append(f"{name} does not say {case['says']!r}: {run.stderr.strip()[:300]}")
    return found


def expectation_faults(case, objects):
    """Each case says which objects it has, as `Kind/name`, and which not, as `!Kind/name`."""
    there = {f"{item['kind']}/{item['metadata']['name']}" for item in objects}
    wrong = [wanted for wanted in case.get("has", []) if (wanted.lstrip("!") in there) == wanted.startswith("!")]
    return [f"{wanted} is wanted; there are {', '.join(sorted(there))}" for wanted in wrong]


def readme_commands():
    """The arguments of each `helm upgrade --install` of the README."""
    text = (CHART / "README.md").read_text().replace("\\\n", " ")
    commands = [line for line in text.splitlines() if line.startswith("helm upgrade --install ")]
    return [shlex.split(command)[3:] for command in commands]


def command_faults(command):
    """The chart must render with what the README tells people to type."""
    rendered = [helm(binary, "template", *command) for binary in HELMS.values()]
    return [run.stderr.strip() for run in rendered if run.returncode]


def copies():
    """A chart reads nothing outside of itself, so it has copies of what deploy/observability owns."""
    found = []
    for kind, suffix in (("dashboards", "json"), ("rules", "yaml")):
        own, original = CHART / "files" / kind, CHART.parent / "observability" / kind
        contents = [{path.name: path.read_bytes() for path in folder.glob(f"*.{suffix}")} for folder in (own, original)]
        if original.exists() and contents[0] != contents[1]:
            found.append(f"files/{kind} is not a copy of observability/{kind}: run deploy/chart/copy-observability")
    return found


def keep(folder, name, objects):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name.replace(' ', '-')}.yaml").write_text(yaml.safe_dump_all(objects, sort_keys=False))


main()
