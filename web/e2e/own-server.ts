/** A server of a test file's own that plays back what it hears. */
import { afterAll, beforeAll, it } from 'vitest';
import { Server } from './server';
import { serverBin } from './settings';

/** For tests with such a server: one that somebody else started is not ours to stop. */
export const ownServer = it.runIf(serverBin !== null);

/** Runs the server for the tests of the file that calls this; gives it while they run. */
export function echoServer(): () => Server {
  let server: Server | null = null;
  beforeAll(async () => {
    if (serverBin === null) return;
    server = await Server.create(serverBin, ['--agent', 'echo']);
    await server.start();
  });
  afterAll(async () => server?.remove());
  return () => {
    if (server === null) throw new Error('the server is not started');
    return server;
  };
}
