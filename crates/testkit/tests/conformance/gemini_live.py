"""The google-genai package against Live (BidiGenerateContent). Its client insists on TLS."""

import asyncio

import websockets
from emulator import TLS_URL, code, ending, fault, last, raises, understood
from google import genai
from google.genai import errors, types

ROUTE = "gemini.live"
MODEL = "gemini-3.8-live"
client = genai.Client(api_key="key-one", http_options=types.HttpOptions(base_url=TLS_URL))
tool = types.Tool(function_declarations=[types.FunctionDeclaration(name="get_weather", behavior="BLOCKING")])
PAUSE = bytes(2 * 16000)


def config(**options):
    return types.LiveConnectConfig(**({
        "response_modalities": ["AUDIO"], "system_instruction": "be brief", "tools": [tool],
        "input_audio_transcription": {}, "output_audio_transcription": {},
        "session_resumption": types.SessionResumptionConfig(),
        "context_window_compression": types.ContextWindowCompressionConfig(sliding_window=types.SlidingWindow()),
        "speech_config": types.SpeechConfig(voice_config=types.VoiceConfig(
            prebuilt_voice_config=types.PrebuiltVoiceConfig(voice_name="Kore"))),
    } | options))


def connect(model=MODEL, **options):
    return client.aio.live.connect(model=model, config=config(**options))


class Heard:
    """What came up to the end of a turn, or to a call of a tool."""

    def __init__(self):
        self.audio, self.said, self.user, self.calls = b"", "", "", []
        self.interrupted = self.complete = False
        self.cancelled, self.handle, self.leaving = [], None, None

    async def receive(self, session, enough=lambda heard: heard.complete or heard.calls):
        async with asyncio.timeout(10):
            while not enough(self):
                self.take(await session._receive())
        return self

    def take(self, message):
        self.audio += message.data or b""
        if content := message.server_content:
            self.said += content.output_transcription.text if content.output_transcription else ""
            self.user += content.input_transcription.text if content.input_transcription else ""
            self.interrupted |= bool(content.interrupted)
            self.complete |= bool(content.turn_complete)
        if message.tool_call:
            self.calls = message.tool_call.function_calls
        if message.tool_call_cancellation:
            self.cancelled = message.tool_call_cancellation.ids
        if message.session_resumption_update:
            self.handle = message.session_resumption_update.new_handle
        if message.go_away:
            self.leaving = message.go_away.time_left


async def say(session, audio):
    for start in range(0, len(audio), 3200):
        blob = types.Blob(data=audio[start:start + 3200], mime_type="audio/pcm;rate=16000")
        await session.send_realtime_input(audio=blob)


async def conversation():
    async with connect() as session:
        # A turn that loudness ends: it is heard, understood and answered aloud.
        await say(session, code("good morning", 16000) + PAUSE)
        heard = await Heard().receive(session)
        assert heard.user == "good morning" and heard.handle
        assert heard.said == "You said: good morning" == understood(heard.audio)

        # A tool is called and answers.
        await session.send_client_content(turns=types.Content(role="user", parts=[
            types.Part(text='call get_weather {"city": "Zürich"}')]))
        (call,) = (await Heard().receive(session)).calls
        assert (call.name, call.args) == ("get_weather", {"city": "Zürich"})
        await session.send_tool_response(function_responses=[
            types.FunctionResponse(id=call.id, name=call.name, response={"output": "sunny"})])
        assert (await Heard().receive(session)).said == "The tool says: sunny"

        # Speech takes back a call that waits.
        await session.send_realtime_input(text="call get_weather")
        (call,) = (await Heard().receive(session)).calls
        await say(session, code("never mind", 16000) + PAUSE)
        heard = await Heard().receive(session)
        assert heard.cancelled == [call.id] and heard.said == "You said: never mind"
    assert ending(ROUTE) == "completed"
    record = last(ROUTE)
    assert record["authorization"] == "key-one" and record["request"]["setup"]["model"] == f"models/{MODEL}"


async def interruption():
    fault(ROUTE, "drip", after=5, ms=150)
    async with connect(session_resumption=None) as session:
        await say(session, code("hello", 16000) + PAUSE)
        await Heard().receive(session, lambda heard: heard.audio)
        await say(session, code("stop it now", 16000))
        heard = await Heard().receive(session)
        assert heard.interrupted and "hello" not in heard.said, heard.said


async def by_hand():
    manual = types.RealtimeInputConfig(automatic_activity_detection=types.AutomaticActivityDetection(disabled=True))
    async with connect(realtime_input_config=manual) as session:
        await session.send_realtime_input(activity_start=types.ActivityStart())
        await say(session, code("push to talk", 16000))
        await session.send_realtime_input(activity_end=types.ActivityEnd())
        heard = await Heard().receive(session)
        assert (heard.user, heard.said) == ("push to talk", "You said: push to talk")


async def history():
    # What was said before is not answered, only what is said now.
    manual = types.RealtimeInputConfig(automatic_activity_detection=types.AutomaticActivityDetection(disabled=True))
    before = types.HistoryConfig(initial_history_in_client_content=True)
    async with connect(realtime_input_config=manual, history_config=before) as session:
        await session.send_client_content(turns=[
            types.Content(role="user", parts=[types.Part(text="I am Ada")]),
            types.Content(role="model", parts=[types.Part(text="Hello Ada.")])], turn_complete=True)
        await session.send_realtime_input(activity_start=types.ActivityStart())
        await say(session, code("who am i", 16000))
        await session.send_realtime_input(activity_end=types.ActivityEnd())
        assert (await Heard().receive(session)).said == "You said: who am i"
    assert last(ROUTE)["request"]["items"][1]["parts"] == [{"text": "Hello Ada."}]
    forgotten = types.SessionResumptionConfig(handle="forgotten")
    with raises(errors.APIError, "1007"):
        async with connect(session_resumption=forgotten) as session:
            await session._receive()


async def ends():
    with raises(errors.APIError, "1007"):
        async with connect(model="gemini-none") as session:
            await session._receive()
    fault(ROUTE, "go_away", after=2)
    async with connect() as session:
        await session.send_realtime_input(text="hello")
        heard = await Heard().receive(session)
        assert heard.leaving == "9.5s" and heard.complete
    fault(ROUTE, "error", after=3, code="INTERNAL", message="Deadline expired")
    async with connect() as session:
        await session.send_realtime_input(text="hello")
        with raises(errors.APIError, "1011", "Deadline expired"):
            await Heard().receive(session)
    fault(ROUTE, "reset", after=3)
    async with connect() as session:
        await session.send_realtime_input(text="hello")
        with raises((errors.APIError, websockets.exceptions.ConnectionClosed)):
            await Heard().receive(session)
    assert ending(ROUTE) == "broken_off"


async def main():
    for part in (conversation, interruption, by_hand, history, ends):
        await part()


asyncio.run(main())
