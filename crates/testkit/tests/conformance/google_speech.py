"""The google-cloud-speech package (v2) against StreamingRecognize and Recognize."""

import asyncio
import threading
from datetime import timedelta

import grpc
from emulator import ADDRESS, TLS_ADDRESS, code, ending, fault, last, pcm, raises, script, wav
from google.api_core import exceptions
from google.api_core.client_options import ClientOptions
from google.auth.credentials import AnonymousCredentials
from google.cloud import speech_v2
from google.cloud.speech_v2.services.speech.transports import SpeechGrpcAsyncIOTransport, SpeechGrpcTransport
from google.cloud.speech_v2.types import cloud_speech as wire
from google.oauth2.credentials import Credentials
from google.rpc import error_details_pb2

ROUTE = "google.streaming_recognize"
client = speech_v2.SpeechClient(transport=SpeechGrpcTransport(channel=grpc.insecure_channel(ADDRESS)))
RECOGNIZER = "projects/p/locations/us/recognizers/_"
BEGIN = wire.StreamingRecognizeResponse.SpeechEventType.SPEECH_ACTIVITY_BEGIN
SINGLE = wire.StreamingRecognizeResponse.SpeechEventType.END_OF_SINGLE_UTTERANCE
END = wire.StreamingRecognizeResponse.SpeechEventType.SPEECH_ACTIVITY_END


def spoken(text):
    """The text with a pause behind it."""
    return code(text) + bytes(2 * 24000)


def config(model="latest_long", rate=24000, words=True):
    return wire.RecognitionConfig(
        explicit_decoding_config=wire.ExplicitDecodingConfig(
            encoding=wire.ExplicitDecodingConfig.AudioEncoding.LINEAR16, sample_rate_hertz=rate,
            audio_channel_count=1),
        model=model, language_codes=["en-US"],
        features=wire.RecognitionFeatures(enable_automatic_punctuation=True, enable_word_time_offsets=words),
        adaptation=wire.SpeechAdaptation(phrase_sets=[wire.SpeechAdaptation.AdaptationPhraseSet(
            inline_phrase_set=wire.PhraseSet(phrases=[wire.PhraseSet.Phrase(value="Zürich", boost=10)]))]))


def requests(audio, chunk=4800, with_config=True, **options):
    if with_config:
        features = wire.StreamingRecognitionFeatures(interim_results=True, enable_voice_activity_events=True)
        yield wire.StreamingRecognizeRequest(
            recognizer=RECOGNIZER,
            streaming_config=wire.StreamingRecognitionConfig(config=config(**options), streaming_features=features))
    for start in range(0, len(audio), chunk):
        yield wire.StreamingRecognizeRequest(audio=audio[start:start + chunk])


def recognise(audio, client=client, **options):
    return list(client.streaming_recognize(requests=requests(audio, **options)))


def finals(answers):
    return [result.alternatives[0].transcript for answer in answers for result in answer.results if result.is_final]


def quota_delay(error):
    (delay,) = [detail.retry_delay.seconds for detail in error.details if isinstance(detail, error_details_pb2.RetryInfo)]
    return delay


# Two utterances in one stream: activity, interim results that grow, finals with the times of words.
audio = spoken("book a table in Zürich") + spoken("for two")
answers = recognise(audio)
assert finals(answers) == ["book a table in Zürich", "for two"], answers
assert [answer.speech_event_type for answer in answers if answer.speech_event_type] == [BEGIN, END, BEGIN, END]
interims = [
    "".join(result.alternatives[0].transcript for result in answer.results)
    for answer in answers if answer.results and not answer.results[0].is_final]
assert interims[:3] == ["book", "book a", "book a table"], interims
tail = next(answer for answer in answers if len(answer.results) == 2).results
assert tail[0].stability > 0.8 > 0.1 > tail[1].stability
final = next(answer for answer in answers if answer.results and answer.results[0].is_final)
words = final.results[0].alternatives[0].words
assert [word.word for word in words] == ["book", "a", "table", "in", "Zürich"]
assert words[0].start_offset < words[0].end_offset <= words[1].start_offset
assert final.results[0].alternatives[0].confidence > 0 and final.metadata.total_billed_duration.seconds >= 2
record = last(ROUTE)
assert ending(ROUTE) == "completed" and record["request"]["half_closed"] and record["request"]["model"] == "latest_long"
assert last(ROUTE)["request"]["recognizer"] == RECOGNIZER

# Real speech is taken for what the script says; a half close makes the rest final.
script(transcripts=["what a person said"])
assert finals(recognise(pcm(2000), rate=16000, chunk=3200)) == ["what a person said"]

# Over TLS as in production, with a token.
secure = speech_v2.SpeechClient(
    credentials=Credentials(token="tok", quota_project_id="q"), client_options=ClientOptions(api_endpoint=TLS_ADDRESS))
assert finals(recognise(audio, secure)) == ["book a table in Zürich", "for two"]
assert last(ROUTE)["authorization"] == "Bearer tok"
nobody = speech_v2.SpeechClient(
    credentials=AnonymousCredentials(), client_options=ClientOptions(api_endpoint=TLS_ADDRESS))
assert finals(recognise(audio, nobody)) == ["book a table in Zürich", "for two"]


# What ends a stream early: a model for one utterance, and the time limits of activity, which count audio.
def ended_early(audio, model="latest_long", **timeouts):
    def paced():
        features = wire.StreamingRecognitionFeatures(
            enable_voice_activity_events=True,
            voice_activity_timeout=wire.StreamingRecognitionFeatures.VoiceActivityTimeout(**timeouts))
        yield wire.StreamingRecognizeRequest(
            recognizer=RECOGNIZER,
            streaming_config=wire.StreamingRecognitionConfig(config=config(model), streaming_features=features))
        yield from requests(audio, with_config=False)
        # Only the server can end this one.
        assert ended.wait(10)

    ended = threading.Event()
    answers = list(client.streaming_recognize(requests=paced()))
    ended.set()
    return answers


answers_short = ended_early(audio, model="latest_short")
assert finals(answers_short) == ["book a table in Zürich"]
assert SINGLE in [answer.speech_event_type for answer in answers_short]
assert ended_early(bytes(2 * 24000 * 2), speech_start_timeout=timedelta(seconds=1)) == []
assert finals(ended_early(spoken("one") + bytes(2 * 24000 * 2), speech_end_timeout=timedelta(seconds=2))) == ["one"]
with raises(exceptions.InvalidArgument, "between 500 ms and 60 s"):
    ended_early(audio, speech_start_timeout=timedelta(milliseconds=100))


# Other encodings: a head that tells. (The telephone's are in google_voices.py.)
def recorded(content, decoding, **fields):
    asked = config()
    asked.explicit_decoding_config = None
    setattr(asked, decoding, fields)
    answer = client.recognize(request=wire.RecognizeRequest(recognizer=RECOGNIZER, config=asked, content=content))
    return [result.alternatives[0].transcript for result in answer.results]


assert recorded(wav(spoken("with a head")), "auto_decoding_config") == ["with a head"]
with raises(exceptions.InvalidArgument, "supported encoding"):
    recorded(spoken("without a head"), "auto_decoding_config")

# A recording at once.
answer = client.recognize(request=wire.RecognizeRequest(recognizer=RECOGNIZER, config=config(), content=spoken("all at once")))
assert answer.results[0].alternatives[0].transcript == "all at once" and answer.results[0].alternatives[0].words

# Mistakes of the caller.
with raises(exceptions.InvalidArgument, "StreamingRecognitionConfig first"):
    recognise(audio, with_config=False)
with raises(exceptions.InvalidArgument, "maximum of 25600 bytes. Received audio of 25602 bytes"):
    recognise(audio, chunk=25602)
with raises(exceptions.InvalidArgument, "Chirp 3 only supports word timestamps"):
    recognise(audio, model="chirp_3")
assert finals(recognise(audio, model="chirp_3", words=False)) == ["book a table in Zürich", "for two"]
with raises(exceptions.InvalidArgument, "projects/*/locations/*/recognizers/*"):
    client.recognize(request=wire.RecognizeRequest(recognizer="none", config=config(), content=b"\0\0"))
with raises(exceptions.OutOfRange, "too fast"):
    recognise(bytes(2 * 24000 * 17), chunk=24000)
with raises(exceptions.MethodNotImplemented):
    client.list_recognizers(parent="projects/p/locations/us")

# Refusals.
fault(ROUTE, "error", code="UNAVAILABLE", message="The service is currently unavailable.")
with raises(exceptions.ServiceUnavailable, "currently unavailable"):
    recognise(audio)
fault(ROUTE, "error", code="RESOURCE_EXHAUSTED", retry_after_ms=7000)
try:
    recognise(audio)
    raise AssertionError("the quota is used up")
except exceptions.ResourceExhausted as error:
    assert quota_delay(error) == 7, error.details


def broken(kind, after=4, timeout=None, **fields):
    """What was heard of a recognition before it broke, and how the client tells."""
    fault(ROUTE, kind, after=after, **fields)
    heard = []
    try:
        for answer in client.streaming_recognize(requests=requests(audio), timeout=timeout):
            heard.append(answer)
    except Exception as error:
        return len(heard), error
    return len(heard), None


# Faults within a recognition.
heard, error = broken("error", code="ABORTED", message="Max duration of 5 minutes reached for stream.")
assert heard == 4 and isinstance(error, exceptions.Aborted) and "5 minutes" in str(error), repr(error)
heard, error = broken("reset")
assert isinstance(error, exceptions.ServiceUnavailable), repr(error)
heard, error = broken("cut")  # The client may drop what it did not read before.
assert heard <= 4 and isinstance(error, exceptions.GoogleAPICallError), repr(error)
heard, error = broken("garbage")
assert heard == 4 and isinstance(error, (exceptions.GoogleAPICallError, grpc.RpcError)), repr(error)
heard, error = broken("silence", timeout=0.5)
assert heard == 4 and isinstance(error, exceptions.DeadlineExceeded), repr(error)
assert ending(ROUTE) == "client_left"
heard, error = broken("go_away")
assert heard == len(answers) and error is None, (heard, error)
assert finals(recognise(audio)) == ["book a table in Zürich", "for two"]


async def asynchronous():
    transport = SpeechGrpcAsyncIOTransport(channel=grpc.aio.insecure_channel(ADDRESS))

    async def paced():
        for request in requests(audio):
            yield request

    stream = await speech_v2.SpeechAsyncClient(transport=transport).streaming_recognize(requests=paced())
    assert finals([answer async for answer in stream]) == ["book a table in Zürich", "for two"]


asyncio.run(asynchronous())
