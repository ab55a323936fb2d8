"""Copies what .dockerignore lets through of the files that git knows: context.py FOLDER.

Of the pattern language only what our file uses: names, folders, `*` for everything and `!`.
"""

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


def patterns():
    lines = (line.strip() for line in (ROOT / ".dockerignore").read_text().splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def is_sent(path, rules):
    """The last rule that a path meets decides."""
    sent = True
    for rule in rules:
        name = rule.removeprefix("!")
        if name == "*" or path == name or path.startswith(f"{name}/"):
            sent = rule.startswith("!")
    return sent


def main(folder):
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
    rules = patterns()
    for path in tracked.stdout.splitlines():
        if is_sent(path, rules) and (ROOT / path).exists():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / path, folder / path)


main(Path(sys.argv[1]))
