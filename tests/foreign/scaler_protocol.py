"""What every gRPC client may rely on: errors in KEDA's words, streams, health, reflection."""

import urllib.request

import grpc
from google.protobuf.descriptor_pool import DescriptorPool
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import (
    ProtoReflectionDescriptorDatabase,
)

from scaler_contract import messages
from scaler_world import RPC_SECONDS_MAX, assert_refused, case, name_of, reference

SERVICE = "externalscaler.ExternalScaler"
STREAMS_AT_SHUTDOWN = 20

ONCE = "error parsing SQS queue metadata: "
TWICE = 2 * ONCE
NO_QUEUE = TWICE + 'missing required parameter "queueURL" in [triggerMetadata resolvedEnv]'
NO_REGION = TWICE + 'missing required parameter "awsRegion" in [triggerMetadata authParams]'
NO_NAME = ONCE + "cannot get queueName from queueURL"


def no_integer(key, value):
    return (
        f'{TWICE}unable to set param "{key}" value "{value}": unable to unmarshal to field type '
        f"int64: invalid character '{value}' looking for beginning of value"
    )


# Changes to good metadata, and what KEDA's aws-sqs-queue says of them.
REFUSALS = [
    ({"queueURL": None}, NO_QUEUE),
    ({"queueURL": " "}, NO_QUEUE),
    ({"queueURL": None, "queueURLFromEnv": ""}, NO_QUEUE),
    ({"awsRegion": None}, NO_REGION),
    ({"awsRegion": ""}, NO_REGION),
    ({"queueURL": "https://sqs.eu-west-1.amazonaws.com/account_id"}, NO_NAME),
    ({"queueURL": "https://sqs.eu-west-1.amazonaws.com"}, NO_NAME),
    ({"queueLength": "a"}, no_integer("queueLength", "a")),
    ({"activationQueueLength": "a"}, no_integer("activationQueueLength", "a")),
    (
        {"scaleOnInFlight": "x"},
        f'{TWICE}unable to set param "scaleOnInFlight" value "x": unable to parse boolean value '
        '"x": strconv.ParseBool: parsing "x": invalid syntax',
    ),
    (
        {"awsAccessKeyIDFromEnv": "", "awsSecretAccessKeyFromEnv": "secret"},
        ONCE + "awsAccessKeyID not found",
    ),
    (
        {"awsAccessKeyIDFromEnv": "id", "awsSecretAccessKeyFromEnv": ""},
        ONCE + "awsSecretAccessKey not found",
    ),
]


@case
def bad_metadata_is_an_invalid_argument_in_kedas_words_on_every_rpc(world):
    queue_url = world.queue()
    for changes, text in REFUSALS:
        metadata = world.metadata(queue_url, **changes)
        request = messages().GetMetricsRequest(scaledObjectRef=reference(metadata))
        for ask in (
            lambda: world.spec(metadata),
            lambda: world.is_active(metadata),
            lambda: world.rpc.GetMetrics(request, timeout=RPC_SECONDS_MAX),
            lambda: next(world.activity(metadata)),
            lambda: next(world.specs(metadata)),
        ):
            assert_refused(ask, grpc.StatusCode.INVALID_ARGUMENT, text)


@case
def the_activity_is_streamed_at_once_and_again_when_work_comes(world):
    queue_url = world.queue()
    stream = world.activity(world.metadata(queue_url))
    assert next(stream).result is False
    world.send(queue_url, 1)
    assert next(stream).result is True
    stream.cancel()
    late = world.activity(world.metadata(queue_url))
    assert next(late).result is True
    late.cancel()


@case
def the_specs_are_streamed_as_they_are_given(world):
    metadata = world.metadata(world.queue(), queueLength="17")
    stream = world.specs(metadata)
    (streamed,) = next(stream).metricSpecs
    assert streamed == world.spec(metadata)
    stream.cancel()


@case
def health_is_serving_and_the_pages_say_so(world):
    health = health_pb2_grpc.HealthStub(world.channel)
    for service in ("", SERVICE):
        request = health_pb2.HealthCheckRequest(service=service)
        answer = health.Check(request, timeout=RPC_SECONDS_MAX)
        assert answer.status == health_pb2.HealthCheckResponse.SERVING, answer
    for path in ("/healthz", "/readyz", "/metrics"):
        url = f"http://{world.scaler.http_address}{path}"
        with urllib.request.urlopen(url, timeout=RPC_SECONDS_MAX) as page:
            assert page.status == 200, path


@case
def reflection_lists_the_services_and_tells_the_contract_of_the_file(world):
    database = ProtoReflectionDescriptorDatabase(world.channel)
    assert {SERVICE, "grpc.health.v1.Health"} <= set(database.get_services())
    told = DescriptorPool(database).FindServiceByName(SERVICE).file
    assert contract(told) == contract(messages().DESCRIPTOR)


def contract(file):
    """What a file of the contract says, without the options and names that compilers add."""
    rows = {}
    for method in file.services_by_name["ExternalScaler"].methods:
        streaming = (method.client_streaming, method.server_streaming)
        types = (method.input_type.full_name, method.output_type.full_name)
        rows[method.full_name] = (*types, *streaming)
    for message in file.message_types_by_name.values():
        for field in message.fields:
            of = field.message_type and field.message_type.full_name
            rows[field.full_name] = (field.number, field.type, field.is_repeated, of)
    return rows


@case
def sigterm_ends_the_streams_with_ok_and_the_process_with_zero(world):
    with world.beside() as own:
        metadata = own.metadata(own.queue())
        opened = [own.activity(metadata) for _ in range(STREAMS_AT_SHUTDOWN)]
        opened += [own.specs(metadata) for _ in range(STREAMS_AT_SHUTDOWN)]
        for stream in opened:
            next(stream)
        own.scaler.stop()
        for stream in opened:
            assert next(stream, None) is None, "nothing is said while stopping"
            assert stream.code() == grpc.StatusCode.OK, stream.code()
        assert own.scaler.ended() == 0, own.scaler.log_end()


@case
def a_metric_of_another_queue_is_refused_by_name(world):
    metadata = world.metadata(world.queue())
    request = messages().GetMetricsRequest(
        scaledObjectRef=reference(metadata), metricName="aws-sqs-other"
    )
    own_name = f"aws-sqs-{name_of(metadata['queueURL'])}"
    ask = lambda: world.rpc.GetMetrics(request, timeout=RPC_SECONDS_MAX)  # noqa: E731
    assert_refused(ask, grpc.StatusCode.NOT_FOUND, "aws-sqs-other", own_name)
