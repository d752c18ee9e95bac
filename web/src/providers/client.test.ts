import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { ProvidersClient } from './client';

beforeEach(() => { vi.useFakeTimers(); });
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

it('reads again while watched, and no longer', async () => {
  const fetched = vi.fn(() => Promise.resolve(new Response('{"object":"list","data":[]}')));
  vi.stubGlobal('fetch', fetched);
  const client = new ProvidersClient();
  const stop = client.watch();
  await vi.advanceTimersByTimeAsync(4_100);
  expect(fetched).toHaveBeenCalledTimes(3);
  expect(client.snapshot()).toEqual({ status: 'ready', value: [] });
  stop();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(fetched).toHaveBeenCalledTimes(3);
});

it('says when the server cannot be reached', async () => {
  vi.stubGlobal('fetch', vi.fn(() => Promise.reject(new TypeError('network'))));
  const client = new ProvidersClient();
  await client.load();
  expect(client.snapshot().status).toBe('failed');
});
