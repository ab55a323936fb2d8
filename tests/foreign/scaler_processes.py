"""The processes of a run: foreign SQS servers and the scaler. Each is a context manager and is ended
by its own id when the context ends, however it ends."""

import os
import random
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

START_SECONDS_MAX = 60  # moto imports a lot, and a machine that builds is slow
STOP_SECONDS_MAX = 20  # above the drain deadline of the scaler
LOG_LINES_SHOWN = 30

# Nothing of the caller's AWS settings may reach what is tested.
ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "AWS_ACCESS_KEY_ID": "own",
    "AWS_SECRET_ACCESS_KEY": "own-secret",
    "AWS_EC2_METADATA_DISABLED": "true",
}


class Process:
    """A command with its log in a file of its own temporary folder."""

    def __init__(self, command, environment=None):
        self.command = [str(part) for part in command]
        self.environment = ENVIRONMENT | (environment or {})

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="sluice-foreign-")
        self.log_path = Path(self.folder.name, "log")
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if getattr(self, "child", None):
            self.kill()
        self.folder.cleanup()

    def start(self):
        environment = self.environment | {"HOME": self.folder.name}
        with open(self.log_path, "ab") as log:
            self.child = subprocess.Popen(
                self.command, cwd=self.folder.name, env=environment,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip
        self.wait_until_ready()

    def wait_until_ready(self):
        deadline = time.monotonic() + START_SECONDS_MAX
        while not self.is_ready():
            if self.child.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{self.command[0]} is not ready:\n{self.log_end()}")
            time.sleep(0.05)

    def is_ready(self):
        raise NotImplementedError

    def send(self, number):
        self.child.send_signal(number)

    def kill(self):
        """Ends the process at once; one that has ended stays ended."""
        if self.child.poll() is None:
            self.child.kill()
            self.child.wait(STOP_SECONDS_MAX)

    def ended(self):
        """Waits for the process to end by itself: its exit code."""
        return self.child.wait(STOP_SECONDS_MAX)

    def log(self):
        return self.log_path.read_text(errors="replace")

    def log_end(self):
        return "\n".join(self.log().splitlines()[-LOG_LINES_SHOWN:])


class Emulator(Process):
    """An SQS that others wrote, on a loopback port that stays the same when it is started again."""

    def __init__(self, command, environment=None):
        super().__init__(command, environment)
        self.endpoint = f"http://127.0.0.1:{self.port}"

    def is_ready(self):
        try:
            urllib.request.urlopen(self.endpoint + self.ready_path, timeout=5).close()
        except (urllib.error.URLError, OSError):
            return False
        return True


class Moto(Emulator):
    name = "moto"
    ready_path = "/moto-api/"
    separates_accounts_by_key = False

    def __init__(self, bin_folder):
        self.port = free_port()
        super().__init__([bin_folder / "moto_server", "-H", "127.0.0.1", "-p", self.port])


class Ministack(Emulator):
    name = "ministack"
    ready_path = "/_ministack/health"
    separates_accounts_by_key = True

    def __init__(self, bin_folder):
        self.port = free_port()
        where = {"BIND_HOST": "127.0.0.1", "GATEWAY_PORT": str(self.port)}
        super().__init__([bin_folder / "ministack"], where)


class Scaler(Process):
    """`sluice serve` on ports that the system chooses."""

    def __init__(self, binary, *options):
        listen = ["--grpc-listen", "127.0.0.1:0", "--http-listen", "127.0.0.1:0"]
        super().__init__([binary, "serve", "--loopback-endpoints", *listen, *options])

    def is_ready(self):
        line = next((line for line in self.log().splitlines() if "serving grpc=" in line), None)
        if line:
            addresses = dict(part.split("=") for part in line.split() if "=" in part)
            self.grpc_address, self.http_address = addresses["grpc"], addresses["http"]
        return line is not None

    def stop(self):
        """Asks for an end as Kubernetes does."""
        self.send(signal.SIGTERM)


def free_port():
    """A loopback port that is free now, below those that the system gives to clients."""
    for _ in range(100):
        port = random.randint(20_000, 32_000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue
    raise RuntimeError("no free port between 20000 and 32000 in 100 tries")
