import { expect, it, vi } from 'vitest';
import { ConversationsClient } from './client';

const summary = (id: string) => ({ id, status: 'ended', created_at: '2026-11-22T19:44:09Z', turn_count: 1, preview: id });

function serve(answers: Record<string, unknown>) {
  vi.stubGlobal('fetch', (path: string) =>
    path in answers ? Promise.resolve(Response.json(answers[path])) : Promise.reject(new TypeError('network')),
  );
}

it('reads the list, then older pages below it', async () => {
  serve({
    '/v1/conversations?limit=30': { data: [summary('c2')], has_more: true },
    '/v1/conversations?limit=30&before=c2': { data: [summary('c1')], has_more: false },
  });
  const client = new ConversationsClient();
  await client.load();
  await client.more();
  expect(client.snapshot().list).toMatchObject({
    status: 'ready',
    value: { hasMore: false, conversations: [{ id: 'c2' }, { id: 'c1' }] },
  });
});

it('says what is wrong and recovers', async () => {
  const client = new ConversationsClient();
  serve({});
  await client.load();
  expect(client.snapshot().list.status).toBe('failed');
  serve({ '/v1/conversations?limit=30': { data: [], has_more: false } });
  await client.load();
  expect(client.snapshot().list.status).toBe('ready');
});

it('an answer for a conversation that was left again is dropped', async () => {
  serve({ '/v1/conversations/c1': { ...summary('c1'), turns: [] } });
  const client = new ConversationsClient();
  const opening = client.open('c1');
  expect(client.snapshot().opened).toEqual({ id: 'c1', conversation: { status: 'loading' } });
  client.back();
  await opening;
  expect(client.snapshot().opened).toBeNull();
});
