import { cleanup, fireEvent, render, screen } from '@testing-library/react';
import { afterEach, expect, it, vi } from 'vitest';
import type { ConversationSummary, Turn } from '../api/conversations';
import type { HistoryState } from './client';
import { ConversationsPanel } from './ConversationsPanel';

afterEach(cleanup);

const summary: ConversationSummary = {
  id: 'c1',
  status: 'ended',
  createdAt: '2020-11-22T19:44:00Z',
  endedAt: '2020-11-22T19:45:05Z',
  turnCount: 2,
  preview: 'Dog or cat?',
};
const turn: Turn = {
  index: 1,
  status: 'interrupted',
  startedAt: '',
  userText: 'Dog or cat?',
  agentText: 'A dog wants walks.',
  heardText: 'A dog',
  voiceToVoiceMs: 640,
  stages: [],
  heardMs: null,
  toolCalls: [],
};

function show(history: Partial<HistoryState>) {
  const acts = { onClose: vi.fn(), onOpen: vi.fn(), onBack: vi.fn(), onMore: vi.fn(), onRetry: vi.fn() };
  render(<ConversationsPanel history={{ list: { status: 'loading' }, opened: null, ...history }} {...acts} />);
  return acts;
}

it('lists conversations and opens one', () => {
  const { onOpen, onMore } = show({ list: { status: 'ready', value: { conversations: [summary], hasMore: true } } });
  const entry = screen.getByRole('button', { name: /Dog or cat/ });
  expect(entry.textContent).toMatch(/2 turns · 1 min 5 s$/);
  fireEvent.click(entry);
  expect(onOpen).toHaveBeenCalledWith('c1');
  fireEvent.click(screen.getByRole('button', { name: 'Show older' }));
  expect(onMore).toHaveBeenCalledOnce();
});

it('has kind words for an empty list', () => {
  show({ list: { status: 'ready', value: { conversations: [], hasMore: false } } });
  expect(screen.getByText('Nothing yet')).toBeTruthy();
});

it('shows what was heard, strikes what was not, and tells how fast the answer came', () => {
  const { onBack } = show({ opened: { id: 'c1', conversation: { status: 'ready', value: { ...summary, turns: [turn] } } } });
  expect(screen.getByText('wants walks.', { exact: false }).tagName).toBe('DEL');
  expect(screen.getByText('Interrupted')).toBeTruthy();
  expect(screen.getByRole('button', { name: /Answered in 640 ms/ })).toBeTruthy();
  fireEvent.click(screen.getByRole('button', { name: 'Back to the list' }));
  expect(onBack).toHaveBeenCalledOnce();
});

it('names the tools of a turn, and tells what became of them', () => {
  const call = { name: 'order_status', arguments: '{"order": "17"}', status: 'completed', result: 'It comes at eight.' } as const;
  const toolCalls = [call, { ...call, name: 'taxi', status: 'incomplete', result: null } as const];
  show({ opened: { id: 'c1', conversation: { status: 'ready', value: { ...summary, turns: [{ ...turn, toolCalls }] } } } });
  const entries = screen.getByRole('list', { name: 'Tools used' }).querySelectorAll('li');
  expect([...entries].map((entry) => entry.querySelector('summary')?.textContent)).toEqual(['order_status', 'taxi· given up']);
  expect(entries[0]?.textContent).toContain('{"order": "17"}');
  expect(entries[0]?.textContent).toContain('It comes at eight.');
  expect(entries[1]?.textContent).toContain('No result.');
});

it('offers another try when the list cannot be had', () => {
  const { onRetry } = show({ list: { status: 'failed', message: 'The server did not answer.' } });
  expect(screen.getByRole('alert').textContent).toContain('The server did not answer.');
  fireEvent.click(screen.getByRole('button', { name: 'Try again' }));
  expect(onRetry).toHaveBeenCalledOnce();
});
