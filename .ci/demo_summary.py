"""Reads the summary of a demonstration and fails unless it shows scaling from zero and back."""

import json
import sys

summary = json.load(sys.stdin)
print(json.dumps(summary, indent=2))
checks = {
    "messages were sent": summary["messages_sent"] > 0,
    "every message was done": summary["messages_done"] == summary["messages_sent"],
    "several workers ran at once": summary["replicas_max"] > 1,
    "it took the workers time": summary["replica_seconds"] > 0,
    "the queue was drained": summary["drained_seconds"] is not None,
    "no worker was left": summary["scaled_to_zero_seconds"] is not None,
}
for sentence, holds in checks.items():
    print(f"{'ok' if holds else 'FAILED':<6} {sentence}")
sys.exit(0 if all(checks.values()) else 1)
