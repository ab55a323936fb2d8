"""Checks the values of KEDA's chart: each is one that the pinned version has. `deploy/keda/check` runs it."""

import sys
from pathlib import Path

import yaml

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "rules"), str(HERE.parent / "check.d")]

import charts
import manifests
from deployment import names
from report import Report

VERSION = names()["KEDA_CHART_VERSION"]

VALUES = ("values.yaml", "monitoring.yaml", "irsa.yaml")


def main():
    report = Report()
    manifests.check(report, HERE)
    for name in VALUES:
        text = (HERE / name).read_text()
        faults = charts.unknown_values({"chart": "keda", "version": VERSION}, yaml.safe_load(text))
        if "--version" in text and f"--version {VERSION}" not in text:
            faults.append(f"expected --version {VERSION}, as in names.env")
        report.result("values known to the chart of that version", f"keda/{name}", faults)
    report.finish()


main()
