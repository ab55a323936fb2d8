"""Lints YAML that no other part lints, with the rules of ../rules."""

from yamllint import linter
from yamllint.config import YamlLintConfig

from deployment import DEPLOY
from report import Report

FOLDERS = ("cloudformation", "eksctl", "iam", "check.d")


def main():
    report, config = Report(), YamlLintConfig(file=str(DEPLOY / "rules" / "yamllint.yaml"))
    for folder in FOLDERS:
        for path in sorted((DEPLOY / folder).rglob("*.yaml")):
            problems = [f"line {found.line}: {found.desc}" for found in linter.run(path.read_text(), config)]
            report.result("YAML files linted", str(path.relative_to(DEPLOY)), problems)
    report.finish()


if __name__ == "__main__":
    main()
