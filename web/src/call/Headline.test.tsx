import { cleanup, render, screen } from '@testing-library/react';
import { afterEach, expect, it } from 'vitest';
import { Headline } from './Headline';
import { idleCall, type CallState } from './state';

afterEach(cleanup);

it.each<[Partial<CallState>, string]>([
  [{}, 'Speak, and be answered'],
  [{ phase: { name: 'connecting' } }, 'Connecting'],
  [{ phase: { name: 'listening' } }, 'Listening'],
  [{ phase: { name: 'listening' }, microphone: 'muted' }, 'Muted'],
  [{ phase: { name: 'thinking' } }, 'Thinking'],
  [{ phase: { name: 'speaking' } }, 'Speaking'],
  [{ phase: { name: 'speaking' }, link: 'faltering' }, 'Reconnecting'],
  [{ phase: { name: 'ended' } }, 'Call ended'],
])('names the state in one word', (change, word) => {
  render(<Headline call={{ ...idleCall, ...change }} />);
  expect(screen.getByRole('heading', { level: 1 }).textContent).toBe(word);
});

it('announces a failure with its remedy', () => {
  render(<Headline call={{ ...idleCall, phase: { name: 'failed', failure: { kind: 'microphone-missing' } } }} />);
  expect(screen.getByRole('alert').textContent).toBe('No microphone foundPlug one in or switch it on, then try again.');
});

it('shows the server’s complaint beside the state', () => {
  render(<Headline call={{ ...idleCall, phase: { name: 'listening' }, warning: 'speech recognition is slow' }} />);
  expect(screen.getByText('speech recognition is slow')).toBeTruthy();
});
