"""The google-cloud-texttospeech package against StreamingSynthesize, SynthesizeSpeech and ListVoices.

The test lets the emulator's limit of 5 s without text be half a second, and its quota of 100 streams be 3.
"""

import asyncio
import time

import grpc
from emulator import ADDRESS, TLS_ADDRESS, ending, fault, last, log, raises, understood, until
from google.api_core import exceptions
from google.api_core.client_options import ClientOptions
from google.cloud import speech_v2
from google.cloud import texttospeech as wire
from google.cloud.speech_v2.services.speech.transports import SpeechGrpcTransport
from google.cloud.speech_v2.types import cloud_speech as speech
from google.cloud.texttospeech_v1.services.text_to_speech.transports import (
    TextToSpeechGrpcAsyncIOTransport,
    TextToSpeechGrpcTransport,
)
from google.oauth2.credentials import Credentials
from google.rpc import error_details_pb2

ROUTE = "google.streaming_synthesize"
ears = speech_v2.SpeechClient(transport=SpeechGrpcTransport(channel=grpc.insecure_channel(ADDRESS)))
client = wire.TextToSpeechClient(transport=TextToSpeechGrpcTransport(channel=grpc.insecure_channel(ADDRESS)))
VOICE = "en-US-Chirp3-HD-Charon"
PIECES = ["Hello there. ", "How are ", "you today? ", "Fine"]
SAID = "Hello there. How are you today? Fine"


def requests(encoding=wire.AudioEncoding.PCM, voice=VOICE, rate=24000, model="", pause=0, pieces=PIECES):
    yield wire.StreamingSynthesizeRequest(streaming_config=wire.StreamingSynthesizeConfig(
        voice=wire.VoiceSelectionParams(language_code="en-US", name=voice, model_name=model),
        streaming_audio_config=wire.StreamingAudioConfig(audio_encoding=encoding, sample_rate_hertz=rate)))
    for piece in pieces:
        time.sleep(pause)
        yield wire.StreamingSynthesizeRequest(input=wire.StreamingSynthesisInput(text=piece))


def speak(client=client, **options):
    return [answer.audio_content for answer in client.streaming_synthesize(requests(**options))]


def telephone_understands(audio, encoding):
    """What Google's recogniser understands of a telephone's sound."""
    config = speech.RecognitionConfig(
        explicit_decoding_config={"encoding": encoding, "sample_rate_hertz": 8000, "audio_channel_count": 1},
        model="telephony", language_codes=["en-US"])
    recognizer = "projects/p/locations/us/recognizers/_"
    answer = ears.recognize(request=speech.RecognizeRequest(recognizer=recognizer, config=config, content=audio))
    return " ".join(result.alternatives[0].transcript for result in answer.results) == SAID


# Sentences are spoken as they become whole; the half close speaks the rest.
pieces = speak()
assert len(pieces) > 3 and understood(b"".join(pieces)) == SAID
assert ending(ROUTE) == "completed" and last(ROUTE)["request"]["text"] == SAID
assert last(ROUTE)["request"]["voice"] == VOICE

# Other rates and encodings; a Gemini voice by its model; over TLS as in production.
assert understood(b"".join(speak(rate=16000)), 16000) == SAID
mu_law = b"".join(speak(encoding=wire.AudioEncoding.MULAW, rate=8000))
assert len(mu_law) * 6 == len(b"".join(pieces)) and telephone_understands(mu_law, "MULAW")
assert telephone_understands(b"".join(speak(encoding=wire.AudioEncoding.ALAW, rate=8000)), "ALAW")
assert understood(b"".join(speak(voice="Kore", model="gemini-2.5-flash-tts"))) == SAID
secure = wire.TextToSpeechClient(
    credentials=Credentials(token="tok"), client_options=ClientOptions(api_endpoint=TLS_ADDRESS))
assert understood(b"".join(speak(secure))) == SAID and last(ROUTE)["authorization"] == "Bearer tok"


def synthesise(text=SAID, encoding=wire.AudioEncoding.LINEAR16):
    return client.synthesize_speech(
        input=wire.SynthesisInput(text=text), voice=wire.VoiceSelectionParams(language_code="en-US", name=VOICE),
        audio_config=wire.AudioConfig(audio_encoding=encoding, sample_rate_hertz=24000)).audio_content


# At once: LINEAR16 with a head, PCM without. The voices.
whole = synthesise()
assert whole[:4] == b"RIFF" and understood(whole[44:]) == SAID
assert synthesise(encoding=wire.AudioEncoding.PCM) == whole[44:]
voices = client.list_voices(language_code="en-US").voices
assert VOICE in [voice.name for voice in voices] and all(voice.language_codes == ["en-US"] for voice in voices)
assert len(client.list_voices().voices) > len(voices)

# Mistakes of the caller.
with raises(exceptions.InvalidArgument, "Unsupported audio encoding"):
    speak(encoding=wire.AudioEncoding.LINEAR16)
with raises(exceptions.InvalidArgument, "only Chirp 3: HD voices"):
    speak(voice="en-US-Neural2-A")
with raises(exceptions.InvalidArgument, "longer than the limit of 5000 bytes"):
    synthesise("a" * 5001)
with raises(exceptions.Aborted, "at least every 5s seconds"):
    speak(pause=1)

# The quota of streams at a time; the one that ends makes room.
fault(ROUTE, "silence", after=1, times=3)
held = [client.streaming_synthesize(requests()) for _ in range(3)]
for stream in held:
    next(iter(stream))
with raises(exceptions.ResourceExhausted, "Concurrent streaming sessions"):
    speak()
held[0].cancel()
until(lambda: "client_left" in [record["ending"] for record in log()[-4:]])
assert understood(b"".join(speak())) == SAID
for stream in held[1:]:
    stream.cancel()

# Refusals.
fault(ROUTE, "error", code="RESOURCE_EXHAUSTED", retry_after_ms=3000)
try:
    speak()
    raise AssertionError("the quota is used up")
except exceptions.ResourceExhausted as error:
    delays = [detail.retry_delay.seconds for detail in error.details if isinstance(detail, error_details_pb2.RetryInfo)]
    assert delays == [3], error.details
fault(ROUTE, "error", code="UNAVAILABLE")
with raises(exceptions.ServiceUnavailable):
    speak()
fault("google.synthesize_speech", "error", code="INTERNAL")
with raises(exceptions.InternalServerError):
    synthesise()


def broken(kind, timeout=None, **fields):
    """How many pieces came before it broke, and how the client tells."""
    fault(ROUTE, kind, after=2, **fields)
    heard = []
    try:
        for answer in client.streaming_synthesize(requests(), timeout=timeout):
            heard.append(answer.audio_content)
    except Exception as error:
        return len(heard), error
    return len(heard), None


# Faults within the speech.
heard, error = broken("error", code="INTERNAL", message="Internal error encountered.")
assert heard == 2 and isinstance(error, exceptions.InternalServerError), repr(error)
heard, error = broken("reset")
assert isinstance(error, exceptions.ServiceUnavailable), repr(error)
heard, error = broken("cut")  # The client may drop what it did not read before.
assert heard <= 2 and isinstance(error, exceptions.GoogleAPICallError), repr(error)
heard, error = broken("silence", timeout=0.5)
assert heard == 2 and isinstance(error, exceptions.DeadlineExceeded), repr(error)
assert ending(ROUTE) == "client_left"
heard, error = broken("stall", ms=1)
assert heard == len(pieces) and error is None

# Who cancels is noticed.
fault(ROUTE, "silence", after=1)
stream = client.streaming_synthesize(requests())
next(iter(stream))
stream.cancel()
assert ending(ROUTE) == "client_left"


async def asynchronous():
    transport = TextToSpeechGrpcAsyncIOTransport(channel=grpc.aio.insecure_channel(ADDRESS))

    async def paced():
        for request in requests():
            yield request

    stream = await wire.TextToSpeechAsyncClient(transport=transport).streaming_synthesize(paced())
    assert understood(b"".join([answer.audio_content async for answer in stream])) == SAID


asyncio.run(asynchronous())
