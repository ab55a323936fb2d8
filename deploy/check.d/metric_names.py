"""Names of metrics: which are exported, and which an expression of Prometheus asks for."""

import re
from dataclasses import dataclass

import yaml

WORDS = set("by on without ignoring group_left group_right and or unless offset bool inf nan start end atan2".split())


# Prometheus makes them of alerts.
OF_ALERTS = {"ALERTS", "ALERTS_FOR_STATE"}


def known_metrics(files):
    """What is exported: by our programs, whose tests hold the lists against them, and by others."""
    lists = [text for path, text in files.text.items() if path.startswith("observability/metrics/")]
    lines = [line for text in lists for line in text.splitlines() if line and not line.startswith("#")]
    # Behind some of them their labels are listed.
    names = {line.partition("{")[0] for line in lines}
    return OF_ALERTS | names | {f"{name}{part}" for name in names for part in ("_bucket", "_count", "_sum")}


@dataclass(frozen=True)
class Expression:
    """An expression of PromQL."""

    text: str

    def metrics(self):
        """The names of metrics in it."""
        text = re.sub(r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'', " ", self.text)
        text = re.sub(r"#.*", " ", text)
        # Dashboards' own variables.
        text = re.sub(r"\$\{?\w+(?::\w+)?\}?", " 1 ", text)
        text = re.sub(r"\{[^}]*\}|\[[^\]]*\]", " ", text)
        text = re.sub(r"\b(?:by|on|without|ignoring|group_left|group_right)\s*\([^)]*\)", " ", text, flags=re.IGNORECASE)
        names = re.findall(r"(?<![\w.])([a-zA-Z_:][\w:]*)(?!\s*\()(?![\w:])", text)
        return {name for name in names if name.lower() not in WORDS}


def groups(files):
    """Path and group of each group of rules, in files of Prometheus and in PrometheusRules."""
    for path, text in files.with_suffix(".yaml", ".yml").items():
        if "/templates/" in path or "{{" in text and "kind: PrometheusRule" not in text and "groups:" not in text:
            continue
        if "groups:" not in text:
            continue
        try:
            documents = list(yaml.safe_load_all(text))
        except yaml.YAMLError:
            continue
        for document in documents:
            if isinstance(document, dict):
                found = document.get("groups") or (document.get("spec") or {}).get("groups") or []
                yield from ((path, group) for group in found if isinstance(group, dict) and "rules" in group)


def recorded(files):
    """What recording rules record."""
    return {rule["record"] for _, group in groups(files) for rule in group["rules"] if "record" in rule}


def asked_for(files):
    """Path and expression of each rule, and of each target of a panel."""
    for path, group in groups(files):
        yield from ((path, Expression(rule["expr"])) for rule in group["rules"])
    for path, dashboard in files.dashboards():
        yield from ((path, Expression(text)) for text in expressions(dashboard))


def expressions(content):
    """Every `expr` below a part of a dashboard."""
    if isinstance(content, dict):
        if isinstance(content.get("expr"), str):
            yield content["expr"]
        for value in content.values():
            yield from expressions(value)
    elif isinstance(content, list):
        for value in content:
            yield from expressions(value)
