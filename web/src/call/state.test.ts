import { describe, expect, it } from 'vitest';
import type { ServerEvent } from '../api/events';
import type { Turn } from '../api/conversations';
import { lastLatencyMs } from './captions';
import { idleCall, reduceCall, type CallAction, type CallState } from './state';

const said = (event: ServerEvent): CallAction => ({ type: 'server-said', event });
const run = (actions: readonly CallAction[], from: CallState = idleCall) => actions.reduce(reduceCall, from);
const started = run([{ type: 'dialled' }, said({ type: 'session.created' })]);

const partial = (itemId: string, transcript: string) => said({ type: 'antiphon.input_transcription.partial', itemId, transcript });
const final = (itemId: string, transcript: string) =>
  said({ type: 'conversation.item.input_audio_transcription.completed', itemId, transcript });
const created = (responseId: string) => said({ type: 'response.created', responseId });
const delta = (responseId: string, text: string) =>
  said({ type: 'response.output_audio_transcript.delta', responseId, itemId: `item-${responseId}`, delta: text });
const truncated = (responseId: string, transcript: string) =>
  said({ type: 'conversation.item.truncated', itemId: `item-${responseId}`, transcript });
const done = (responseId: string, status: 'completed' | 'cancelled' | 'failed') =>
  said({ type: 'response.done', responseId, status });

function turn(change: Partial<Turn>): Turn {
  return {
    index: 1,
    status: 'completed',
    startedAt: '',
    userText: '',
    agentText: '',
    heardText: '',
    voiceToVoiceMs: 700,
    stages: [],
    heardMs: null,
    toolCalls: [],
    ...change,
  };
}

describe('phases', () => {
  it('go from idle through connecting to what the server says', () => {
    expect(run([{ type: 'dialled' }]).phase.name).toBe('connecting');
    expect(started.phase.name).toBe('listening');
    expect(run([said({ type: 'antiphon.state', state: 'speaking' })], started).phase.name).toBe('speaking');
  });

  it('ignore the server once the call is over', () => {
    const ended = run([partial('i1', 'hello'), { type: 'hung-up' }], started);
    expect(ended.phase.name).toBe('ended');
    expect(run([said({ type: 'antiphon.state', state: 'speaking' })], ended)).toBe(ended);
  });

  it('return to idle when nothing was said', () => {
    expect(run([{ type: 'hung-up' }], started).phase.name).toBe('idle');
  });

  it('keep the words when the connection is lost, also through a reconnect, but not in a new call', () => {
    const lost = run([final('i1', 'hello'), { type: 'failed', failure: { kind: 'connection-lost' } }], started);
    expect(lost.phase).toEqual({ name: 'failed', failure: { kind: 'connection-lost' } });
    expect(run([{ type: 'dialled' }], lost).captions).toHaveLength(1);
    const ended = run([final('i1', 'hello'), { type: 'hung-up' }], started);
    expect(run([{ type: 'dialled' }], ended).captions).toHaveLength(0);
  });

  it('unmute with every new call', () => {
    const muted = run([{ type: 'microphone', microphone: 'muted' }], started);
    expect(muted.microphone).toBe('muted');
    expect(run([{ type: 'hung-up' }, { type: 'dialled' }], muted).microphone).toBe('open');
  });
});

describe('captions', () => {
  it('replace a partial transcript by the next and at last by the final one', () => {
    const state = run([partial('i1', 'should'), partial('i1', 'should I'), final('i1', 'Should I?'), partial('i1', 'late')], started);
    expect(state.captions).toHaveLength(1);
    expect(state.captions[0]?.caller).toEqual({ itemId: 'i1', text: 'Should I?', final: true });
  });

  it('drop words that turn out to be none', () => {
    expect(run([partial('i1', 'uh'), final('i1', '')], started).captions).toEqual([]);
    expect(run([final('i1', '')], started).captions).toEqual([]);
    expect(run([partial('i1', 'uh'), partial('i1', '')], started).captions).toEqual([]);
  });

  it('put the answer beside its question, words as they are spoken', () => {
    const state = run([final('i1', 'Dog or cat?'), created('r1'), delta('r1', 'A dog. '), delta('r1', 'Or both.')], started);
    expect(state.captions).toHaveLength(1);
    expect(state.captions[0]?.agent).toMatchObject({ text: 'A dog. Or both.', status: 'in_progress' });
  });

  it('show an agent that speaks first', () => {
    const state = run([created('r1'), delta('r1', 'Hello.'), done('r1', 'completed')], started);
    expect(state.captions[0]).toMatchObject({ caller: null, agent: { text: 'Hello.', status: 'completed' } });
  });

  it('interrupted_reply_keeps_only_heard_words', () => {
    const state = run(
      [
        final('i1', 'Tell me.'),
        created('r1'),
        delta('r1', 'It is long and winding.'),
        partial('i2', 'wait'),
        truncated('r1', 'It is long'),
        delta('r1', ' late words'),
        done('r1', 'cancelled'),
      ],
      started,
    );
    expect(state.captions[0]?.agent).toMatchObject({ text: 'It is long', status: 'cancelled' });
    expect(state.captions[1]?.caller).toMatchObject({ text: 'wait', final: false });
  });
});

describe('turn records', () => {
  it('go to their own turn although the next one has begun', () => {
    const record = turn({ userText: 'Tell me.', agentText: 'It is long and winding.', heardText: 'It is', status: 'interrupted' });
    const state = run(
      [final('i1', 'Tell me.'), created('r1'), delta('r1', 'It is long'), partial('i2', 'wait'), done('r1', 'cancelled'), said({ type: 'antiphon.turn', turn: record })],
      started,
    );
    expect(state.captions[0]).toMatchObject({ agent: { text: 'It is' }, record: { voiceToVoiceMs: 700 } });
    expect(state.captions[1]?.record).toBeNull();
    expect(lastLatencyMs(state.captions)).toBe(700);
  });

  it('tell equal questions apart by their order', () => {
    const ask = (n: number) => [final(`i${n}`, 'Again?'), created(`r${n}`), delta(`r${n}`, 'Yes.'), done(`r${n}`, 'completed')];
    const state = run(
      [...ask(1), said({ type: 'antiphon.turn', turn: turn({ userText: 'Again?', voiceToVoiceMs: 1 }) }), ...ask(2), said({ type: 'antiphon.turn', turn: turn({ userText: 'Again?', voiceToVoiceMs: 2 }) })],
      started,
    );
    expect(state.captions.map((caption) => caption.record?.voiceToVoiceMs)).toEqual([1, 2]);
  });

  it('tell of an answer that failed before it began', () => {
    const state = run([final('i1', 'Dog?'), said({ type: 'antiphon.turn', turn: turn({ userText: 'Dog?', status: 'failed' }) })], started);
    expect(state.captions[0]?.agent).toMatchObject({ text: '', status: 'failed' });
  });

  it('are dropped when there is no turn to file them with', () => {
    expect(run([said({ type: 'antiphon.turn', turn: turn({}) })], started)).toEqual(started);
  });
});

it('a server error is shown until the next answer, and the call goes on', () => {
  const warned = run([said({ type: 'error', message: 'speech recognition is slow' })], started);
  expect(warned).toMatchObject({ warning: 'speech recognition is slow', phase: { name: 'listening' } });
  expect(run([created('r1')], warned).warning).toBeNull();
});
