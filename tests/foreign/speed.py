"""Measures the CPU time a server spends on a request, in microseconds, from /proc.

  python speed.py NAME=PORT:PID ... [--messages 100000] [--queues 10000]

CPU time and not requests a second: client and server share the machine, so rates say little. Requests are
prepared beforehand and sent over one connection, unsigned, since no local server checks signatures.
"""

import argparse
import json
import pathlib
import socket
import time

# A slow server is measured for this long, by fewer requests.
SECONDS_MAX = 20
ACCOUNT_PATH = "http://127.0.0.1/000000000000/"
COUNTS = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible", "ApproximateNumberOfMessagesDelayed"]


class Server:
    def __init__(self, argument):
        self.name, _, rest = argument.partition("=")
        port, self.pid = (int(part) for part in rest.split(":"))
        self.port = port
        self.connect()

    def connect(self):
        self.socket = socket.create_connection(("127.0.0.1", self.port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.stream = self.socket.makefile("rb")

    def cpu_seconds(self):
        """What the scheduler counted for every thread of the server, in nanoseconds."""
        threads = pathlib.Path(f"/proc/{self.pid}/task").glob("*/schedstat")
        return sum(int(thread.read_text().split()[0]) for thread in threads) / 1e9

    @staticmethod
    def request(operation, **body):
        payload = json.dumps(body).encode()
        head = (
            "POST / HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/x-amz-json-1.0\r\n"
            "authorization: AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/sqs/aws4_request, SignedHeaders=host, Signature=0\r\n"
            f"x-amz-target: AmazonSQS.{operation}\r\ncontent-length: {len(payload)}\r\n\r\n"
        )
        return head.encode() + payload

    def send(self, request):
        self.socket.sendall(request)
        first = self.stream.readline()
        if not first:  # Some servers close a connection after so many requests.
            self.connect()
            return self.send(request)
        status = int(first.split()[1])
        length = 0
        while (line := self.stream.readline()) not in (b"\r\n", b""):
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        body = self.stream.read(length)
        if status != 200:
            raise SystemExit(f"{self.name}: status {status}: {body[:300]}")
        return json.loads(body) if body else {}

    def ask(self, operation, **body):
        return self.send(self.request(operation, **body))

    def microseconds(self, requests, after=lambda answer: 0):
        """CPU time a request; `after` may send more for each answer and says how many."""
        started, sent = self.cpu_seconds(), 0
        deadline = time.monotonic() + SECONDS_MAX
        for request in requests:
            if time.monotonic() > deadline:
                break
            answer = self.send(request)
            sent += 1 + after(answer)
        return (self.cpu_seconds() - started) / sent * 1e6


def attributes(server, queue):
    return server.request("GetQueueAttributes", QueueUrl=queue, AttributeNames=COUNTS)


def fill(server, queue, messages):
    body = "x" * 200
    entries = [{"Id": str(number), "MessageBody": body} for number in range(10)]
    request = server.request("SendMessageBatch", QueueUrl=queue, Entries=entries)
    return server.microseconds([request] * (messages // 10))


def drain(server, queue, rounds):
    def delete(answer):
        entries = [{"Id": str(number), "ReceiptHandle": message["ReceiptHandle"]}
                   for number, message in enumerate(answer["Messages"])]
        server.ask("DeleteMessageBatch", QueueUrl=queue, Entries=entries)
        return 1

    request = server.request("ReceiveMessage", QueueUrl=queue, MaxNumberOfMessages=10)
    return server.microseconds([request] * rounds, delete)


def measure(server, messages, queues):
    name = f"speed-{time.time_ns()}"
    queue = server.ask("CreateQueue", QueueName=name)["QueueUrl"]
    result = {"attributes, empty queue": server.microseconds([attributes(server, queue)] * 2_000)}
    result["send batch of 10"] = fill(server, queue, messages)
    result[f"attributes, {messages} messages"] = server.microseconds([attributes(server, queue)] * 2_000)
    result[f"receive 10 + delete 10, {messages} messages"] = drain(server, queue, min(1_000, messages // 20))
    urls = [server.ask("CreateQueue", QueueName=f"{name}-{number}")["QueueUrl"] for number in range(queues)]
    result[f"attributes, {queues} queues in turn"] = server.microseconds([attributes(server, url) for url in urls])
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("servers", nargs="+", metavar="NAME=PORT:PID")
    parser.add_argument("--messages", type=int, default=100_000)
    parser.add_argument("--queues", type=int, default=10_000)
    options = parser.parse_args()
    results = {}
    for argument in options.servers:
        server = Server(argument)
        results[server.name] = measure(server, options.messages, options.queues)
        print(f"{server.name}:", flush=True)
        for what, microseconds in results[server.name].items():
            print(f"  {microseconds:10.0f} us  {what}", flush=True)
    first, *others = results
    for other in others:
        print(f"{other} / {first}:")
        for what, microseconds in results[first].items():
            print(f"  {results[other][what] / max(microseconds, 1):10.1f} x  {what}")


if __name__ == "__main__":
    main()
