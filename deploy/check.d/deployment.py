"""Where the parts of deploy/ are, and the names and numbers that they share."""

import json
import re
from pathlib import Path

import yaml

DEPLOY = Path(__file__).resolve().parent.parent
REPOSITORY = DEPLOY.parent


def names():
    """The lines of names.env, by name."""
    lines = (DEPLOY / "names.env").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if re.match(r"[A-Z0-9_]+=", line))


class CloudFormationLoader(yaml.SafeLoader):
    """Reads the short forms of CloudFormation's functions as the long ones."""


def _function(loader, suffix, node):
    name = suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}"
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
        return {name: value.split(".", 1) if suffix == "GetAtt" else value}
    if isinstance(node, yaml.SequenceNode):
        return {name: loader.construct_sequence(node, deep=True)}
    return {name: loader.construct_mapping(node, deep=True)}


CloudFormationLoader.add_multi_constructor("!", _function)


def template(name):
    """A CloudFormation template, by its name without .yaml."""
    text = (DEPLOY / "cloudformation" / f"{name}.yaml").read_text()
    return yaml.load(text, CloudFormationLoader)  # noqa: S506 -- a SafeLoader with the functions added


def json_text(value):
    """JSON as it is kept in files: stable, so that a rendered file can be compared."""
    return json.dumps(value, indent=2) + "\n"
