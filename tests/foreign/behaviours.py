"""Runs the rows of behaviours.json through boto3 against one endpoint or several, and prints a table.

  python behaviours.py local=http://127.0.0.1:9324 ministack=http://127.0.0.1:4566 moto=http://127.0.0.1:5101

A row of `local` passes when it holds. A difference of another server passes when differences.json explains
it; where another server agrees there is nothing to count, nor where it was not run. The exit code is 1 when
anything failed. tests/local/behaviours.rs runs the same rows through the Rust SDK.
"""

import json
import pathlib
import re
import sys
import time
import urllib.request
import uuid

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

HERE = pathlib.Path(__file__).parent
COUNTS = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible", "ApproximateNumberOfMessagesDelayed"]
# Counts are approximate on AWS and late on some servers, so they may take this long to be right.
SETTLE_SECONDS = 3
NOT_RUN = "not run: no clock that can be moved"
# The codes of the older query protocol, by the names that current SDKs use.
CURRENT_NAMES = {"NonExistentQueue": "QueueDoesNotExist", "QueueAlreadyExists": "QueueNameExists"}


class Differs(Exception):
    """What a step found is not what the row expects."""


class Row:
    """One row against one server, with queues of its own."""

    def __init__(self, server, row):
        self.server, self.row, self.held = server, row, []
        suffix = ".fifo" if row.get("attributes", {}).get("FifoQueue") else ""
        self.names = {q: f"{q}-{uuid.uuid4().hex[:12]}{suffix}" for q in ("main", "dead", "other")}
        self.urls = {}

    def run(self):
        sqs, attributes = self.server.sqs, dict(self.row.get("attributes", {}))
        kind = {k: v for k, v in attributes.items() if k == "FifoQueue"}
        for which in ("dead", "other"):
            self.urls[which] = sqs.create_queue(QueueName=self.names[which], Attributes=kind)["QueueUrl"]
        if "max_receives" in self.row:
            policy = {"deadLetterTargetArn": self.arn("dead"), "maxReceiveCount": self.row["max_receives"]}
            attributes["RedrivePolicy"] = json.dumps(policy)
        self.urls["main"] = sqs.create_queue(QueueName=self.names["main"], Attributes=attributes)["QueueUrl"]
        for number, step in enumerate(self.row["steps"]):
            self.check(number, step)

    def arn(self, which):
        answer = self.server.sqs.get_queue_attributes(QueueUrl=self.urls[which], AttributeNames=["QueueArn"])
        return answer["Attributes"]["QueueArn"]

    def check(self, number, step):
        started = time.monotonic()
        try:
            getattr(self, step["do"])(step)
            found = None
        except ClientError as error:
            code = re.split(r"[.#]", error.response["Error"]["Code"])[-1]
            found = CURRENT_NAMES.get(code, code)
        except Differs as difference:
            raise Differs(f"step {number} {step['do']}: {difference}") from None
        if found != step.get("error"):
            raise Differs(f"step {number} {step['do']}: wanted {step.get('error') or 'success'}, found {found or 'success'}")
        low, high = step.get("lasts", (0, 60))
        lasted = time.monotonic() - started
        if not low <= lasted <= high:
            raise Differs(f"step {number} {step['do']}: lasted {lasted:.1f} s, wanted {low} to {high}")

    def url(self, step):
        return self.server.sqs.get_queue_url(QueueName=step["name"])

    def queue(self, step):
        return self.urls[step.get("of", step.get("to", "main"))]

    def message(self, entry):
        fields = {"MessageBody": entry.get("body") if "body" in entry else "x" * entry["body_bytes"]}
        for name, key in [("DelaySeconds", "delay"), ("MessageGroupId", "group"), ("MessageDeduplicationId", "dedup")]:
            if key in entry:
                fields[name] = entry[key]
        attributes = entry.get("message_attributes", {})
        fields["MessageAttributes"] = {k: {"DataType": "String", "StringValue": v} for k, v in attributes.items()}
        return fields

    def send(self, step):
        self.server.sqs.send_message(QueueUrl=self.queue(step), **self.message(step))

    def send_batch(self, step):
        entries = [{"Id": entry["id"], **self.message(entry)} for entry in step["entries"]]
        answer = self.server.sqs.send_message_batch(QueueUrl=self.urls["main"], Entries=entries)
        self.same("failed", step.get("failed", []), [entry["Id"] for entry in answer.get("Failed", [])])

    def receive(self, step):
        keys = [("MaxNumberOfMessages", "max"), ("VisibilityTimeout", "visibility"), ("WaitTimeSeconds", "wait")]
        options = {name: step[key] for name, key in keys if key in step}
        answer = self.server.sqs.receive_message(
            QueueUrl=self.queue(step), MessageSystemAttributeNames=["All"], MessageAttributeNames=["All"], **options)
        messages = answer.get("Messages", [])
        self.held.extend(messages)
        if "bodies" in step:
            self.same("bodies", step["bodies"], [message["Body"] for message in messages])
        if "count" in step:
            self.same("messages", step["count"], len(messages))
        if "receives" in step:
            found = [message["Attributes"]["ApproximateReceiveCount"] for message in messages]
            self.same("receive counts", step["receives"], found)
        for name, value in step.get("message_attributes", {}).items():
            self.same(name, value, messages[0].get("MessageAttributes", {}).get(name, {}).get("StringValue"))

    def handle(self, step):
        return step["handle"] if "handle" in step else self.held[step["message"]]["ReceiptHandle"]

    def delete(self, step):
        self.server.sqs.delete_message(QueueUrl=self.urls["main"], ReceiptHandle=self.handle(step))

    def entries(self, step):
        entries = [{"Id": f"m{i}", "ReceiptHandle": self.held[i]["ReceiptHandle"]} for i in step["messages"]]
        return entries + [{"Id": f"h{i}", "ReceiptHandle": handle} for i, handle in enumerate(step["handles"])]

    def delete_batch(self, step):
        answer = self.server.sqs.delete_message_batch(QueueUrl=self.urls["main"], Entries=self.entries(step))
        self.same("failed", step["failed"], [entry["Id"] for entry in answer.get("Failed", [])])

    def visibility_batch(self, step):
        entries = [{**entry, "VisibilityTimeout": 0} for entry in self.entries(step)]
        answer = self.server.sqs.change_message_visibility_batch(QueueUrl=self.urls["main"], Entries=entries)
        self.same("failed", step["failed"], [entry["Id"] for entry in answer.get("Failed", [])])

    def visibility(self, step):
        self.server.sqs.change_message_visibility(
            QueueUrl=self.urls["main"], ReceiptHandle=self.handle(step), VisibilityTimeout=step["timeout"])

    def counts(self, step):
        deadline = time.monotonic() + SETTLE_SECONDS
        while True:
            answer = self.server.sqs.get_queue_attributes(QueueUrl=self.queue(step), AttributeNames=COUNTS)
            found = [int(answer["Attributes"][name]) for name in COUNTS]
            if found == step["are"]:
                return
            if time.monotonic() > deadline:
                raise Differs(f"counts are {found}, wanted {step['are']}")
            time.sleep(0.1)

    def attributes(self, step):
        answer = self.server.sqs.get_queue_attributes(QueueUrl=self.urls["main"], AttributeNames=step["names"])
        found = answer.get("Attributes", {})
        for name, value in step.get("are", {}).items():
            is_same = re.fullmatch(value[1:], found.get(name, "")) if value.startswith("~") else found.get(name) == value
            if not is_same:
                raise Differs(f"{name} is {found.get(name)}, wanted {value}")
        if step.get("only"):
            self.same("names", sorted(step["are"]), sorted(found))

    def set(self, step):
        self.server.sqs.set_queue_attributes(QueueUrl=self.urls["main"], Attributes=step["attributes"])

    def create(self, step):
        name = step.get("name", self.names["main"])
        self.server.sqs.create_queue(QueueName=name, Attributes=step.get("attributes", {}))

    def delete_queue(self, _):
        self.server.sqs.delete_queue(QueueUrl=self.urls["main"])

    def list(self, step):
        answer = self.server.sqs.list_queues(QueueNamePrefix=self.names["main"])
        self.same("queues", step["count"], len(answer.get("QueueUrls", [])))

    def purge(self, _):
        self.server.sqs.purge_queue(QueueUrl=self.urls["main"])

    def tag(self, step):
        self.server.sqs.tag_queue(QueueUrl=self.urls["main"], Tags=step["tags"])

    def untag(self, step):
        self.server.sqs.untag_queue(QueueUrl=self.urls["main"], TagKeys=step["keys"])

    def tags(self, step):
        self.same("tags", step["are"], self.server.sqs.list_queue_tags(QueueUrl=self.urls["main"]).get("Tags", {}))

    def sources(self, step):
        answer = self.server.sqs.list_dead_letter_source_queues(QueueUrl=self.urls["dead"])
        self.same("sources", step["count"], len(answer["queueUrls"]))

    def move(self, _):
        self.server.sqs.start_message_move_task(SourceArn=self.arn("dead"))

    def dimensions(self):
        return [{"Name": "QueueName", "Value": self.names["main"]}]

    def put_metric(self, step):
        datum = {"MetricName": step["name"], "Dimensions": self.dimensions(), "Value": step["value"]}
        self.server.cloudwatch.put_metric_data(Namespace=step.get("namespace", "Own"), MetricData=[datum])

    def metric(self, step):
        now = self.server.now()
        metric = {"Namespace": step["namespace"], "MetricName": step["name"], "Dimensions": self.dimensions()}
        query = {"Id": "m", "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Maximum"}}
        hours = step.get("hours", 1)
        answer = self.server.cloudwatch.get_metric_data(
            MetricDataQueries=[query], StartTime=now - hours * 3600, EndTime=now + hours * 3600)
        values = answer["MetricDataResults"][0]["Values"]
        if "values" in step:
            self.same("values", step["values"], values)
        if "over" in step and not max(values, default=0) > step["over"]:
            raise Differs(f"values are {values}, wanted one over {step['over']}")

    def wait(self, step):
        if self.row.get("needs_clock"):
            self.server.advance(int(step["seconds"]))
        else:
            time.sleep(step["seconds"])

    @staticmethod
    def same(what, wanted, found):
        if wanted != found:
            raise Differs(f"{what}: wanted {wanted}, found {found}")


class Server:
    """An endpoint under a name; only `local` has a clock that can be moved."""

    def __init__(self, name, endpoint):
        self.name, self.endpoint = name, endpoint
        options = {"endpoint_url": endpoint, "region_name": "us-east-1", "aws_access_key_id": "test",
                   "aws_secret_access_key": "test",
                   "config": Config(retries={"max_attempts": 0}, parameter_validation=False)}
        self.sqs = boto3.client("sqs", **options)
        self.cloudwatch = boto3.client("cloudwatch", **options)
        self.moved = 0

    def now(self):
        return int(time.time()) + self.moved

    def advance(self, seconds):
        body = json.dumps({"advance_seconds": seconds}).encode()
        request = urllib.request.Request(
            f"{self.endpoint}/_sluice/clock", body, {"content-type": "application/json"})
        urllib.request.urlopen(request, timeout=10).close()
        self.moved += seconds

    def outcome(self, row):
        """None when the row holds, otherwise what differs."""
        if row.get("needs_clock") and self.name != "local":
            return NOT_RUN
        try:
            Row(self, row).run()
        except (Differs, ClientError) as difference:
            return str(difference)
        except Exception as error:  # A server may answer with anything; that is a difference too.
            return f"{type(error).__name__}: {error}"
        return None


def main(arguments):
    servers = [Server(*argument.split("=", 1)) for argument in arguments]
    if not servers:
        sys.exit(__doc__)
    rows = json.loads((HERE / "behaviours.json").read_text())
    reasons = json.loads((HERE / "differences.json").read_text())
    if strays := reasons.keys() - {row["row"] for row in rows}:
        sys.exit(f"differences.json explains rows that are not there: {sorted(strays)}")
    verdicts, held = [], {server.name: 0 for server in servers}
    for row in rows:
        outcomes = {server.name: server.outcome(row) for server in servers}
        marks = " ".join(f"{name} {'-' if outcome else 'ok':3}" for name, outcome in outcomes.items())
        print(f"{marks} {row['row']}", flush=True)
        reason = reasons.get(row["row"])
        for name, outcome in outcomes.items():
            held[name] += outcome is None
            if name == "local":
                verdicts.append(outcome is None)
            elif outcome not in (None, NOT_RUN):
                verdicts.append(reason is not None)
            if outcome is not None:
                print(f"      {name}: {outcome}")
        if any(outcomes.values()):
            print(f"      AWS: {reason or 'no explanation'}")
    print(f"{len(rows)} rows; " + ", ".join(f"{name} {count} as expected" for name, count in held.items()))
    print(f"{verdicts.count(True)} passed, {verdicts.count(False)} failed")
    sys.exit(0 if all(verdicts) else 1)


if __name__ == "__main__":
    main(sys.argv[1:])
