"""An AWS on loopback for checks: moto, and a client for each of its services. Ends with its block."""

import contextlib
import io
import logging
import os
import urllib.request
import warnings

import boto3
from moto.server import ThreadedMotoServer

from deployment import names


class EmulatedAws:
    def __init__(self, url):
        self.url = url
        self.region = names()["AWS_REGION"]

    def client(self, service):
        return boto3.client(
            service,
            region_name=self.region,
            endpoint_url=self.url,
            aws_access_key_id="any",
            aws_secret_access_key="any",
        )

    def create_stack(self, name, body, **parameters):
        """Creates a stack and tells its status and outputs."""
        cloudformation = self.client("cloudformation")
        given = [{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()]
        cloudformation.create_stack(
            StackName=name, TemplateBody=body, Parameters=given, Capabilities=["CAPABILITY_NAMED_IAM"]
        )
        stack = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
        outputs = {o["OutputKey"]: o.get("OutputValue") for o in stack.get("Outputs", [])}
        return stack["StackStatus"], outputs


@contextlib.contextmanager
def emulated_aws():
    """Starts a moto of its own on a free port."""
    os.environ["MOTO_ACCOUNT_ID"] = names()["AWS_ACCOUNT_ID"]
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    # What moto skips is known, and cfn-lint checks it: its words about it are noise.
    logging.getLogger("moto").setLevel(logging.CRITICAL)
    warnings.simplefilter("ignore")
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        server.start()
        host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    try:
        # All servers of one process share what they keep.
        urllib.request.urlopen(f"{url}/moto-api/reset", data=b"", timeout=10).close()
        yield EmulatedAws(url)
    finally:
        server.stop()
