"""Checks the examples: as manifests, and that before, native and new have the same numbers, which the README has too.
`deploy/examples/check` runs it."""

import math
import subprocess
import sys
from pathlib import Path

import yaml

HERE = Path(__file__).resolve().parent
DEPLOY = HERE.parent
sys.path[:0] = [str(DEPLOY / "rules"), str(DEPLOY / "check.d")]

import manifests
import started
from report import Report

FILES = ("scaledobject.yaml", "scaledjob.yaml")
RAMP = "explain --behavior --from 0 --to 100 --in-seconds 30"

BACKLOGS = (12, 50, 500, 200_000)


def scaled(path):
    """The ScaledObject or ScaledJob of a file."""
    kinds = ("ScaledObject", "ScaledJob")
    return next((item for item in manifests.objects(path) if item["kind"] in kinds), None)


def numbers(item):
    """Polling, cooldown, minimum, maximum and messages per replica, as words."""
    spec = item["spec"]
    cooldown = spec["cooldownPeriod"] if item["kind"] == "ScaledObject" else "-"
    length = spec["triggers"][0]["metadata"]["queueLength"]
    row = (spec["pollingInterval"], cooldown, spec.get("minReplicaCount", 0), spec["maxReplicaCount"], length)
    return [str(number) for number in row]


def replicas(row):
    """Replicas for each backlog: min(max, ceil(messages / target))."""
    maximum, target = int(row[3]), int(row[4])
    return [str(min(maximum, math.ceil(messages / target))) for messages in BACKLOGS]


def main():
    report = Report()
    manifests.check(report, HERE)
    for path in sorted(path for file in FILES for path in HERE.glob(f"*/{file}")):
        example, row = path.parent.name, numbers(scaled(path))
        for variant in sorted((path.parent / "native").glob(path.name)) + sorted(
            (path.parent / "legacy").glob(path.name)
        ):
            found = numbers(scaled(variant))
            faults = [] if found == row else [f"expected {row} as in {path.name}, found {found}"]
            report.result("numbers kept from before to now", variant.relative_to(HERE), faults)
        report.result("numbers of the README in the manifests", example, readme_faults(example, row))
    if started.there():
        report.result("scaleUp equal to what `sluice explain` prints", "burst", ramp_faults())
    report.finish()


def ramp_faults():
    """The burst says that its scaleUp is what the program prints for 0 to 100 in 30 s."""
    command = [started.BINARIES / "sluice", *RAMP.split(" ")]
    said = subprocess.run(command, capture_output=True, text=True, check=False)
    if said.returncode:
        return [said.stderr.strip()]
    wanted = yaml.safe_load(said.stdout)["advanced"]["horizontalPodAutoscalerConfig"]["behavior"]
    found = scaled(HERE / "burst" / "scaledobject.yaml")["spec"]["advanced"]["horizontalPodAutoscalerConfig"][
        "behavior"
    ]
    return [] if found == wanted else [f"expected {wanted}, found {found}"]


def readme_faults(example, row):
    lines = [line for line in (HERE / "README.md").read_text().splitlines() if line.startswith(f"| [{example}]")]
    if len(lines) != 1:
        return [f"expected a row of {example}"]
    found = [cell.strip() for cell in lines[0].strip("|").split("|")][2:]
    wanted = row + replicas(row)
    return [] if found == wanted else [f"expected {wanted}, found {found}"]


main()
