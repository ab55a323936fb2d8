"""Scans templates, Terraform and manifests for what makes them unsafe. What is meant is in security_skips.yaml."""

import json
import os
import subprocess

import yaml

from deployment import DEPLOY
from report import Report

FRAMEWORKS = ("cloudformation", "terraform", "kubernetes")


def scan():
    """The findings, by framework."""
    command = [os.environ["SLUICE_CHECKOV"], "--directory", str(DEPLOY), "--framework", *FRAMEWORKS]
    command += ["--compact", "--quiet", "--skip-download", "--output", "json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    found = json.loads(done.stdout)
    return {one["check_type"]: one for one in (found if isinstance(found, list) else [found])}


def main():
    report, skips, used = Report(), yaml.safe_load((DEPLOY / "check.d/security_skips.yaml").read_text()), set()
    findings = scan()
    for framework in FRAMEWORKS:
        kind = f"Security scan of {framework}"
        failed = findings[framework]["results"]["failed_checks"]
        for number in range(findings[framework]["summary"]["passed"]):
            report.result(kind, number, [])
        for check in failed:
            used.add(check["check_id"])
            if check["check_id"] not in skips:
                where = f"{check['file_path']} {check['resource']}"
                report.result(kind, where, [f"{check['check_id']} {check['check_name']}"])
    for check, reason in skips.items():
        problems = [] if check in used else ["skips nothing any more"]
        report.result("Security findings that are meant", f"{check}: {reason}", problems)
    report.finish()


if __name__ == "__main__":
    main()
