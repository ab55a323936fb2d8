"""What the rules of lint_rules look at: the text of every file of deploy/, and the objects in those that are YAML."""

import json
import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import yaml

from deployment import CloudFormationLoader, DEPLOY, names

# Written by tools or full of what is replaced later, so no text of ours.
NOT_TEXT = {".png", ".svg", ".tgz"}


@dataclass
class Files:
    """Text by path below deploy/, and the names that all parts share."""

    text: dict
    names: dict = field(default_factory=names)

    @staticmethod
    def of_deploy():
        paths = [p for p in sorted(DEPLOY.rglob("*")) if p.is_file() and p.suffix not in NOT_TEXT]
        found = {}
        for path in paths:
            relative = str(path.relative_to(DEPLOY))
            # Checks have mistakes in them on purpose.
            if "__pycache__" in relative or relative.startswith(("check.d/", "schemas/", "rules/")):
                continue
            found[relative] = path.read_text()
        return Files(found)

    def objects(self, kind=None):
        """Path and object of each document that has a kind, templates aside."""
        for path, text in self.text.items():
            if not path.endswith((".yaml", ".yml")) or is_template(path):
                continue
            for document in documents(text):
                if isinstance(document, dict) and "kind" in document and kind in (None, document["kind"]):
                    yield path, document

    def containers(self):
        """Path, object, pod and container of each container that runs one of our programs."""
        for path, document in self.objects():
            for pod in pods(document):
                for container in pod.get("containers", []):
                    if re.search(r"(^|/)sluice(-worker)?[:@]", container.get("image", "")):
                        yield path, document, pod, container

    def with_suffix(self, *suffixes):
        return {path: text for path, text in self.text.items() if path.endswith(suffixes)}

    def dashboards(self):
        """Path and content of each JSON file that is a dashboard."""
        for path, text in self.with_suffix(".json").items():
            content = json.loads(text)
            if isinstance(content, dict) and "panels" in content:
                yield path, content


@cache
def documents(text):
    """The documents of a YAML file; rules look at them often and change nothing."""
    return list(yaml.load_all(text, CloudFormationLoader))


def is_template(path):
    """Whether a file becomes YAML only when somebody has filled it in."""
    return "/templates/" in path or Path(path).parts[0] == "terraform"


def pods(document):
    """The pod specs in an object, wherever they are."""
    if isinstance(document, dict):
        if isinstance(document.get("containers"), list):
            yield document
        for value in document.values():
            yield from pods(value)
    elif isinstance(document, list):
        for value in document:
            yield from pods(value)


def environment(container, files):
    """The variables of a container, those of ConfigMaps by their name included."""
    found = {}
    for source in container.get("envFrom", []):
        wanted = source.get("configMapRef", {}).get("name")
        for _, config in files.objects("ConfigMap"):
            if config["metadata"]["name"] == wanted:
                found.update(config.get("data", {}))
    found.update({v["name"]: v.get("value") for v in container.get("env", [])})
    return found
