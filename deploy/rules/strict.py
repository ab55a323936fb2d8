"""Strict validation of Kubernetes objects: a field that no schema knows is a mistake.

Built-in kinds are held against several versions of Kubernetes. Custom kinds are held against the schemas of their
projects, which exist beside the project in development and in CI only: elsewhere they are counted as skipped.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import kubernetes_validate
import yaml

VERSIONS = ["1.30", "1.31", "1.32", "1.33", "1.34", "1.35"]
"""Those that the chart promises and EKS runs."""

DEPLOY = Path(__file__).resolve().parent.parent
OWN_SCHEMAS = DEPLOY / "schemas"


def documents(text):
    """The objects of a text of YAML documents."""
    return [document for document in yaml.safe_load_all(text) if document]


def is_built_in(document):
    group = document["apiVersion"].rpartition("/")[0]
    return "." not in group or group.endswith(".k8s.io")


def label(document):
    return f"{document['kind']} {document['metadata'].get('name')}"


class Strict:
    """Remembers what was held against which schema, since most renders share most objects."""

    def __init__(self):
        self.seen = {}
        self.custom = []
        self.validations = 0

    def built_in(self, document):
        """What is wrong with an object of Kubernetes, in all versions."""
        key = json.dumps(document, sort_keys=True)
        if key not in self.seen:
            self.seen[key] = [fault for version in VERSIONS for fault in self._in(version, document)]
        return self.seen[key]

    def _in(self, version, document):
        self.validations += 1
        try:
            kubernetes_validate.validate(document, version, strict=True)
        except kubernetes_validate.ValidationError as error:
            return [f"{label(document)}: Kubernetes {version}: {error.message}"]
        except kubernetes_validate.SchemaNotFoundError:
            return [f"{label(document)}: Kubernetes {version} has no {document['apiVersion']} {document['kind']}"]
        return []

    def faults(self, objects):
        """What is wrong with built-in objects; custom ones are kept for `custom_faults`."""
        found = []
        for document in objects:
            if is_built_in(document):
                found += self.built_in(document)
            else:
                self.custom.append(document)
        return found

    def custom_faults(self):
        """What is wrong with the custom objects so far, and how many were held against a schema."""
        unique = list({json.dumps(document, sort_keys=True): document for document in self.custom}.values())
        checker = shared_checker()
        if checker is None or not unique:
            return [], 0, len(unique)
        return self._run(checker, unique)

    def _run(self, checker, unique):
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            yaml.safe_dump_all(unique, file)
            file.flush()
            schemas = f"{checker.parent.parent / 'schemas'},{OWN_SCHEMAS}"
            run = subprocess.run(
                [sys.executable, checker, schemas, file.name], capture_output=True, text=True, check=False
            )
        lines = run.stdout.splitlines()
        faults = [line.replace(file.name, "") for line in lines if line.startswith(("FAIL", "SKIP"))]
        if run.returncode and not faults:
            faults.append(run.stderr.strip() or "check-crds failed")
        return faults, sum(line.startswith("OK") for line in lines), 0


def shared_checker():
    """The program that knows the schemas of KEDA, Karpenter and Flux, where it exists."""
    folder = Path(os.environ.get("SLUICE_SHARED", DEPLOY.parent.parent / "shared"))
    checker = folder / "tools" / "check-crds"
    return checker if checker.exists() else None
