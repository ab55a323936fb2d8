"""buf curl, a second independent client: it knows the contract by reflection (v1) alone."""

import json
import subprocess

from scaler_processes import Process
from scaler_protocol import SERVICE
from scaler_world import assert_eventually, case, name_of

RPCS = ["GetMetricSpec", "GetMetrics", "IsActive", "StreamIsActive", "StreamMetricSpec"]
INVALID_ARGUMENT = 3
RUN_SECONDS_MAX = 60


def buf_curl(world, *arguments):
    return [str(world.tools.buf), "curl", "--protocol", "grpc", "--http2-prior-knowledge",
            "--emit-defaults", *arguments]  # fmt: skip


def run(world, *arguments):
    # buf looks for its settings and keeps its cache below the home folder.
    home = world.scaler.folder.name
    return subprocess.run(
        buf_curl(world, *arguments), capture_output=True, text=True, stdin=subprocess.DEVNULL,
        timeout=RUN_SECONDS_MAX, env=world.scaler.environment | {"HOME": home}, cwd=home,
    )  # fmt: skip


def url(world, rpc):
    return f"http://{world.scaler.grpc_address}/{SERVICE}/{rpc}"


def reference(metadata):
    return {"name": "orders", "namespace": "shop", "scalerMetadata": metadata}


def call(world, rpc, request):
    """The one answer of a call."""
    done = run(world, "-d", json.dumps(request), url(world, rpc))
    assert done.returncode == 0, f"exit code {done.returncode}: {done.stderr}"
    return json.loads(done.stdout)


@case
def buf_curl_lists_every_method(world):
    done = run(world, "--list-methods", f"http://{world.scaler.grpc_address}")
    assert done.returncode == 0, done.stderr
    listed = done.stdout.split()
    expected = [f"{SERVICE}/{rpc}" for rpc in RPCS] + ["grpc.health.v1.Health/Check"]
    assert set(expected) <= set(listed), f"expected {expected} in {listed}"


@case
def buf_curl_calls_the_unary_rpcs_and_health(world):
    queue_url = world.queue()
    metadata, metric = world.metadata(queue_url), f"aws-sqs-{name_of(queue_url)}"
    world.send(queue_url, 8)
    assert_eventually(lambda: world.value(metadata), 8)
    # JSON has 64-bit integers as text.
    (spec,) = call(world, "GetMetricSpec", reference(metadata))["metricSpecs"]
    assert spec == {"metricName": metric, "targetSize": "5", "targetSizeFloat": 5}, spec
    request = {"scaledObjectRef": reference(metadata), "metricName": metric}
    (value,) = call(world, "GetMetrics", request)["metricValues"]
    assert value == {"metricName": metric, "metricValue": "8", "metricValueFloat": 8}, value
    assert call(world, "IsActive", reference(metadata)) == {"result": True}
    done = run(world, "-d", "{}", f"http://{world.scaler.grpc_address}/grpc.health.v1.Health/Check")
    assert json.loads(done.stdout) == {"status": "SERVING"}, done


class Stream(Process):
    """buf curl on a stream: ready when it has printed the first message, ended when the stream is."""

    def __init__(self, world, rpc, request):
        command = buf_curl(world, "-d", json.dumps(request), url(world, rpc))
        super().__init__(command, world.scaler.environment)

    def is_ready(self):
        return self.log().rstrip().endswith("}")


@case
def buf_curl_sees_both_streams_and_their_end_with_ok(world):
    with world.beside() as own:
        request = reference(own.metadata(own.queue()))
        with (
            Stream(own, "StreamIsActive", request) as activity,
            Stream(own, "StreamMetricSpec", request) as specs,
        ):
            own.scaler.stop()
            for stream in (activity, specs):
                assert stream.ended() == 0, stream.log_end()
            assert json.loads(activity.log()) == {"result": False}, activity.log()
            (spec,) = json.loads(specs.log())["metricSpecs"]
            assert spec["targetSize"] == "5", spec
        assert own.scaler.ended() == 0, own.scaler.log_end()


@case
def buf_curl_is_told_what_is_wrong_with_metadata(world):
    metadata = world.metadata(world.queue(), queueLength="a")
    done = run(world, "-d", json.dumps(reference(metadata)), url(world, "GetMetricSpec"))
    assert done.returncode == INVALID_ARGUMENT << 3, done
    error = json.loads(done.stderr)
    assert error["code"] == "invalid_argument", error
    assert 'unable to set param "queueLength" value "a"' in error["message"], error
