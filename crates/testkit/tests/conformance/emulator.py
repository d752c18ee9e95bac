"""What the scripts share: where the emulator is, its faults, its script and its log."""

import contextlib
import io
import json
import math
import os
import struct
import time
import urllib.request
import wave

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


def until(look):
    """What this finds, once it finds something."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if found := look():
            return found
        time.sleep(0.01)
    raise AssertionError("it did not come about")


def ending(route):
    """How the last request of a route ended; waits for it."""
    return until(lambda: last(route)["ending"])


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


def code(text, rate=24000):
    """The text as the emulator's own voice says it: 16-bit samples."""
    body = json.dumps({"model": "tts-1", "voice": "alloy", "input": text, "response_format": "pcm"}).encode()
    headers = {"authorization": "Bearer k", "content-type": "application/json"}
    request = urllib.request.Request(f"{URL}/openai/v1/audio/speech", body, headers)
    with urllib.request.urlopen(request) as answer:
        samples = answer.read()
    if rate == 24000:
        return samples
    # Two samples of three, by straight lines between them: the tones are far below what that could harm.
    numbers = struct.unpack(f"<{len(samples) // 2}h", samples)
    between = [numbers[i * 3 // 2] if i % 2 == 0 else sum(numbers[i * 3 // 2:i * 3 // 2 + 2]) // 2
               for i in range(len(numbers) * 2 // 3)]
    return struct.pack(f"<{len(between)}h", *between)


def understood(samples, rate=24000):
    """What the emulator's own recogniser understands in 16-bit samples."""
    head = b'--b\r\ncontent-disposition: form-data; name="model"\r\n\r\nwhisper-1\r\n'
    head += b'--b\r\ncontent-disposition: form-data; name="file"; filename="a.wav"\r\n\r\n'
    headers = {"authorization": "Bearer k", "content-type": "multipart/form-data; boundary=b"}
    body = head + wav(samples, rate) + b"\r\n--b--\r\n"
    request = urllib.request.Request(f"{URL}/openai/v1/audio/transcriptions", body, headers)
    with urllib.request.urlopen(request) as answer:
        return json.loads(answer.read())["text"]


def wav(samples, rate=24000):
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1), out.setsampwidth(2), out.setframerate(rate)
        out.writeframes(samples)
    return file.getvalue()


def pcm(samples_ms, amplitude=8000, rate=16000):
    """A hum that is no code: what a recogniser takes for real speech."""
    count = rate * samples_ms // 1000
    return b"".join(struct.pack("<h", int(amplitude * math.sin(i * 0.173))) for i in range(count))
