import { act, cleanup, fireEvent, render, screen } from '@testing-library/react';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { CallClient } from '../call/client';
import { idleCall, type CallState } from '../call/state';
import { ConversationsClient } from '../conversations/client';
import { ProvidersClient } from '../providers/client';
import { App } from './App';

beforeEach(() => {
  HTMLCanvasElement.prototype.getContext = () => null;
  vi.stubGlobal('fetch', () => Promise.resolve(Response.json({ data: [], has_more: false })));
});
afterEach(cleanup);

function show(change: Partial<CallState>) {
  const state = { ...idleCall, ...change };
  const client = new CallClient();
  const press = { start: vi.fn(), toggleMute: vi.fn(), hangUp: vi.fn() };
  Object.assign(client, { snapshot: () => state, ...press });
  render(<App call={client} conversations={new ConversationsClient()} providers={new ProvidersClient()} />);
  return press;
}

it('starts a call by its one large button', () => {
  const { start } = show({});
  fireEvent.click(screen.getByRole('button', { name: 'Start talking' }));
  expect(start).toHaveBeenCalledOnce();
  expect(screen.queryByRole('log')).toBeNull();
});

it('space mutes and Escape hangs up during a call', () => {
  const { toggleMute, hangUp } = show({ phase: { name: 'listening' } });
  fireEvent.keyDown(document.body, { key: ' ' });
  fireEvent.keyDown(document.body, { key: 'Escape' });
  expect([toggleMute.mock.calls.length, hangUp.mock.calls.length]).toEqual([1, 1]);
});

it('space on a focused button presses only that button', () => {
  const { toggleMute } = show({ phase: { name: 'listening' } });
  fireEvent.keyDown(screen.getByRole('button', { name: 'Hang up' }), { key: ' ' });
  expect(toggleMute).not.toHaveBeenCalled();
});

it('keys rest without a call, and while the conversations are open', async () => {
  const idle = show({});
  fireEvent.keyDown(document.body, { key: 'Escape' });
  expect(idle.hangUp).not.toHaveBeenCalled();
  cleanup();
  const live = show({ phase: { name: 'speaking' } });
  fireEvent.click(screen.getByRole('button', { name: 'Conversations' }));
  await act(() => vi.waitFor(() => screen.getByText('Nothing yet')));
  fireEvent.keyDown(document.body, { key: 'Escape' });
  expect(live.hangUp).not.toHaveBeenCalled();
});

it('shows how the providers fare', async () => {
  const local = { name: 'local', stage: 'llm', state: 'available', requests: 1 };
  vi.stubGlobal('fetch', () => Promise.resolve(Response.json({ data: [local] })));
  show({});
  fireEvent.click(screen.getByRole('button', { name: 'Providers' }));
  await act(() => vi.waitFor(() => screen.getByText('This machine')));
});

it('keeps what was said on the page after the call', () => {
  const caller = { itemId: 'i1', text: 'Dog or cat?', final: true };
  show({ phase: { name: 'ended' }, captions: [{ id: 1, caller, agent: null, record: null }] });
  expect(screen.getByText('Dog or cat?')).toBeTruthy();
  expect(screen.getByRole('button', { name: 'Talk again' })).toBeTruthy();
});
