"""The openai package against /chat/completions and /models."""

import json

import httpx2 as httpx
import openai
from emulator import TLS_URL, URL, ending, fault, last, log, raises, script

ROUTE = "openai.chat"
client = openai.OpenAI(base_url=f"{URL}/openai/v1", api_key="sk-one", max_retries=0, timeout=10)
hello = [{"role": "user", "content": "hello there"}]
tools = [
    {"type": "function", "function": {"name": name, "parameters": {"type": "object", "properties": {}}}}
    for name in ("get_weather", "get_time")
]


def stream(messages=hello, client=client, **options):
    return client.chat.completions.create(model="gpt-4o-mini", messages=messages, stream=True, **options)


def text(chunks):
    return "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)


# A stream, its finish reason and its usage.
chunks = list(stream(stream_options={"include_usage": True}))
assert text(chunks) == "You said: hello there", text(chunks)
assert chunks[-2].choices[0].finish_reason == "stop" and chunks[0].choices[0].delta.role == "assistant"
assert chunks[-1].choices == [] and chunks[-1].usage.completion_tokens == 4, chunks[-1]
assert all(chunk.usage is None for chunk in chunks[:-1])
assert ending(ROUTE) == "completed" and last(ROUTE)["authorization"] == "Bearer sk-one"
assert last(ROUTE)["request"]["messages"] == hello

# At once, and over TLS.
whole = openai.OpenAI(base_url=f"{TLS_URL}/openai/v1", api_key="k", max_retries=0)
answer = whole.chat.completions.create(model="gpt-4o-mini", messages=hello)
assert answer.choices[0].message.content == "You said: hello there" and answer.usage.total_tokens == 6

# Two calls of tools at once, then their results.
script({"text": "One moment.", "calls": [
    {"name": "get_weather", "arguments": {"city": "Zürich", "days": 3}},
    {"name": "get_time", "arguments": {}},
]})
calls, said, reason = {}, "", None
for chunk in stream(tools=tools):
    choice = chunk.choices[0]
    said += choice.delta.content or ""
    reason = choice.finish_reason or reason
    for part in choice.delta.tool_calls or []:
        call = calls.setdefault(part.index, {"id": part.id, "name": part.function.name, "arguments": ""})
        call["arguments"] += part.function.arguments or ""
assert said == "One moment." and reason == "tool_calls"
assert json.loads(calls[0]["arguments"]) == {"city": "Zürich", "days": 3} and calls[1]["name"] == "get_time"
history = hello + [
    {"role": "assistant", "content": said, "tool_calls": [
        {"id": call["id"], "type": "function", "function": {"name": call["name"], "arguments": call["arguments"]}}
        for call in calls.values()]},
    {"role": "tool", "tool_call_id": calls[0]["id"], "content": "rain"},
    {"role": "tool", "tool_call_id": calls[1]["id"], "content": "noon"},
]
assert text(stream(history, tools=tools)) == "The tool says: noon"
answer = client.chat.completions.create(
    model="gpt-4o-mini", messages=[{"role": "user", "content": 'call get_time {"zone": "CET"}'}], tools=tools)
call = answer.choices[0].message.tool_calls[0]
assert call.function.name == "get_time" and json.loads(call.function.arguments) == {"zone": "CET"}

# Other ends.
assert [c.choices[0].finish_reason for c in stream(max_completion_tokens=2)][-1] == "length"
script({"blocked": True})
assert [c.choices[0].finish_reason for c in stream()][-1] == "content_filter"

# Mistakes of the caller.
with raises(openai.BadRequestError, "must be followed by tool messages"):
    stream(history[:2] + hello)
with raises(openai.BadRequestError, "must be a response to a preceeding message"):
    stream(hello + history[2:3])
with raises(openai.BadRequestError, "empty array"):
    stream([])
with raises(openai.NotFoundError, "does not exist"):
    client.chat.completions.create(model="no-such-model", messages=hello)
assert "gpt-4o-mini" in [model.id for model in client.models.list()]
assert client.models.retrieve("tts-1").id == "tts-1"

# Refusals, and the client's own way with them.
fault(ROUTE, "error", code="RESOURCE_EXHAUSTED", retry_after_ms=2500)
try:
    stream()
    raise AssertionError("the quota is used up")
except openai.RateLimitError as error:
    assert error.status_code == 429 and error.code == "rate_limit_exceeded"
    assert error.response.headers["retry-after"] == "3" and error.response.headers["retry-after-ms"] == "2500"
fault(ROUTE, "error", code="RESOURCE_EXHAUSTED", retry_after_ms=10)
before = len(log())
assert text(stream(client=client.with_options(max_retries=1))) == "You said: hello there"
assert len(log()) == before + 2
for code, status in (("INTERNAL", 500), ("UNAVAILABLE", 503)):
    fault(ROUTE, "error", code=code)
    with raises(openai.InternalServerError):
        stream()
fault(ROUTE, "error", code="UNAUTHENTICATED")
with raises(openai.AuthenticationError):
    stream()

# Transport faults before the answer.
fault(ROUTE, "reset")
with raises(openai.APIConnectionError):
    stream()
fault(ROUTE, "silence")
with raises(openai.APITimeoutError):
    stream(client=client.with_options(timeout=0.2))
assert ending(ROUTE) == "client_left"


def broken(kind, after=3, client=client, **fields):
    """What was heard of an answer before it broke, and how the client tells."""
    fault(ROUTE, kind, after=after, **fields)
    heard = []
    try:
        for chunk in stream(client=client):
            heard.append(chunk)
    except Exception as error:
        return text(heard), error
    return text(heard), None


# Faults within the answer. A clean cut looks like a short answer: only the finish reason is missing.
heard, error = broken("cut")
assert (heard, error) == ("You said:", None)
heard, error = broken("reset")  # It may overtake what was sent before it.
assert "You said:".startswith(heard) and isinstance(error, (httpx.TransportError, openai.APIConnectionError)), repr(error)
heard, error = broken("silence", client=client.with_options(timeout=0.2))
assert heard == "You said:" and isinstance(error, (httpx.ReadTimeout, openai.APITimeoutError)), repr(error)
assert ending(ROUTE) == "client_left"
heard, error = broken("error", code="UNAVAILABLE", message="overloaded")
assert heard == "You said:" and isinstance(error, openai.APIError) and "overloaded" in str(error), repr(error)
heard, error = broken("garbage")
assert heard == "You said:" and isinstance(error, json.JSONDecodeError), repr(error)
for kind in ("stall", "drip", "go_away"):
    heard, error = broken(kind, **({} if kind == "go_away" else {"ms": 1}))
    assert (heard, error) == ("You said: hello there", None), (kind, heard, error)

# Who closes an answer early is noticed.
fault(ROUTE, "silence", after=2)
answer = stream()
next(iter(answer))
answer.close()
assert ending(ROUTE) == "client_left"
