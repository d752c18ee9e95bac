import { expect, it } from 'vitest';
import { readProblem } from '../api/problem';
import { describeFailure, failureOf, microphoneFailure, refusal, type Failure } from './failure';

it.each([
  ['NotAllowedError', 'microphone-denied'],
  ['SecurityError', 'microphone-denied'],
  ['NotFoundError', 'microphone-missing'],
  ['OverconstrainedError', 'microphone-missing'],
  ['NotReadableError', 'microphone-busy'],
])('a browser’s %s reads as %s', (name, kind) => {
  expect(microphoneFailure(new DOMException('raw text', name))).toEqual({ kind });
});

const openAi = (code: string, message: string) => JSON.stringify({ error: { type: 'server_error', code, message, param: null } });

it.each<[number, string, Failure]>([
  [503, openAi('models_missing', 'run `antiphon models pull`'), { kind: 'server-not-ready', message: 'Run `antiphon models pull`.' }],
  [503, openAi('server_busy', 'full'), { kind: 'server-busy' }],
  [429, openAi('rate_limit_exceeded', 'slow down'), { kind: 'server-busy' }],
  [502, '<html>Bad gateway</html>', { kind: 'server-unreachable' }],
  [400, openAi('invalid_offer', 'the offer has no audio'), { kind: 'call-refused', message: 'The offer has no audio.' }],
  [500, 'garbage', { kind: 'call-refused', message: 'The server answered with status 500.' }],
])('a refusal with status %i becomes a failure with a remedy', (status, body, failure) => {
  expect(refusal(readProblem(status, body))).toEqual(failure);
});

it('shows the server’s own words as a sentence and never a raw exception', () => {
  expect(describeFailure({ kind: 'server-not-ready', message: 'models are missing' }).advice).toBe('Models are missing.');
  expect(describeFailure(failureOf(new TypeError('x is undefined'))).advice).not.toContain('undefined');
});
