"""Counts what was checked, by kind, and says what is wrong. Knows nothing of what is checked."""

import sys


class Report:
    """A result is a list of problems: none is a pass. Problems are printed at once, counts at the end."""

    def __init__(self):
        self._kinds = {}

    def result(self, kind, what, problems):
        """Takes what one check of a kind found about something."""
        problems = list(problems)
        counts = self._kinds.setdefault(kind, [0, 0])
        counts[1 if problems else 0] += 1
        for problem in problems:
            print(f"FAIL {kind}: {what}: {problem}", flush=True)

    def finish(self):
        """Prints the counts and ends the program."""
        for kind, (passed, failed) in self._kinds.items():
            print(f"{kind}: {passed} passed, {failed} failed")
        passed = sum(counts[0] for counts in self._kinds.values())
        failed = sum(counts[1] for counts in self._kinds.values())
        print(f"{passed} passed, {failed} failed", flush=True)
        sys.exit(failed > 0 or passed == 0)
