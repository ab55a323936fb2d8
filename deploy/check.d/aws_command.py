"""The real AWS CLI, loaded once and forked for each call: its start takes longer than its work, and scripts call it
hundreds of times. `serve` is told calls over a socket; `call` is what stands on PATH as `aws`."""

import array
import json
import os
import signal
import socket
import sys


def serve(path):
    """Answers calls until it is ended. A call comes with the caller's arguments, folder, environment and descriptors."""
    from awscli import clidriver

    # A finished child is nobody's business but that of the one who waits for it.
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen(64)
    print("ready", flush=True)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        connection, _ = listener.accept()
        if os.fork() == 0:
            listener.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            _answer(connection, clidriver)
        connection.close()


def _answer(connection, clidriver):
    size = array.array("i", [0]).itemsize
    head, control, _, _ = connection.recvmsg(8, socket.CMSG_SPACE(3 * size))
    descriptors = array.array("i")
    descriptors.frombytes(control[0][2])
    left, text = int.from_bytes(head, "big"), b""
    while len(text) < left:
        text += connection.recv(left - len(text))
    call = json.loads(text)
    for number, descriptor in enumerate(descriptors):
        os.dup2(descriptor, number)
    os.chdir(call["folder"])
    # Where the CLI has its data; it says so to itself when it is loaded.
    data = os.environ["AWS_DATA_PATH"]
    os.environ.clear()
    os.environ.update(call["environment"], AWS_DATA_PATH=data)
    sys.argv = ["aws", *call["arguments"]]
    status = 255
    try:
        status = clidriver.main() or 0
        sys.stdout.flush()
        sys.stderr.flush()
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 1
    finally:
        connection.sendall(bytes([status]))
        os._exit(0)


def call(path, arguments):
    """Has a call answered, with this process's own descriptors, and ends as it ended."""
    text = json.dumps({"arguments": arguments, "folder": os.getcwd(), "environment": dict(os.environ)}).encode()
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(path)
    descriptors = array.array("i", [0, 1, 2])
    control = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, descriptors)]
    connection.sendmsg([len(text).to_bytes(8, "big")], control)
    connection.sendall(text)
    answer = connection.recv(1)
    # No answer is a call that came to an end by itself.
    sys.exit(answer[0] if answer else 255)


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(sys.argv[2])
    else:
        call(sys.argv[2], sys.argv[3:])
