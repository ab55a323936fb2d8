"""What a case sees: one foreign SQS, one scaler, and an independent client of each."""

import itertools
import time
from contextlib import contextmanager

import boto3
import grpc
from botocore.config import Config

from scaler_contract import messages, services
from scaler_processes import Scaler

RPC_SECONDS_MAX = 15
STREAM_SECONDS_MAX = 60
EVENTUALLY_SECONDS_MAX = 20  # counts are approximate: they are polled, as KEDA does
BATCH_MAX = 10  # of SQS
REGION = "eu-west-1"

# Every call asks the queue, and a slow machine is no outage.
EAGER = ("--cache-ttl-seconds=0", "--push-interval-seconds=0.2",
         "--rpc-deadline-seconds=10", "--fetch-deadline-seconds=10")  # fmt: skip

CASES = []
queue_numbers = itertools.count(1)


def case(function):
    """Marks a function as a case; its name is the sentence that is printed."""
    CASES.append(function)
    return function


class World:
    """A running emulator and a running scaler."""

    def __init__(self, emulator, scaler, tools):
        self.emulator, self.scaler, self.tools = emulator, scaler, tools
        self.sqs = self.sqs_of()
        self.channel = grpc.insecure_channel(scaler.grpc_address)
        self.rpc = services().ExternalScalerStub(self.channel)

    def sqs_of(self, region=REGION, access_key_id="test"):
        retries = Config(retries={"max_attempts": 3}, read_timeout=RPC_SECONDS_MAX)
        return boto3.client(
            "sqs", endpoint_url=self.emulator.endpoint, region_name=region, config=retries,
            aws_access_key_id=access_key_id, aws_secret_access_key="secret",
        )  # fmt: skip

    def queue(self, sqs=None, suffix="", **attributes):
        """Creates a queue that no other case uses: its URL."""
        name = f"orders-{next(queue_numbers)}{suffix}"
        return (sqs or self.sqs).create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]

    def send(self, queue_url, count, **options):
        for first in range(0, count, BATCH_MAX):
            numbers = range(first, min(first + BATCH_MAX, count))
            entries = [{"Id": str(n), "MessageBody": f"order {n}", **options} for n in numbers]
            answer = self.sqs.send_message_batch(QueueUrl=queue_url, Entries=entries)
            assert not answer.get("Failed"), answer

    def receive(self, queue_url, count):
        """Takes messages into flight and leaves them there."""
        received = []
        deadline = time.monotonic() + EVENTUALLY_SECONDS_MAX
        while len(received) < count:
            assert time.monotonic() < deadline, f"received {len(received)} of {count} messages"
            answer = self.sqs.receive_message(
                QueueUrl=queue_url, VisibilityTimeout=600, AttributeNames=["All"],
                MaxNumberOfMessages=min(BATCH_MAX, count - len(received)),
            )  # fmt: skip
            received += answer.get("Messages", [])
        return received

    def metadata(self, queue_url, **changes):
        """The metadata of a trigger; a change to None leaves a key out."""
        metadata = {"queueURL": queue_url, "awsRegion": REGION, "awsEndpoint": self.emulator.endpoint}
        return {key: value for key, value in (metadata | changes).items() if value is not None}

    def spec(self, metadata):
        answer = self.rpc.GetMetricSpec(reference(metadata), timeout=RPC_SECONDS_MAX)
        (spec,) = answer.metricSpecs
        return spec

    def value(self, metadata):
        """The value of the trigger's metric, asked for as KEDA does."""
        name = self.spec(metadata).metricName
        request = messages().GetMetricsRequest(
            scaledObjectRef=reference(metadata), metricName=name
        )
        (value,) = self.rpc.GetMetrics(request, timeout=RPC_SECONDS_MAX).metricValues
        assert value.metricName == name, value
        assert value.metricValue == value.metricValueFloat, f"not one number: {value}"
        return value.metricValue

    def is_active(self, metadata):
        return self.rpc.IsActive(reference(metadata), timeout=RPC_SECONDS_MAX).result

    def activity(self, metadata):
        return self.rpc.StreamIsActive(reference(metadata), timeout=STREAM_SECONDS_MAX)

    def specs(self, metadata):
        return self.rpc.StreamMetricSpec(reference(metadata), timeout=STREAM_SECONDS_MAX)

    @contextmanager
    def beside(self, *options):
        """A world of its own, for a case that stops or breaks something."""
        tools = self.tools
        with type(self.emulator)(tools.bin_folder) as emulator:
            with Scaler(tools.sluice, *options) as scaler, World(emulator, scaler, tools) as world:
                yield world

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.channel.close()


def reference(metadata):
    """The object that KEDA asks for."""
    return messages().ScaledObjectRef(name="orders", namespace="shop", scalerMetadata=metadata)


def name_of(queue_url):
    return queue_url.rsplit("/", 1)[1]


def assert_eventually(ask, expected):
    """Asks until the answer is the expected one. No answer at all fails at once."""
    deadline = time.monotonic() + EVENTUALLY_SECONDS_MAX
    while (seen := ask()) != expected:
        assert time.monotonic() < deadline, f"expected {expected!r}, still found {seen!r}"
        time.sleep(0.1)


def assert_refused(ask, code, *texts):
    """Asks once; the answer must be this error, and its text must hold these."""
    try:
        answer = ask()
    except grpc.RpcError as error:
        assert error.code() == code, f"expected {code}, found {error.code()}: {error.details()}"
        for text in texts:
            assert text in error.details(), f"expected {text!r} in {error.details()!r}"
    else:
        raise AssertionError(f"expected {code}, found an answer: {answer!r}")
