"""The openai package against /audio/speech and /audio/transcriptions."""

import base64
import json

import httpx2 as httpx
import openai
from emulator import URL, ending, fault, last, pcm, raises, script, wav

client = openai.OpenAI(base_url=f"{URL}/openai/v1", api_key="k", max_retries=0, timeout=10)
WORDS = "Good morning, Zürich! It is 7:30."


def speak(**options):
    options = {"model": "gpt-4o-mini-tts", "voice": "alloy", "input": WORDS, "response_format": "pcm"} | options
    return client.audio.speech.with_streaming_response.create(**options)


def recording(samples, rate=24000):
    return ("speech.wav", wav(samples, rate))


def transcribe(file, **options):
    return client.audio.transcriptions.create(model="gpt-transcribe", file=file, **options)


# Raw speech comes in pieces, cut anywhere; what was said is what is understood.
with speak() as answer:
    assert answer.headers["content-type"] == "audio/pcm"
    pieces = list(answer.iter_bytes())
raw = b"".join(pieces)
assert len(pieces) > 3 and any(len(piece) % 2 for piece in pieces), [len(piece) for piece in pieces]
assert transcribe(recording(raw)).text == WORDS
assert last("openai.speech")["request"]["voice"] == "alloy"

# As a file, and as events.
with speak(response_format="wav") as answer:
    body = answer.read()
    assert body[:4] == b"RIFF" and body[44:] == raw and answer.headers["content-type"] == "audio/wav"
with speak(stream_format="sse") as answer:
    events = [line for line in answer.iter_lines() if line.startswith("data: ")]
events = [json.loads(event.removeprefix("data: ")) for event in events]
assert b"".join(base64.b64decode(event["audio"]) for event in events[:-1]) == raw
assert events[-1]["type"] == "speech.audio.done" and events[-1]["usage"]["total_tokens"] > 0

# Transcripts: plain, as text, with hints, streamed.
assert transcribe(recording(raw), response_format="text").strip() == WORDS
assert transcribe(recording(raw), language="en", prompt="Zürich").text == WORDS
assert last("openai.transcription")["request"]["language"] == "en"
events = list(transcribe(recording(raw), stream=True))
assert "".join(event.delta for event in events[:-1]) == WORDS == events[-1].text
assert events[0].type == "transcript.text.delta" and events[-1].type == "transcript.text.done"
script(transcripts=["what a person said"])
assert transcribe(recording(pcm(1200), 16000)).text == "what a person said"

# Mistakes of the caller.
with raises(openai.BadRequestError, "too short"):
    transcribe(recording(b"\0\0" * 100))
with raises(openai.BadRequestError, "corrupted or unsupported"):
    transcribe(("speech.wav", b"no audio at all"))
with raises(openai.BadRequestError, "maximum length 4096"):
    with speak(input="a" * 4097):
        pass
with raises(openai.NotFoundError):
    with speak(model="no-such-voice"):
        pass

# Faults.
for route, ask in (("openai.speech", lambda: speak().__enter__()), ("openai.transcription", lambda: transcribe(recording(raw)))):
    fault(route, "error", code="RESOURCE_EXHAUSTED", retry_after_ms=1000)
    with raises(openai.RateLimitError):
        ask()
    fault(route, "error", code="UNAVAILABLE")
    with raises(openai.InternalServerError):
        ask()
    fault(route, "reset")
    with raises(openai.APIConnectionError):
        ask()
fault("openai.speech", "cut", after=2)
with speak() as answer:
    assert 0 < len(answer.read()) < len(raw)
fault("openai.speech", "reset", after=2)
with raises((httpx.TransportError, openai.APIConnectionError)):
    with speak() as answer:
        answer.read()
fault("openai.speech", "silence", after=2)
with speak() as answer:
    next(answer.iter_bytes())
assert ending("openai.speech") == "client_left"
