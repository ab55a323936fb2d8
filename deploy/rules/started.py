"""Starts our programs as pods would be: what a chart or a manifest sets must be taken by the program that is told it.

A program that ends at once with 2 has found a setting that it cannot use, and says which. Anything else that it finds here,
without a queue and without AWS, is not this check's business.
"""

import json
import os
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import workloads

ROOT = Path(__file__).resolve().parent.parent.parent
BINARIES = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "debug"

WRONG_SETTINGS = 2
"""The exit code of both programs for settings that they cannot use."""

SECONDS_MAX = 3
"""Settings are checked within milliseconds; a busy machine may need longer to start a program."""

HERE_ONLY = {
    "sluice": {"SLUICE_GRPC_LISTEN": "127.0.0.1:0", "SLUICE_HTTP_LISTEN": "127.0.0.1:0"},
    "sluice-worker": {"HEALTH_HOST": "127.0.0.1", "HEALTH_PORT": "0"},
}
"""What keeps a program that is started here to itself."""

NOBODY = "http://127.0.0.1:9"
"""Where nothing answers, so that no program calls AWS."""


def there():
    """Whether the programs have been built."""
    return all((BINARIES / name).exists() for name in HERE_ONLY)


def report(report, objects_by_place):
    """Counts a result for each program with settings that no other pod has."""
    if not there():
        print(f"skipped: programs are not started, since they are not in {BINARIES}")
        return
    containers = {}
    for place, objects in objects_by_place.items():
        for container, settings in _of(objects):
            key = json.dumps([workloads.program_of(container), container["args"], settings], sort_keys=True)
            containers.setdefault(key, place)
    with ThreadPoolExecutor(max_workers=8) as pool:
        answers = list(pool.map(fault, [json.loads(key) for key in containers]))
    for place, faults in zip(containers.values(), answers, strict=True):
        report.result("programs started with the settings of their pods", place, faults)


def _of(objects):
    """Our containers with their variables; what a Secret or the pod itself would fill gets a word."""
    for document in objects:
        pod = workloads.pod_template(document)
        for container in pod["spec"]["containers"] if pod else []:
            if workloads.program_of(container) and _is_whole(container, objects):
                settings = workloads.environment(container, objects)
                yield container, {name: value or "from-elsewhere" for name, value in settings.items()}


def _is_whole(container, objects):
    """Whether the ConfigMaps that a container names are here: a file by itself may leave them to its neighbours."""
    there = {document["metadata"]["name"] for document in objects if document["kind"] == "ConfigMap"}
    return all(source["configMapRef"]["name"] in there for source in container.get("envFrom", []))


def fault(started):
    """What a program says of its arguments and variables, if it cannot use them."""
    program, arguments, settings = started
    environment = {"PATH": os.environ["PATH"], "AWS_ACCESS_KEY_ID": "any", "AWS_SECRET_ACCESS_KEY": "any"}
    environment |= settings | HERE_ONLY[program] | {"AWS_ENDPOINT_URL": NOBODY, "AWS_EC2_METADATA_DISABLED": "true"}
    with tempfile.TemporaryDirectory() as folder:
        if "SLUICE_WORKER_DATABASE" in environment:
            environment["SLUICE_WORKER_DATABASE"] = f"{folder}/results.sqlite"
        command = [BINARIES / program, *arguments]
        process = subprocess.Popen(
            command, env=environment, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        try:
            _, said = process.communicate(timeout=SECONDS_MAX)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            return []
    return [said.strip()] if process.returncode == WRONG_SETTINGS else []
