import { cleanup, fireEvent, render, screen } from '@testing-library/react';
import { afterEach, expect, it, vi } from 'vitest';
import { Controls } from './Controls';
import { idleCall, type CallState } from './state';

afterEach(cleanup);

function show(change: Partial<CallState>) {
  const press = { onStart: vi.fn(), onToggleMute: vi.fn(), onHangUp: vi.fn() };
  render(<Controls call={{ ...idleCall, ...change }} {...press} />);
  return press;
}

it.each<[CallState['phase'], string]>([
  [{ name: 'idle' }, 'Start talking'],
  [{ name: 'ended' }, 'Talk again'],
  [{ name: 'failed', failure: { kind: 'connection-lost' } }, 'Reconnect'],
  [{ name: 'failed', failure: { kind: 'microphone-denied' } }, 'Try again'],
])('offers the next step', (phase, label) => {
  const { onStart } = show({ phase });
  fireEvent.click(screen.getByRole('button', { name: label }));
  expect(onStart).toHaveBeenCalledOnce();
});

it('mutes and hangs up during a call', () => {
  const { onToggleMute, onHangUp } = show({ phase: { name: 'speaking' } });
  fireEvent.click(screen.getByRole('button', { name: 'Mute', pressed: false }));
  fireEvent.click(screen.getByRole('button', { name: 'Hang up' }));
  expect([onToggleMute.mock.calls.length, onHangUp.mock.calls.length]).toEqual([1, 1]);
});

it('shows that the microphone is muted', () => {
  show({ phase: { name: 'listening' }, microphone: 'muted' });
  expect(screen.getByRole('button', { name: 'Muted', pressed: true })).toBeTruthy();
});
