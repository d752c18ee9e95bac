"""The google-genai package against generateContent, streamGenerateContent and models."""

import asyncio

import httpx2 as httpx
from emulator import TLS_URL, URL, ending, fault, last, raises, script
from google import genai
from google.genai import errors, types
from google.oauth2.credentials import Credentials

ROUTE = "gemini.stream"
MODEL = "gemini-3.8-flash"


clients = []


def connect(url=URL, **options):
    """A client that stays: one that is forgotten closes the connection below its streams."""
    clients.append(genai.Client(api_key="key-one", http_options=types.HttpOptions(base_url=url, **options)))
    return clients[-1]


client = connect(timeout=10_000)
tool = types.Tool(function_declarations=[types.FunctionDeclaration(
    name="get_weather", description="The weather", parameters_json_schema={
        "type": "object", "properties": {"city": {"type": "string"}}})])
config = types.GenerateContentConfig(
    system_instruction="be brief", max_output_tokens=64, temperature=0.7,
    thinking_config=types.ThinkingConfig(thinking_level="LOW"))


def stream(contents="hello there", client=client, model=MODEL, config=config):
    return client.models.generate_content_stream(model=model, contents=contents, config=config)


def text(chunks):
    return "".join(chunk.text or "" for chunk in chunks)


# A stream, its finish reason and its usage.
chunks = list(stream())
assert text(chunks) == "You said: hello there"
assert chunks[-1].candidates[0].finish_reason == types.FinishReason.STOP
assert all(chunk.candidates[0].finish_reason is None for chunk in chunks[:-1])
assert chunks[-1].usage_metadata.total_token_count == 8 and chunks[-1].model_version == MODEL
record = last(ROUTE)
assert record["authorization"] == "key-one" and record["path"].startswith("/v1/models/gemini-3.8-flash:stream"), record
assert record["request"]["systemInstruction"]["parts"][0]["text"] == "be brief"

# At once; on v1beta; over TLS; on Vertex AI with a token.
assert client.models.generate_content(model=MODEL, contents="hi").text == "You said: hi"
assert text(stream(client=connect(api_version="v1beta"))) == "You said: hello there"
assert text(stream(client=connect(TLS_URL))) == "You said: hello there"
vertex = genai.Client(
    vertexai=True, project="p", location="us-central1", credentials=Credentials(token="tok"),
    http_options=types.HttpOptions(base_url=URL))
assert text(stream(client=vertex)) == "You said: hello there"
assert last(ROUTE)["authorization"] == "Bearer tok" and "/projects/p/locations/us-central1/" in last(ROUTE)["path"]

# A call of a tool; its result goes back with the signature that came with it.
with_tool = types.GenerateContentConfig(tools=[tool])
script({"text": "One moment.", "calls": [{"name": "get_weather", "arguments": {"city": "Zürich"}}]})
chunks = list(stream(config=with_tool))
parts = [part for chunk in chunks for part in chunk.candidates[0].content.parts]
call = next(part for part in parts if part.function_call)
assert text(chunks[:2]) == "One moment." and call.function_call.args == {"city": "Zürich"} and call.thought_signature
asked = types.Content(role="user", parts=[types.Part(text="weather?")])
answered = types.Content(role="user", parts=[types.Part(function_response=types.FunctionResponse(
    id=call.function_call.id, name="get_weather", response={"output": "sunny"}))])
history = [asked, types.Content(role="model", parts=[call]), answered]
assert text(stream(history, config=with_tool)) == "The tool says: sunny"
unsigned = types.Content(role="model", parts=[types.Part(function_call=call.function_call)])
with raises(errors.ClientError, "400", "thought_signature"):
    list(stream([asked, unsigned, answered], config=with_tool))
with raises(errors.ClientError, "400", "number of function response parts"):
    list(stream(history[:2] + [asked], config=with_tool))

# Other ends. A block is no error: no candidate, and a reason.
short = types.GenerateContentConfig(max_output_tokens=2)
assert list(stream(config=short))[-1].candidates[0].finish_reason == types.FinishReason.MAX_TOKENS
script({"blocked": True})
(blocked,) = list(stream())
assert not blocked.candidates and blocked.prompt_feedback.block_reason == types.BlockedReason.PROHIBITED_CONTENT

# Mistakes of the caller.
with raises(errors.ClientError, "404", "NOT_FOUND"):
    list(stream(model="gemini-none"))
minimal = types.GenerateContentConfig(thinking_config=types.ThinkingConfig(thinking_level="MINIMAL"))
with raises(errors.ClientError, "400", "MINIMAL"):
    list(stream(config=minimal))
assert text(stream(model="gemini-3.5-flash-lite", config=minimal)) == "You said: hello there"
assert f"models/{MODEL}" in [model.name for model in client.models.list()]
assert client.models.get(model=MODEL).name == f"models/{MODEL}"

# Refusals.
fault(ROUTE, "error", code="RESOURCE_EXHAUSTED", retry_after_ms=2500)
try:
    list(stream())
    raise AssertionError("the quota is used up")
except errors.ClientError as error:
    assert (error.code, error.status) == (429, "RESOURCE_EXHAUSTED"), error
    delays = [detail.get("retryDelay") for detail in error.details["error"]["details"]]
    assert delays == [None, "2.5s"], delays
for code, status in (("UNAVAILABLE", 503), ("INTERNAL", 500)):
    fault(ROUTE, "error", code=code)
    with raises(errors.ServerError, str(status)):
        list(stream())
fault(ROUTE, "error", code="UNAVAILABLE", times=2)
patient = connect(retry_options=types.HttpRetryOptions(attempts=3, initial_delay=0.01, jitter=0))
assert text(stream(client=patient)) == "You said: hello there"


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


# Faults before and within the answer. A clean cut looks like a short answer: only the finish reason is missing.
assert isinstance(broken("reset", after=0)[1], httpx.TransportError)
heard, error = broken("cut")
assert (heard, error) == ("You said: hello", None), (heard, error)
heard, error = broken("reset")  # It may overtake what was sent before it.
assert "You said: hello".startswith(heard) and isinstance(error, httpx.TransportError), repr(error)
heard, error = broken("silence", client=connect(timeout=300))
assert heard == "You said: hello" and isinstance(error, httpx.ReadTimeout), repr(error)
assert ending(ROUTE) == "client_left"
heard, error = broken("error", code="UNAVAILABLE", message="overloaded")
assert heard == "You said: hello" and isinstance(error, errors.APIError) and error.code == 503, repr(error)
heard, error = broken("garbage")
assert heard == "You said: hello" and isinstance(error, errors.UnknownApiResponseError), repr(error)
for kind in ("stall", "drip", "go_away"):
    heard, error = broken(kind, **({} if kind == "go_away" else {"ms": 1}))
    assert (heard, error) == ("You said: hello there", None), (kind, heard, error)


async def asynchronous():
    chunks = await client.aio.models.generate_content_stream(model=MODEL, contents="hi", config=config)
    assert text([chunk async for chunk in chunks]) == "You said: hi"


asyncio.run(asynchronous())
