import { afterEach, expect, it, vi } from 'vitest';
import { fetchConversation, fetchConversations } from './conversations';

const conversation = {
  id: 'c1',
  object: 'conversation',
  status: 'ended',
  end_reason: 'hangup',
  created_at: '2026-11-22T19:44:09.123Z',
  ended_at: '2026-11-22T19:45:09.123Z',
  turn_count: 1,
  preview: 'Should I get a dog or a cat?',
};

function answer(body: unknown, status = 200) {
  const fetched = vi.fn(() => Promise.resolve(new Response(typeof body === 'string' ? body : JSON.stringify(body), { status })));
  vi.stubGlobal('fetch', fetched);
  return fetched;
}

afterEach(() => { vi.unstubAllGlobals(); });

it('lists conversations and skips entries that make no sense', async () => {
  const fetched = answer({ object: 'list', data: [conversation, null, { id: 7 }, 'x'], has_more: true });
  const page = await fetchConversations('c9');
  expect(fetched).toHaveBeenCalledWith('/v1/conversations?limit=30&before=c9', expect.anything());
  expect(page).toMatchObject({ ok: true, value: { hasMore: true, conversations: [{ id: 'c1', turnCount: 1 }] } });
});

it('reads one conversation; a turn without heard text was heard in full', async () => {
  answer({ ...conversation, turns: [{ index: 1, status: 'completed', user_text: 'hi', agent_text: 'Hello.' }] });
  const read = await fetchConversation('c1');
  expect(read).toMatchObject({ ok: true, value: { turns: [{ heardText: 'Hello.', voiceToVoiceMs: null, stages: [] }] } });
});

it('reads the tools of a turn and skips those that make no sense', async () => {
  const call = { id: 'c', name: 'taxi', arguments: '{}', status: 'completed', result: 'At eight.', started_at: '' };
  const calls = [call, { ...call, name: '' }, { ...call, status: 'dreamt' }, 7, { ...call, status: 'in_progress', result: null }];
  answer({ ...conversation, turns: [{ index: 1, status: 'completed', tool_calls: calls }] });
  const read = await fetchConversation('c1');
  const taxi = { name: 'taxi', arguments: '{}' };
  const toolCalls = [
    { ...taxi, status: 'completed', result: 'At eight.' },
    { ...taxi, status: 'in_progress', result: null },
  ];
  expect(read).toMatchObject({ ok: true, value: { turns: [{ toolCalls }] } });
});

it('tells what the server said was wrong', async () => {
  answer({ type: 'about:blank', title: 'Not found', status: 404, detail: 'no conversation has this id' }, 404);
  expect(await fetchConversation('c1')).toEqual({
    ok: false,
    problem: { kind: 'refused', status: 404, code: 'about:blank', message: 'no conversation has this id' },
  });
});

it('survives an answer that is no JSON, and no answer at all', async () => {
  answer('<html>');
  expect(await fetchConversations(null)).toEqual({ ok: false, problem: { kind: 'garbled' } });
  vi.stubGlobal('fetch', () => Promise.reject(new TypeError('network')));
  expect(await fetchConversations(null)).toEqual({ ok: false, problem: { kind: 'unreachable' } });
});
