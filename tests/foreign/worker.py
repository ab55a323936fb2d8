"""Tortures the worker against an SQS that others wrote (moto), through a proxy that fails at random.

    python tests/foreign/worker.py --worker target/debug/sluice-worker [--messages 1000] [--seed 1]

Workers are stopped (SIGTERM) at random, and in a second run also killed (SIGKILL), until the queue is
empty. Every message must have been handled, none lost; after stops alone none may be handled twice.
moto must be installed beside this Python (requirements-grpc.txt).
"""

import argparse
import collections
import http.client
import http.server
import json
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import boto3
from botocore.config import Config
from scaler_processes import ENVIRONMENT, Moto

RUN_SECONDS_MAX = 30 * 60
WORKERS = 3
# Of a hundred requests of a worker, how many go wrong in each way.
FAULTS = {"throttle": 2, "unavailable": 2, "late": 2, "lost": 1, "partial": 3}
LATE_SECONDS = 0.3
VISIBILITY_SECONDS = 30
# Moto answers at once; a request that it leaves unanswered must not keep the others waiting.
MOTO_SECONDS_MAX = 10
# Moto looks through all that wait for each receive, so a queue is filled as it empties.
WAITING_MAX = 200
FILL_PAUSE_SECONDS = 0.02
# What belongs to the connection from the worker, not to the request that is passed on.
OF_THE_CONNECTION = {"host", "content-length"}
# What a killed worker may have printed and not deleted: its slots and a few batches.
HELD_MAX = 150


class Proxy(http.server.BaseHTTPRequestHandler):
    """Passes requests on to moto, or fails."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    target = None
    chance = random.Random(0)
    # moto gives a message to two receives at once; between looking at it and hiding it, another may look.
    one_at_a_time = threading.Lock()

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        operation = self.headers["x-amz-target"].split(".")[1]
        fault = self.fault()
        if fault == "throttle":
            self.fail(400, "com.amazonaws.sqs#RequestThrottled")
        elif fault == "unavailable":
            self.fail(503, "ServiceUnavailable")
        elif fault == "partial" and operation == "DeleteMessageBatch":
            self.partly(body)
        else:
            if fault == "late":
                time.sleep(LATE_SECONDS)
            status, answer = self.passed_on(body)
            if fault == "lost":
                self.close_connection = True
                self.connection.close()
            else:
                self.answer(status, answer)

    def fault(self):
        number = self.chance.randrange(100)
        for name, share in FAULTS.items():
            if number < share:
                return name
            number -= share
        return None

    def passed_on(self, body):
        headers = {name: value for name, value in self.headers.items() if name.lower() not in OF_THE_CONNECTION}
        with self.one_at_a_time:
            connection = http.client.HTTPConnection("127.0.0.1", self.target, timeout=MOTO_SECONDS_MAX)
            connection.request("POST", self.path, body, headers)
            answer = connection.getresponse()
            found = answer.status, answer.read()
            connection.close()
        return found

    def partly(self, body):
        """Carries out the first half of the entries, and reports the others as failed."""
        request = json.loads(body)
        entries = request["Entries"]
        middle = len(entries) // 2
        told = {"Successful": [], "Failed": []}
        if middle:
            request["Entries"] = entries[:middle]
            status, answer = self.passed_on(json.dumps(request).encode())
            if status == 200:
                told |= json.loads(answer)
        undone = [{"Id": e["Id"], "Code": "InternalError", "SenderFault": False} for e in entries[middle:]]
        told["Failed"] = told.get("Failed", []) + undone
        self.answer(200, json.dumps(told).encode())

    def fail(self, status, code):
        self.answer(status, json.dumps({"__type": code, "message": "as the test wants"}).encode())

    def answer(self, status, body):
        try:
            self.send_response(status)
            self.send_header("content-type", "application/x-amz-json-1.0")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
        except OSError:
            self.close_connection = True  # the worker was killed

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def handle_error(self, *_):
        pass  # workers hang up when they are killed


class Worker:
    def __init__(self, binary, endpoint, queue):
        self.output = tempfile.TemporaryFile()
        self.errors = tempfile.TemporaryFile()
        variables = {
            "AWS_ENDPOINT_URL": endpoint,
            "AWS_REGION": "eu-west-1",
            "SQS_QUEUE_URL": queue,
            # A receive that waits would keep the others waiting.
            "SQS_WAIT_TIME_SECONDS": "0",
            "SQS_VISIBILITY_TIMEOUT": str(VISIBILITY_SECONDS),
            "SLUICE_WORKER_CONCURRENCY": "30",
            "SLUICE_WORKER_WORK_MILLISECONDS": "20",
            "HEALTH_HOST": "127.0.0.1",
            "HEALTH_PORT": "0",
            "RUST_LOG": "error",
        }
        self.child = subprocess.Popen(
            [binary], env=ENVIRONMENT | variables, stdin=subprocess.DEVNULL,
            stdout=self.output, stderr=self.errors,
        )  # fmt: skip

    def end(self, number):
        """The bodies that it printed."""
        self.child.send_signal(number)
        code = self.child.wait(60)
        self.output.seek(0)
        lines = self.output.read().decode(errors="replace").splitlines()
        self.errors.seek(0)
        # A signal can come before it is listened to.
        expected = (0,) if number == signal.SIGTERM and lines else (0, -number)
        if code not in expected:
            raise AssertionError(f"exit code {code}: {self.errors.read()[-2000:]}")
        for file in (self.output, self.errors):
            file.close()
        return [line.split("body=", 1)[1] for line in lines if "body=" in line]


class Run:
    def __init__(self, name, tools, moto, signals):
        self.name, self.tools, self.signals = name, tools, signals
        self.chance = random.Random(tools.seed)
        self.handled = collections.Counter()
        self.ends = collections.Counter()
        self.workers = []
        self.sent, self.over = 0, False
        client = dict(
            region_name="eu-west-1", aws_access_key_id="own", aws_secret_access_key="own-secret",
            config=Config(retries={"max_attempts": 5}),
        )  # fmt: skip
        self.sqs = boto3.client("sqs", endpoint_url=moto.endpoint, **client)
        self.queue = self.sqs.create_queue(QueueName=name)["QueueUrl"]
        Proxy.target, Proxy.chance = moto.port, random.Random(tools.seed)
        self.server = Server(("127.0.0.1", 0), Proxy)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.endpoint = f"http://127.0.0.1:{self.server.server_port}"

    def fill(self):
        """Never lets more than a few wait, until all are sent."""
        while self.sent < self.tools.messages and not self.over:
            if self.waiting() >= WAITING_MAX:
                time.sleep(FILL_PAUSE_SECONDS)
                continue
            numbers = range(self.sent, min(self.sent + 10, self.tools.messages))
            entries = [{"Id": str(n), "MessageBody": f"m{n}"} for n in numbers]
            assert not self.sqs.send_message_batch(QueueUrl=self.queue, Entries=entries).get("Failed")
            self.sent += len(entries)

    def left(self):
        return self.tools.messages - self.sent + self.waiting()

    def waiting(self):
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        counts = self.sqs.get_queue_attributes(QueueUrl=self.queue, AttributeNames=names)["Attributes"]
        return sum(int(counts[name]) for name in names)

    def go(self):
        filling = threading.Thread(target=self.fill, daemon=True)
        filling.start()
        while self.left():
            assert filling.is_alive() or self.sent == self.tools.messages, "not all could be sent"
            while len(self.workers) < WORKERS:
                self.workers.append(Worker(self.tools.worker, self.endpoint, self.queue))
            time.sleep(self.chance.uniform(0.5, 3))
            self.end(self.chance.randrange(WORKERS), self.chance.choice(self.signals))
        while self.workers:
            self.end(0, signal.SIGTERM)

    def leave_nothing(self):
        self.over = True
        for worker in self.workers:
            worker.child.kill()
        self.server.shutdown()

    def end(self, position, number):
        self.ends[number.name] += 1
        self.handled.update(self.workers[position].end(number))
        del self.workers[position]

    def judge(self):
        lost = self.tools.messages - len(self.handled)
        duplicates = self.handled.total() - len(self.handled)
        print(f"{self.name}: {self.tools.messages} messages, {dict(self.ends)}, {lost} lost, {duplicates} duplicates", flush=True)
        assert lost == 0
        assert duplicates <= self.ends["SIGKILL"] * HELD_MAX


def leave(number, _):
    raise SystemExit(f"ended by {signal.Signals(number).name}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--worker", type=lambda text: Path(text).resolve(strict=True), required=True)
    parser.add_argument("--messages", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=1)
    tools = parser.parse_args()
    # As an exception, so that every process that was started is ended on the way out.
    for number in (signal.SIGALRM, signal.SIGTERM):
        signal.signal(number, leave)
    signal.alarm(RUN_SECONDS_MAX)
    runs = {"stopped": [signal.SIGTERM], "killed": [signal.SIGTERM, signal.SIGKILL]}
    for name, signals in runs.items():
        with Moto(Path(sys.prefix, "bin")) as moto:
            run = Run(name, tools, moto, signals)
            try:
                run.go()
                run.judge()
            finally:
                run.leave_nothing()
    print(f"{len(runs)} passed, 0 failed")


if __name__ == "__main__":
    main()
