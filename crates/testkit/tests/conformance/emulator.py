"""What the scripts share: where the emulator is, its faults, its script and its log."""

import contextlib
import json
import math
import os
import struct
import time
import urllib.request

URL = os.environ["EMULATOR_URL"]
TLS_URL = os.environ["EMULATOR_TLS_URL"]
ADDRESS = URL.removeprefix("http://")
TLS_ADDRESS = TLS_URL.removeprefix("https://")


def _ask(method, path, body=None):
    data = None if body is None else json.dumps(body).encode()
    headers = {"content-type": "application/json"}
    request = urllib.request.Request(f"{URL}/emulator/{path}", data, headers, method=method)
    with urllib.request.urlopen(request) as answer:
        return answer.read()


def fault(route, kind, **fields):
    _ask("POST", "faults", {"route": route, "kind": kind, **fields})


def script(*replies, transcripts=()):
    _ask("POST", "script", {"replies": list(replies), "transcripts": list(transcripts)})


def log():
    return json.loads(_ask("GET", "log"))


def last(route):
    return [record for record in log() if record["route"] == route][-1]


def ending(route):
    """How the last request of a route ended; waits for it."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if found := last(route)["ending"]:
            return found
        time.sleep(0.01)
    raise AssertionError(f"{route} has not ended")


@contextlib.contextmanager
def raises(kind, *words):
    """The block raises this, and its text holds the words."""
    try:
        yield
    except kind as error:
        for word in words:
            assert word in str(error), (word, error)
    else:
        raise AssertionError(f"{kind} was not raised")


def pcm(samples_ms, amplitude=8000, rate=16000):
    """A hum that is no code: what a recogniser takes for real speech."""
    count = rate * samples_ms // 1000
    return b"".join(struct.pack("<h", int(amplitude * math.sin(i * 0.173))) for i in range(count))
