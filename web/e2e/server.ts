/** Starts the real server on free ports with an empty store. */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

/** Loading the models takes a few seconds, on a busy machine many. */
const READY_TIMEOUT_MS = 110_000;

const run = promisify(execFile);

export class Server {
  readonly url: string;
  readonly #bin: string;
  readonly #flags: readonly string[];
  readonly #folder: string;
  readonly #ports: { readonly http: number; readonly media: number };
  #process: ChildProcess | null = null;

  private constructor(bin: string, flags: readonly string[], folder: string, ports: { http: number; media: number }) {
    this.#bin = bin;
    this.#flags = flags;
    this.#folder = folder;
    this.#ports = ports;
    this.url = `http://127.0.0.1:${ports.http}`;
  }

  static async create(bin: string, flags: readonly string[] = []): Promise<Server> {
    const folder = await mkdtemp(join(tmpdir(), 'antiphon-e2e-'));
    return new Server(bin, flags, folder, { http: await freeTcpPort(), media: await freeUdpPort() });
  }

  async start(): Promise<void> {
    const child = spawn(this.#bin, ['serve', ...this.#flags], {
      stdio: ['ignore', 'inherit', 'inherit'],
      env: {
        ...process.env,
        ANTIPHON__SERVER__LISTEN: `127.0.0.1:${this.#ports.http}`,
        ANTIPHON__MEDIA__UDP_LISTEN: `127.0.0.1:${this.#ports.media}`,
        ANTIPHON__STORE__URL: `sqlite://${join(this.#folder, 'antiphon.db')}`,
        ANTIPHON__MODELS__PROFILE: 'fast',
        ANTIPHON__LOG__LEVEL: 'warn',
        ANTIPHON__LOG__TAPE_DIR: join(this.#folder, 'tapes'),
      },
    });
    this.#process = child;
    const deadline = Date.now() + READY_TIMEOUT_MS;
    while (!(await isReady(this.url))) {
      if (child.exitCode !== null) throw new Error(`antiphon serve ended with status ${child.exitCode}`);
      if (Date.now() > deadline) throw new Error('antiphon serve did not become ready');
      await sleep(100);
    }
  }

  async kill(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const child = this.#process;
    this.#process = null;
    if (child?.exitCode !== null) return;
    const exited = once(child, 'exit');
    child.kill(signal);
    await exited;
  }

  /** Plays the tape of every call that was held through the engine again; gives how many calls that were. */
  async replayTapes(): Promise<number> {
    const tapes = await readdir(join(this.#folder, 'tapes'));
    for (const tape of tapes) {
      const { stdout } = await run(this.#bin, ['replay', join(this.#folder, 'tapes', tape)]);
      console.log(`tape of a call: ${stdout.trim()}`);
    }
    return tapes.length;
  }

  async remove(): Promise<void> {
    await this.kill('SIGKILL');
    await rm(this.#folder, { recursive: true, force: true });
  }
}

async function isReady(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/readyz`)).ok;
  } catch {
    return false;
  }
}

async function freeTcpPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

async function freeUdpPort(): Promise<number> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  await once(socket, 'close');
  return port;
}
