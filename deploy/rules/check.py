"""Plants mistakes of planted.yaml, one at a time, and sees the rules find each. `deploy/rules/check` runs it."""

import copy
import sys
from pathlib import Path

import yaml

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parent / "check.d"))

import nodes
import places
import started
import strict
import workloads
from report import Report


def main():
    planted = yaml.safe_load((HERE / "planted.yaml").read_text())
    report = Report()
    report.result("mistakes planted and found", "without a mistake", faults(planted["good"]))
    for mistake in planted["mistakes"]:
        found = faults(with_mistake(planted["good"], mistake))
        missed = (
            [] if any(mistake["says"] in fault for fault in found) else [f"expected {mistake['says']!r}, found {found}"]
        )
        report.result("mistakes planted and found", mistake["at"], missed)
    for text in planted["places"]:
        found = list(places.faults(text))
        report.result("mistakes planted and found", text, [] if found else ["nothing was found"])
    if started.there():
        for program, arguments, settings in planted["settings"]:
            said = started.fault([program, arguments, settings])
            report.result("wrong settings found by starting a program", settings, [] if said else ["it took them"])
    report.finish()


def faults(objects):
    """What rules and schemas say of some objects."""
    built_in = [item for item in objects if strict.is_built_in(item)]
    return (
        workloads.faults(objects)
        + nodes.faults(objects)
        + [fault for item in built_in for fault in strict.faults(item, strict.VERSIONS[-1])]
    )


def with_mistake(good, mistake):
    objects = copy.deepcopy(good)
    *path, last = mistake["at"].split("/")
    place = objects[mistake["in"]]
    for step in path:
        place = place[int(step) if isinstance(place, list) else step]
    if "put" in mistake:
        place[last] = mistake["put"]
    else:
        del place[last]
    return objects


main()
