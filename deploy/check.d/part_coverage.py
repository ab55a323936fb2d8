"""Sees that COVERAGE.md has each part of each system, that each file it names is there, and each check is one that runs.
Sees that README.md answers what people meet."""

import re

from deployment import DEPLOY, REPOSITORY
from report import Report

# How many parts each system has.
PARTS = {0: 23, 1: 26, 2: 16, 3: 15, 4: 18}

# What the pages of these systems warn of, in the words of the error.
ERRORS = ("GetQueueAttributes", "AssumeRole", "awsAccessKeyID not found")


def rows():
    """Cells of each row, by the number of its part."""
    lines = (DEPLOY / "COVERAGE.md").read_text().splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if re.match(r"\| \d\.\d\d ", line)]
    return {row[0]: row[1:] for row in cells}


def named(cell):
    """The files that a cell names: what is between backticks and has a folder or an ending."""
    for text in re.findall(r"`([^`]+)`", cell):
        path = text.split()[0]
        if " " not in path and re.fullmatch(r"[\w.*/-]+", path) and ("/" in path or re.search(r"\.\w+$", path)):
            yield path.rstrip("/")


def exists(path):
    """Below deploy/ or from the top."""
    return any(any(place.glob(path)) for place in (DEPLOY, REPOSITORY))


def problems_of(row):
    if len(row) != 3:
        return [f"has {len(row) + 1} cells, wanted 4"]
    problems = [f"there is no {path}" for cell in row[1:] for path in named(cell) if not exists(path)]
    if not row[2]:
        problems.append("is seen by nothing")
    return problems


def main():
    report, found = Report(), rows()
    for system, count in PARTS.items():
        for number in range(1, count + 1):
            part = f"{system}.{number:02}"
            problems = problems_of(found[part]) if part in found else ["is not listed"]
            report.result("Parts of five systems listed", part, problems)
    unknown = found.keys() - {f"{s}.{n:02}" for s, count in PARTS.items() for n in range(1, count + 1)}
    report.result("Parts of five systems listed", "others", sorted(unknown))
    page = (DEPLOY / "README.md").read_text()
    for error in ERRORS:
        report.result("Errors explained in README.md", error, [] if error in page else ["is not there"])
    for path in sorted(set(re.findall(r"\]\((?!http)([^)#]+)", page))):
        report.result("Links of README.md", path, [] if (DEPLOY / path).exists() else ["leads nowhere"])
    report.finish()


if __name__ == "__main__":
    main()
