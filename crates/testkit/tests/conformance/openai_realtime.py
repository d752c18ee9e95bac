"""The openai package against the WebSocket /realtime: conversation and transcription."""

import asyncio
import base64

import websockets
from emulator import TLS_URL, URL, code, ending, fault, last, raises, script, understood
from openai import AsyncOpenAI

ROUTE = "openai.realtime"
client = AsyncOpenAI(base_url=f"{URL}/openai/v1", api_key="key-one", max_retries=0)
PAUSE = bytes(2 * 24000)


def connect(client=client, **options):
    return client.realtime.connect(**({"model": "gpt-realtime-2.1"} | options))


async def until(session, kind):
    """All events up to one of this kind."""
    events = []
    async with asyncio.timeout(10):
        async for event in session:
            assert event.type != "error" or kind == "error", event
            events.append(event)
            if event.type == kind:
                return events
    raise AssertionError(f"{kind} did not come, only {[event.type for event in events]}")


async def say(session, audio):
    for start in range(0, len(audio), 9600):
        await session.input_audio_buffer.append(audio=base64.b64encode(audio[start:start + 9600]).decode())


def kinds(events):
    return [event.type for event in events]


def transcript(events):
    return "".join(event.delta for event in events if event.type == "response.output_audio_transcript.delta")


def sound(events):
    return b"".join(base64.b64decode(event.delta) for event in events if event.type == "response.output_audio.delta")


async def conversation():
    async with connect() as session:
        (created,) = await until(session, "session.created")
        assert created.session.model == "gpt-realtime-2.1" and created.session.audio.input.turn_detection.type == "server_vad"
        await session.session.update(session={
            "type": "realtime", "instructions": "be brief",
            "audio": {"input": {"transcription": {"model": "gpt-transcribe"}}},
            "tools": [{"type": "function", "name": "get_weather", "parameters": {"type": "object"}}]})
        updated = (await until(session, "session.updated"))[-1]
        assert updated.session.instructions == "be brief" and updated.session.audio.output.voice == "alloy"

        # A turn that loudness ends: it is heard, understood and answered aloud.
        await say(session, code("good morning") + PAUSE)
        events = await until(session, "response.done")
        assert kinds(events)[:4] == [
            "input_audio_buffer.speech_started", "input_audio_buffer.speech_stopped",
            "input_audio_buffer.committed", "conversation.item.added"], kinds(events)
        heard = next(event for event in events if event.type.endswith("input_audio_transcription.completed"))
        assert heard.transcript == "good morning"
        assert transcript(events) == "You said: good morning" == understood(sound(events))
        done = events[-1].response
        assert done.status == "completed" and done.output[0].content[0].transcript == "You said: good morning"
        assert done.usage.total_tokens > 0

        # What was heard of it is told; a tool is called and answers.
        await session.conversation.item.truncate(item_id=done.output[0].id, content_index=0, audio_end_ms=400)
        assert (await until(session, "conversation.item.truncated"))[-1].audio_end_ms == 400
        await say(session, code('call get_weather {"city":"Zürich"}') + PAUSE)
        events = await until(session, "response.done")
        call = events[-1].response.output[0]
        assert (call.type, call.name, call.arguments) == ("function_call", "get_weather", '{"city":"Zürich"}')
        assert "response.function_call_arguments.done" in kinds(events)
        await session.conversation.item.create(
            item={"type": "function_call_output", "call_id": call.call_id, "output": "sunny"})
        await session.response.create()
        assert transcript(await until(session, "response.done")) == "The tool says: sunny"

        # A turn in text.
        await session.conversation.item.create(
            item={"type": "message", "role": "user", "content": [{"type": "input_text", "text": "and in text"}]})
        await session.response.create()
        assert transcript(await until(session, "response.done")) == "You said: and in text"
    assert ending(ROUTE) == "completed" and last(ROUTE)["authorization"] == "Bearer key-one"
    assert last(ROUTE)["request"]["truncated"]["audio_end_ms"] == 400


async def interruption():
    # The answer stalls after its first words; speech over it ends it.
    fault(ROUTE, "drip", after=9, ms=150)
    async with connect() as session:
        await until(session, "session.created")
        await say(session, code("hello") + PAUSE)
        events = await until(session, "response.output_audio.delta")
        await say(session, code("stop it now"))
        events = await until(session, "response.done")
        assert "input_audio_buffer.speech_started" in kinds(events)
        assert events[-1].response.status == "cancelled"
        assert events[-1].response.status_details.reason == "turn_detected"


async def by_hand():
    async with connect(AsyncOpenAI(base_url=f"{TLS_URL}/openai/v1", api_key="k")) as session:
        await session.session.update(session={"type": "realtime", "audio": {"input": {"turn_detection": None}}})
        await until(session, "session.updated")
        await session.input_audio_buffer.commit()
        assert (await until(session, "error"))[-1].error.code == "input_audio_buffer_commit_empty"
        await session.response.cancel()
        assert (await until(session, "error"))[-1].error.code == "response_cancel_not_active"
        await say(session, code("push to talk"))
        await session.input_audio_buffer.commit()
        await until(session, "conversation.item.done")
        script({"text": "All right."})
        await session.response.create()
        events = await until(session, "response.done")
        assert transcript(events) == "All right." == understood(sound(events))

        # It forgets what it said.
        said = events[-1].response.output[0].id
        await session.conversation.item.delete(item_id=said)
        assert (await until(session, "conversation.item.deleted"))[-1].item_id == said
        await session.conversation.item.delete(item_id="item_none", event_id="mine")
        error = (await until(session, "error"))[-1].error
        assert (error.code, error.event_id) == ("item_delete_invalid_item_id", "mine")


async def transcription():
    async with client.realtime.connect(extra_query={"intent": "transcription"}) as session:
        await session.session.update(session={"type": "transcription", "audio": {"input": {
            "format": {"type": "audio/pcm", "rate": 24000},
            "transcription": {"model": "gpt-transcribe", "language": "en"}, "turn_detection": None}}})
        await until(session, "session.updated")
        await say(session, code("only listen"))
        await session.input_audio_buffer.commit()
        events = await until(session, "conversation.item.input_audio_transcription.completed")
        assert events[-1].transcript == "only listen"
        deltas = [event.delta for event in events if event.type.endswith("input_audio_transcription.delta")]
        assert deltas == ["only ", "listen"]


async def faults():
    fault(ROUTE, "error", code="RESOURCE_EXHAUSTED")
    with raises(websockets.exceptions.InvalidStatus, "429"):
        async with connect():
            pass
    with raises(websockets.exceptions.InvalidStatus, "404"):
        async with connect(model="no-such-model"):
            pass
    for kind in ("reset", "cut"):
        fault(ROUTE, kind, after=1)
        async with connect() as session:
            await session.session.update(session={"type": "realtime"})
            with raises(websockets.exceptions.ConnectionClosedError):
                await session.recv(), await session.recv()
        assert ending(ROUTE) == "broken_off"
    fault(ROUTE, "go_away", after=1)
    async with connect() as session:
        await session.session.update(session={"type": "realtime"})
        assert (await until(session, "error"))[-1].error.code == "session_expired"


async def main():
    for part in (conversation, interruption, by_hand, transcription, faults):
        await part()


asyncio.run(main())
