"""A foreign SQS that goes away, freezes and comes back: knowledge first, then an error, never zero."""

import signal
import time

import grpc

from scaler_world import EVENTUALLY_SECONDS_MAX, assert_eventually, assert_refused, case, name_of

SHORT_MEMORY = ("--cache-ttl-seconds=0.2", "--staleness-bound-seconds=3",
                "--failure-memory-seconds=0.2")  # fmt: skip

# The deadline of an RPC is 1 s; the rest is for a machine that does other things as well.
IN_TIME_SECONDS = 2.5


def known_until_error(ask, expected):
    """Polls as KEDA does until the answer is an error: how often the old answer came, and the error."""
    deadline, known = time.monotonic() + EVENTUALLY_SECONDS_MAX, 0
    while time.monotonic() < deadline:
        started = time.monotonic()
        try:
            answer = ask()
        except grpc.RpcError as error:
            return known, error
        assert answer == expected, f"expected {expected!r} or an error, found {answer!r}"
        assert time.monotonic() - started < IN_TIME_SECONDS, "the answer came too late"
        known += 1
        time.sleep(0.1)
    raise AssertionError(f"no error after {EVENTUALLY_SECONDS_MAX} s without SQS")


def assert_known_then_unavailable(world, metadata, value, cause):
    known, error = known_until_error(lambda: world.value(metadata), value)
    assert known > 0, f"the last good answer was never given, but {error.details()!r}"
    assert error.code() == grpc.StatusCode.UNAVAILABLE, error
    assert metadata["queueURL"] in error.details() and cause in error.details(), error.details()
    # Not even for a moment longer: the activity of a poll is that of its value.
    assert_refused(lambda: world.is_active(metadata), grpc.StatusCode.UNAVAILABLE, metadata["queueURL"], cause)
    assert world.spec(metadata).targetSize == 5, "the spec needs no SQS"


@case
def an_sqs_that_is_gone_is_answered_from_memory_and_then_unavailable(world):
    with world.beside(*SHORT_MEMORY) as own:
        queue_url = own.queue()
        metadata = own.metadata(queue_url)
        own.send(queue_url, 4)
        assert_eventually(lambda: own.value(metadata), 4)
        own.emulator.kill()
        assert_known_then_unavailable(own, metadata, 4, "cannot be reached")


@case
def an_sqs_that_freezes_is_answered_in_time_and_found_again(world):
    with world.beside(*SHORT_MEMORY) as own:
        queue_url = own.queue()
        metadata = own.metadata(queue_url)
        own.send(queue_url, 4)
        assert_eventually(lambda: own.value(metadata), 4)
        own.emulator.send(signal.SIGSTOP)
        try:
            assert_known_then_unavailable(own, metadata, 4, "has not answered")
            started = time.monotonic()
            frozen = lambda: own.value(metadata)  # noqa: E731
            assert_refused(frozen, grpc.StatusCode.UNAVAILABLE)
            assert time.monotonic() - started < IN_TIME_SECONDS, "the error came too late"
        finally:
            own.emulator.send(signal.SIGCONT)
        assert_eventually(lambda: value_or_error(own, metadata), 4)


@case
def an_sqs_that_comes_back_is_read_again(world):
    with world.beside(*SHORT_MEMORY) as own:
        queue_url = own.queue()
        metadata = own.metadata(queue_url)
        assert own.value(metadata) == 0
        own.emulator.kill()
        known_until_error(lambda: own.value(metadata), 0)
        own.emulator.start()
        own.sqs.create_queue(QueueName=name_of(queue_url))
        own.send(queue_url, 6)
        assert_eventually(lambda: value_or_error(own, metadata), 6)


def value_or_error(world, metadata):
    try:
        return world.value(metadata)
    except grpc.RpcError as error:
        return error.code()
