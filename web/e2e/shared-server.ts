/** One server with real models for all tests that do not harm it. */
import type { TestProject } from 'vitest/node';
import { Server } from './server';
import { serverBin, serverUrl } from './settings';

declare module 'vitest' {
  interface ProvidedContext {
    serverUrl: string;
  }
}

export async function setup({ provide }: TestProject): Promise<(() => Promise<void>) | undefined> {
  if (serverUrl !== null) {
    provide('serverUrl', serverUrl);
    return undefined;
  }
  if (serverBin === null) throw new Error('set ANTIPHON_BIN to the antiphon binary, or ANTIPHON_URL to a running server');
  const server = await Server.create(serverBin);
  await server.start();
  provide('serverUrl', server.url);
  return async () => {
    await server.kill('SIGTERM');
    try {
      // What live calls did is what their tapes do once more.
      if ((await server.replayTapes()) === 0) throw new Error('no call left a tape');
    } finally {
      await server.remove();
    }
  };
}
