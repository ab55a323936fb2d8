"""Measures the CPU time a server spends on a request, in microseconds, from /proc.

  python speed.py NAME=PORT:PID ... [--messages 100000] [--queues 10000] [--repeat 3]

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
POLL_SECONDS = 20
POLL_CONNECTIONS = 32
ACCOUNT_PATH = "http://127.0.0.1/000000000000/"
COUNTS = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible", "ApproximateNumberOfMessagesDelayed"]


class Connection:
    """One HTTP connection, read with as little work for the client as can be."""

    def __init__(self, port):
        self.port = port
        self.connect()

    def connect(self):
        self.socket = socket.create_connection(("127.0.0.1", self.port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, request):
        self.request = request
        self.socket.sendall(request)

    def read(self):
        """The body of the answer, which must be a success."""
        try:
            return self.read_once()
        except ConnectionError:  # Some servers close a connection after so many requests.
            self.connect()
            self.socket.sendall(self.request)
            return self.read_once()

    def read_once(self):
        answer = b""
        while (body := body_of(answer)) is None:
            more = self.socket.recv(65_536)
            if not more:
                raise ConnectionResetError(f"connection closed after {answer[:300]}")
            answer += more
        if not answer.startswith(b"HTTP/1.1 200"):
            raise SystemExit(f"no success: {answer[:300]}")
        return body


def body_of(answer):
    """The body of an answer, or None while some of it is missing."""
    head, end, body = answer.partition(b"\r\n\r\n")
    if not end:
        return None
    _, _, length = head.lower().partition(b"content-length:")
    if length:
        return body if len(body) >= int(length.partition(b"\r\n")[0]) else None
    return unchunked(body) if body.endswith(b"0\r\n\r\n") else None


def unchunked(body):
    parts = []
    while True:
        size, _, rest = body.partition(b"\r\n")
        length = int(size, 16)
        if length == 0:
            return b"".join(parts)
        parts.append(rest[:length])
        body = rest[length + 2:]


class Server:
    def __init__(self, argument):
        self.name, _, rest = argument.partition("=")
        self.port, self.pid = (int(part) for part in rest.split(":"))
        self.connection = Connection(self.port)

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
        self.connection.send(request)
        body = self.connection.read()
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


def poll(server, urls):
    """All queues once a second, as a scaler does: how often that was kept up, and the share of a core it took."""
    connections = [Connection(server.port) for _ in range(POLL_CONNECTIONS)]
    rounds = [[attributes(server, url) for url in urls[start:start + POLL_CONNECTIONS]]
              for start in range(0, len(urls), POLL_CONNECTIONS)]
    began, polls, kept_up, cpu_began = time.monotonic(), 0, 0, server.cpu_seconds()
    while polls < POLL_SECONDS and time.monotonic() < began + 2 * POLL_SECONDS:
        for requests in rounds:
            for connection, request in zip(connections, requests):
                connection.send(request)
            for connection, _ in zip(connections, requests):
                connection.read()
        polls += 1
        left = began + polls - time.monotonic()
        kept_up += left >= 0
        time.sleep(max(left, 0))
    lasted, used = time.monotonic() - began, server.cpu_seconds() - cpu_began
    return (f"{len(urls)} queues polled {polls} times in {lasted:.1f} s, {kept_up} times in the second meant for it: "
            f"{used / lasted:.0%} of a core, {used / polls / len(urls) * 1e6:.0f} us a request")


def measure(server, messages, urls):
    queue = server.ask("CreateQueue", QueueName=f"speed-{time.time_ns()}")["QueueUrl"]
    result = {"attributes, empty queue": server.microseconds([attributes(server, queue)] * 2_000)}
    result["send batch of 10"] = fill(server, queue, messages)
    result[f"attributes, {messages} messages"] = server.microseconds([attributes(server, queue)] * 2_000)
    result[f"receive 10 + delete 10, {messages} messages"] = drain(server, queue, min(1_000, messages // 20))
    result[f"attributes, {len(urls)} queues in turn"] = server.microseconds([attributes(server, url) for url in urls])
    server.ask("DeleteQueue", QueueUrl=queue)
    return result


def create(server, queues):
    names = [f"speed-{time.time_ns()}-{number}" for number in range(queues)]
    return [server.ask("CreateQueue", QueueName=name)["QueueUrl"] for name in names]


def best(results):
    """The least of each figure: what disturbs a measurement only ever adds to it."""
    return {what: min(result[what] for result in results) for what in results[0]}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("servers", nargs="+", metavar="NAME=PORT:PID")
    parser.add_argument("--messages", type=int, default=100_000)
    parser.add_argument("--queues", type=int, default=10_000)
    parser.add_argument("--repeat", type=int, default=3, help="measure in turn this often; the least counts")
    options = parser.parse_args()
    servers = [Server(argument) for argument in options.servers]
    urls = {server.name: create(server, options.queues) for server in servers}
    runs = {server.name: [] for server in servers}
    for _ in range(options.repeat):
        for server in servers:
            runs[server.name].append(measure(server, options.messages, urls[server.name]))
    results = {name: best(results) for name, results in runs.items()}
    for name, result in results.items():
        print(f"{name}:")
        for what, microseconds in result.items():
            print(f"  {microseconds:10.0f} us  {what}")
    first, *others = results
    for other in others:
        print(f"{other} / {first}:")
        for what, microseconds in results[first].items():
            print(f"  {results[other][what] / max(microseconds, 1):10.1f} x  {what}")
    for server in servers:
        print(f"{server.name}: {poll(server, urls[server.name])}", flush=True)


if __name__ == "__main__":
    main()
