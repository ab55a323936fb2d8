"""Holds all of deploy/ against the rules of meaning, and sees each rule find the mistake that it is there for."""

from lint_files import Files
from lint_rules import RULES
from planted_mistakes import MISTAKES
from report import Report


def main():
    report, files = Report(), Files.of_deploy()
    for rule in RULES:
        report.result("Rules of meaning", rule.__doc__, rule(files))
    for rule in RULES:
        mistakes = MISTAKES.get(rule.__name__, [])
        report.result("Rules with a planted mistake", rule.__name__, [] if mistakes else ["nobody plants one"])
        for path, old, new in mistakes:
            report.result("Planted mistakes found", f"{rule.__name__} in {path}", missed(rule, files, path, old, new))
    report.finish()


def missed(rule, files, path, old, new):
    """What keeps a planted mistake from being one that is found."""
    if old is None:
        text = new
    elif old in files.text.get(path, ""):
        text = files.text[path].replace(old, new, 1)
    else:
        return [f"there is no {old!r} to make the mistake of"]
    planted = Files(files.text | {path: text}, files.names)
    found = list(rule(planted))
    return [] if len(found) > len(list(rule(files))) else [f"{new!r} is not found"]


if __name__ == "__main__":
    main()
