"""Checks of STS and S3 through boto3: the part of them that credential providers and handlers use.

  python sts_s3.py http://127.0.0.1:9324

The exit code is 1 when a check fails.
"""

import sys
import uuid

import boto3
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

ROLE = {"RoleArn": "arn:aws:iam::111122223333:role/reader", "RoleSessionName": "session"}
ASSUMED = "arn:aws:sts::111122223333:assumed-role/reader/session"


def the_caller_is_an_account(clients):
    identity = clients.sts.get_caller_identity()
    assert identity["Account"] == "000000000000", identity
    assert identity["Account"] in identity["Arn"], identity


def a_role_is_assumed_for_as_long_as_asked(clients):
    quarter = clients.sts.assume_role(**ROLE, DurationSeconds=900)
    assert quarter["AssumedRoleUser"]["Arn"] == ASSUMED, quarter
    # The server's clock may have been moved, so one expiration is compared with another, not with our time.
    hour = clients.sts.assume_role(**ROLE)
    apart = hour["Credentials"]["Expiration"] - quarter["Credentials"]["Expiration"]
    assert 2_700 <= apart.total_seconds() <= 2_710, apart


def a_web_identity_assumes_a_role_unsigned(clients):
    answer = clients.unsigned_sts.assume_role_with_web_identity(**ROLE, WebIdentityToken="token")
    assert answer["AssumedRoleUser"]["Arn"] == ASSUMED, answer
    assert answer["Credentials"]["SessionToken"], answer


def a_duration_over_twelve_hours_is_refused(clients):
    refused("ValidationError", clients.sts.assume_role, **ROLE, DurationSeconds=43_201)


def an_object_comes_back_as_it_was_put(clients):
    # A key that needs escaping in a path, and a body with every byte there is.
    key, body = "in/a b+c&ä.txt", bytes(range(256)) * 400
    put = clients.s3.put_object(Bucket=clients.bucket, Key=key, Body=body, ContentType="text/plain")
    got = clients.s3.get_object(Bucket=clients.bucket, Key=key)
    assert got["Body"].read() == body
    assert (got["ContentType"], got["ETag"]) == ("text/plain", put["ETag"]), got


def the_head_of_an_object_tells_its_size(clients):
    clients.s3.put_object(Bucket=clients.bucket, Key="size", Body=b"12345")
    head = clients.s3.head_object(Bucket=clients.bucket, Key="size")
    assert head["ContentLength"] == 5, head


def objects_are_listed_by_prefix_and_page(clients):
    for number in range(5):
        clients.s3.put_object(Bucket=clients.bucket, Key=f"page/{number} &", Body=b"x")
    pages = clients.s3.get_paginator("list_objects_v2").paginate(
        Bucket=clients.bucket, Prefix="page/", PaginationConfig={"PageSize": 2})
    keys = [[entry["Key"] for entry in page["Contents"]] for page in pages]
    assert keys == [["page/0 &", "page/1 &"], ["page/2 &", "page/3 &"], ["page/4 &"]], keys


def an_object_deleted_is_gone(clients):
    clients.s3.put_object(Bucket=clients.bucket, Key="gone", Body=b"x")
    clients.s3.delete_object(Bucket=clients.bucket, Key="gone")
    refused("NoSuchKey", clients.s3.get_object, Bucket=clients.bucket, Key="gone")
    refused("404", clients.s3.head_object, Bucket=clients.bucket, Key="gone")


def a_bucket_must_exist(clients):
    refused("NoSuchBucket", clients.s3.put_object, Bucket="absent", Key="a", Body=b"x")
    refused("404", clients.s3.head_bucket, Bucket="absent")


CHECKS = [
    the_caller_is_an_account,
    a_role_is_assumed_for_as_long_as_asked,
    a_web_identity_assumes_a_role_unsigned,
    a_duration_over_twelve_hours_is_refused,
    an_object_comes_back_as_it_was_put,
    the_head_of_an_object_tells_its_size,
    objects_are_listed_by_prefix_and_page,
    an_object_deleted_is_gone,
    a_bucket_must_exist,
]


class Clients:
    def __init__(self, endpoint):
        once = Config(retries={"max_attempts": 0}, s3={"addressing_style": "path"})
        options = {"endpoint_url": endpoint, "region_name": "us-east-1",
                   "aws_access_key_id": "test", "aws_secret_access_key": "test"}
        self.sts = boto3.client("sts", config=once, **options)
        self.unsigned_sts = boto3.client("sts", config=once.merge(Config(signature_version=UNSIGNED)), **options)
        self.s3 = boto3.client("s3", config=once, **options)
        self.bucket = f"checks-{uuid.uuid4().hex[:12]}"
        self.s3.create_bucket(Bucket=self.bucket)
        self.s3.head_bucket(Bucket=self.bucket)


def refused(code, operation, **parameters):
    try:
        answer = operation(**parameters)
    except ClientError as error:
        assert error.response["Error"]["Code"] == code, error
    else:
        raise AssertionError(f"wanted {code}, found {answer}")


def holds(check, clients):
    """Whether a check holds; says so, or why not."""
    sentence = check.__name__.replace("_", " ")
    try:
        check(clients)
    except Exception as error:  # The server may answer with anything, and each such answer is one failure.
        print(f"-   {sentence}\n      {type(error).__name__}: {error}")
        return False
    print(f"ok  {sentence}")
    return True


def main(arguments):
    if len(arguments) != 1:
        sys.exit(__doc__)
    clients = Clients(arguments[0])
    verdicts = [holds(check, clients) for check in CHECKS]
    print(f"{verdicts.count(True)} passed, {verdicts.count(False)} failed")
    sys.exit(0 if all(verdicts) else 1)


if __name__ == "__main__":
    main(sys.argv[1:])
