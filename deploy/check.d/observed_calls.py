"""What each mode of the worker really asks of AWS, counted by the project's own local SQS and S3. Knows no policy."""

import contextlib
import json
import os
import re
import subprocess
import time
import urllib.request

import boto3

from calls import action

# A mode that has more than enough time on a busy machine, and an end if it hangs.
MODE_SECONDS_MAX = 60

QUEUE = "orders"
DEAD_LETTERS = "orders-dlq"

# What no run here asks for: a task is cancelled by a signal while it runs, and here it is done at once.
NOT_OBSERVED = {"redrive": {"sqs:CancelMessageMoveTask"}}


class Local:
    """A running `sluice local`."""

    def __init__(self, endpoint):
        self.endpoint = endpoint
        self.environment = {
            "AWS_ENDPOINT_URL": endpoint,
            "AWS_REGION": "eu-west-1",
            "AWS_ACCESS_KEY_ID": "any",
            "AWS_SECRET_ACCESS_KEY": "any",
            "PATH": os.environ["PATH"],
        }

    def client(self, service):
        return boto3.client(
            service,
            endpoint_url=self.endpoint,
            region_name="eu-west-1",
            aws_access_key_id="any",
            aws_secret_access_key="any",
        )

    def requests(self):
        """How many requests came for each operation."""
        with urllib.request.urlopen(f"{self.endpoint}/_sluice/requests", timeout=5) as answer:
            return json.load(answer)

    def url(self, queue):
        return self.client("sqs").get_queue_url(QueueName=queue)["QueueUrl"]


@contextlib.contextmanager
def local(binary):
    """Starts `sluice local` on a free port, and ends it."""
    arguments = [binary, "local", "--listen", "127.0.0.1:0", "--queue", DEAD_LETTERS, "--queue", QUEUE]
    process = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        yield Local(f"http://{listening(process.stdout)}")
    finally:
        process.terminate()
        process.wait(timeout=10)


def listening(lines):
    """The address that a program says it listens at."""
    said = []
    for line in lines:
        said.append(line)
        address = re.search(r"127\.0\.0\.1:[1-9]\d*", line)
        if address:
            return address.group()
    raise RuntimeError(f"it does not listen: {''.join(said)}")


def run(local_aws, binary, *mode, **settings):
    """Runs a mode of the worker to its end."""
    environment = local_aws.environment | {"HEALTH_PORT": "0", "HEALTH_HOST": "127.0.0.1", **settings}
    done = subprocess.run(
        [binary, *mode], env=environment, capture_output=True, text=True, timeout=MODE_SECONDS_MAX, check=False
    )
    if done.returncode != 0:
        raise RuntimeError(f"{mode} ended with {done.returncode}: {done.stderr[-600:]}")


def worker(aws, binary):
    """By name of the queue, with a message that fails, and with an event that is stored."""
    sqs, url = aws.client("sqs"), aws.url(QUEUE)
    aws.client("s3").create_bucket(
        Bucket="events", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
    )
    event_type = {"event_type": {"DataType": "String", "StringValue": "sale_event"}}
    sqs.send_message(QueueUrl=url, MessageBody='{"store_id": 1}', MessageAttributes=event_type)
    stored = {"SLUICE_WORKER_HANDLER": "s3", "STORE_EVENTS_BKT": "events"}
    before = aws.requests()
    run(aws, binary, "once", SQS_QUEUE_NAME=QUEUE, **stored)
    counted = difference(before, aws.requests())
    # The local S3 does not count requests; what it has, it was given by this run.
    if aws.client("s3").list_objects_v2(Bucket="events").get("KeyCount"):
        counted.add("s3:PutObject")
    # The queue has no message but this one, which fails.
    sqs.send_message(QueueUrl=url, MessageBody="bad")
    before = aws.requests()
    failing = {"SLUICE_WORKER_HANDLER": "command", "SLUICE_WORKER_COMMAND": "false", "SLUICE_WORKER_RETRY_SECONDS_MAX": "0"}
    with contextlib.suppress(RuntimeError):
        run(aws, binary, "once", SQS_QUEUE_URL=url, **failing)
    return counted | difference(before, aws.requests())


def producer(aws, binary):
    before = aws.requests()
    run(aws, binary, "produce", RELIABLE_QUEUE_NAME=QUEUE, TOT_MSGS_TO_PRODUCE="3")
    return difference(before, aws.requests())


def page(aws, binary):
    """Asked for its counts, and to send."""
    before = aws.requests()
    settings = {"SQS_QUEUE_NAME": QUEUE, "SLUICE_WORKER_AUTHENTICATION": "none", "HEALTH_PORT": "0", "HEALTH_HOST": "127.0.0.1"}
    command = [binary, "send"]
    process = subprocess.Popen(command, env=aws.environment | settings, stderr=subprocess.PIPE, text=True)
    try:
        address = listening(process.stderr)
        urllib.request.urlopen(f"http://{address}/get_message_count", timeout=10).close()
        asked = {"content-type": "application/json"}
        sending = urllib.request.Request(f"http://{address}/send_messages_async", b'{"number": 3}', asked)
        urllib.request.urlopen(sending, timeout=10).close()
        wait_for(lambda: "SendMessageBatch" in aws.requests())
    finally:
        process.terminate()
        process.wait(timeout=MODE_SECONDS_MAX)
    return difference(before, aws.requests())


def wait_for(condition):
    """Looks until it is so, or the time of a mode is over."""
    end = time.monotonic() + MODE_SECONDS_MAX
    while not condition() and time.monotonic() < end:
        time.sleep(0.1)


def redrive(aws, binary):
    sqs, url = aws.client("sqs"), aws.url(DEAD_LETTERS)
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 1})
    sqs.set_queue_attributes(QueueUrl=aws.url(QUEUE), Attributes={"RedrivePolicy": policy})
    sqs.send_message(QueueUrl=url, MessageBody="dead")
    before = aws.requests()
    run(aws, binary, "redrive", SQS_QUEUE_URL=url)
    return difference(before, aws.requests())


def difference(before, after):
    """The actions of the operations that were asked for in between."""
    operations = {name for name, count in after.items() if count > before.get(name, 0)}
    return {action("sqs", name) for name in operations}


def observe(binaries):
    """The actions of each role that a mode of the worker is, by the key of the role."""
    observed = {}
    for mode in (worker, producer, page, redrive):
        with local(binaries / "sluice") as aws:
            observed[mode.__name__] = mode(aws, binaries / "sluice-worker")
    return observed
