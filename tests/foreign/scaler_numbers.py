"""The numbers of KEDA's aws-sqs-queue, with real messages in a foreign SQS."""

import grpc

from scaler_world import assert_eventually, assert_refused, case, name_of

# KEDA's table of values.
VISIBLE, IN_FLIGHT, DELAYED = 200, 100, 50


@case
def the_flags_choose_what_is_counted(world):
    queue_url = world.queue()
    world.send(queue_url, VISIBLE + IN_FLIGHT)
    world.receive(queue_url, IN_FLIGHT)
    world.send(queue_url, DELAYED, DelaySeconds=600)
    table = [
        ({"scaleOnInFlight": "false"}, 200),
        ({"scaleOnInFlight": "true"}, 300),
        ({"scaleOnDelayed": "false"}, 300),
        ({"scaleOnDelayed": "true"}, 350),
        ({"scaleOnInFlight": "false", "scaleOnDelayed": "false"}, 200),
        ({"scaleOnInFlight": "false", "scaleOnDelayed": "true"}, 250),
        ({"scaleOnInFlight": "true", "scaleOnDelayed": "true"}, 350),
        ({}, 300),
    ]
    for flags, expected in table:
        metadata = world.metadata(queue_url, **flags)
        assert_eventually(lambda: world.value(metadata), expected)
        assert world.is_active(metadata), flags


@case
def an_empty_queue_is_zero_and_inactive(world):
    metadata = world.metadata(world.queue())
    assert world.value(metadata) == 0
    assert world.is_active(metadata) is False


@case
def a_message_counts_until_it_is_deleted(world):
    queue_url = world.queue()
    metadata = world.metadata(queue_url)
    world.send(queue_url, 1)
    assert_eventually(lambda: world.value(metadata), 1)
    (message,) = world.receive(queue_url, 1)
    assert_eventually(lambda: world.value(metadata), 1)
    assert world.is_active(metadata)
    world.sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"])
    assert_eventually(lambda: world.value(metadata), 0)
    assert world.is_active(metadata) is False


@case
def there_is_work_strictly_above_the_activation_length(world):
    queue_url = world.queue()
    metadata = world.metadata(queue_url, activationQueueLength="5")
    world.send(queue_url, 5)
    assert_eventually(lambda: world.value(metadata), 5)
    assert world.is_active(metadata) is False
    world.send(queue_url, 1)
    assert_eventually(lambda: world.is_active(metadata), True)


@case
def delayed_messages_activate_only_where_they_are_counted(world):
    queue_url = world.queue()
    world.send(queue_url, 1, DelaySeconds=600)
    with_delayed = world.metadata(queue_url, scaleOnDelayed="true")
    assert_eventually(lambda: world.is_active(with_delayed), True)
    assert world.is_active(world.metadata(queue_url)) is False


@case
def the_target_is_the_queue_length_which_is_five_by_default(world):
    queue_url = world.queue()
    for length, expected in ((None, 5), ("1", 1), ("250", 250)):
        spec = world.spec(world.metadata(queue_url, queueLength=length))
        assert (spec.targetSize, spec.targetSizeFloat) == (expected, expected), spec
        assert spec.metricName == f"aws-sqs-{name_of(queue_url)}", spec


@case
def a_bare_queue_name_is_read_as_its_url_is(world):
    queue_url = world.queue()
    world.send(queue_url, 7)
    by_url, by_name = world.metadata(queue_url), world.metadata(name_of(queue_url))
    assert world.spec(by_name) == world.spec(by_url)
    for metadata in (by_url, by_name):
        assert_eventually(lambda: world.value(metadata), 7)


@case
def a_queue_url_from_the_environment_is_read_as_its_value(world):
    queue_url = world.queue()
    world.send(queue_url, 3)
    metadata = world.metadata(None, queueURLFromEnv=queue_url)
    assert world.spec(metadata).metricName == f"aws-sqs-{name_of(queue_url)}"
    assert_eventually(lambda: world.value(metadata), 3)


@case
def a_fifo_queue_is_counted_and_its_metric_has_no_dot(world):
    queue_url = world.queue(suffix=".fifo", FifoQueue="true", ContentBasedDeduplication="true")
    world.send(queue_url, 4, MessageGroupId="one")
    metadata = world.metadata(queue_url)
    expected = "aws-sqs-" + name_of(queue_url).replace(".", "-")
    assert world.spec(metadata).metricName == expected
    assert_eventually(lambda: world.value(metadata), 4)
    world.receive(queue_url, 1)
    assert_eventually(lambda: world.value(metadata), 4)


@case
def the_region_of_the_trigger_is_the_one_that_is_asked(world):
    far = world.sqs_of(region="ap-southeast-2")
    queue_url = world.queue(sqs=far)
    assert world.value(world.metadata(queue_url, awsRegion="ap-southeast-2")) == 0
    here = world.metadata(queue_url)
    assert_refused(lambda: world.value(here), grpc.StatusCode.NOT_FOUND, "eu-west-1")


@case
def keys_in_the_metadata_are_the_ones_that_sign(world):
    """ministack takes the account from the key, so that only the right key finds the queue."""
    if not world.emulator.separates_accounts_by_key:
        return "this SQS has one account for all keys"
    account = "111111111111"
    name = name_of(world.queue(sqs=world.sqs_of(access_key_id=account)))
    keys = {"awsAccessKeyIDFromEnv": account, "awsSecretAccessKeyFromEnv": "secret"}
    assert world.value(world.metadata(name, **keys)) == 0
    own = world.metadata(name)
    assert_refused(lambda: world.value(own), grpc.StatusCode.NOT_FOUND, name)


@case
def an_absent_queue_is_not_found_and_never_zero(world):
    absent = world.queue() + "-absent"
    metadata = world.metadata(absent)
    for ask in (world.value, world.is_active):
        assert_refused(
            lambda: ask(metadata), grpc.StatusCode.NOT_FOUND, absent, "does not exist"
        )
    assert world.spec(metadata).metricName == f"aws-sqs-{name_of(absent)}"


@case
def asking_takes_no_message(world):
    queue_url = world.queue()
    metadata = world.metadata(queue_url)
    world.send(queue_url, 1)
    for _ in range(20):
        world.value(metadata)
        world.is_active(metadata)
    (message,) = world.receive(queue_url, 1)
    assert message["Attributes"]["ApproximateReceiveCount"] == "1", message
