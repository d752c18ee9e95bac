import { expect, it } from 'vitest';
import { parseServerEvent } from './events';

it('reads the events of docs/protocol.md', () => {
  const read = (event: object) => parseServerEvent(JSON.stringify({ event_id: 'event_1', ...event }));
  expect(read({ type: 'session.created', session: { id: 'c1', type: 'realtime' } })).toEqual({ type: 'session.created' });
  expect(read({ type: 'input_audio_buffer.speech_started', audio_start_ms: 1200, item_id: 'i1' })).toEqual({
    type: 'input_audio_buffer.speech_started',
    itemId: 'i1',
  });
  expect(read({ type: 'antiphon.input_transcription.partial', item_id: 'i1', transcript: 'should' })).toEqual({
    type: 'antiphon.input_transcription.partial',
    itemId: 'i1',
    transcript: 'should',
  });
  expect(
    read({ type: 'response.output_audio_transcript.delta', response_id: 'r1', item_id: 'a1', output_index: 0, delta: 'A dog.' }),
  ).toEqual({ type: 'response.output_audio_transcript.delta', responseId: 'r1', itemId: 'a1', delta: 'A dog.' });
  expect(read({ type: 'response.done', response: { id: 'r1', status: 'cancelled', output: [] } })).toEqual({
    type: 'response.done',
    responseId: 'r1',
    status: 'cancelled',
  });
  expect(read({ type: 'antiphon.state', state: 'thinking' })).toEqual({ type: 'antiphon.state', state: 'thinking' });
  expect(read({ type: 'error', error: { type: 'invalid', message: 'no such event' } })).toEqual({
    type: 'error',
    message: 'no such event',
  });
});

it('keeps the stages of a turn in the order they were sent', () => {
  const turn = {
    index: 1,
    status: 'completed',
    started_at: '2026-11-22T19:44:12.000Z',
    user_text: 'a',
    agent_text: 'b',
    heard_text: 'b',
    voice_to_voice_ms: 731,
    stages_ms: { endpoint: 260, stt: 40, mood: 'good', tts: -1 },
    heard_ms: 1240,
  };
  const event = parseServerEvent(JSON.stringify({ type: 'antiphon.turn', turn }));
  expect(event).toMatchObject({
    type: 'antiphon.turn',
    turn: {
      voiceToVoiceMs: 731,
      stages: [
        { name: 'endpoint', ms: 260 },
        { name: 'stt', ms: 40 },
        { name: 'tts', ms: 0 },
      ],
      heardMs: 1240,
    },
  });
});

it.each([
  ['not JSON', '{"type":'],
  ['a bare value', '42'],
  ['an array', '[]'],
  ['null', 'null'],
  ['no type', '{}'],
  ['a type that is no string', '{"type":7}'],
  ['a type of a newer server', '{"type":"response.dreamt"}'],
  ['a response without its id', '{"type":"response.created","response":null}'],
  ['a state we do not know', '{"type":"antiphon.state","state":"dancing"}'],
  ['a turn that is none', '{"type":"antiphon.turn","turn":{"index":"one"}}'],
  ['a transcript without its item', '{"type":"antiphon.input_transcription.partial","transcript":"x"}'],
])('ignores %s', (_, data) => {
  expect(parseServerEvent(data)).toBeNull();
});

it('ignores binary frames and absurdly long texts', () => {
  expect(parseServerEvent(new ArrayBuffer(4))).toBeNull();
  expect(parseServerEvent(`{"type":"session.created","pad":"${'x'.repeat(1_000_001)}"}`)).toBeNull();
});
