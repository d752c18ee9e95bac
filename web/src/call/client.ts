/**
 * A call, without React: it owns the line, feeds the reducer and tells whoever subscribed.
 * Read `state.ts` for what can happen in a call, `line.ts` for how it is carried.
 */
import { parseServerEvent } from '../api/events';
import { failureOf, type Failure } from './failure';
import { silence, type Levels } from './levels';
import { Line } from './line';
import { idleCall, isLive, reduceCall, type CallAction, type CallState } from './state';

export class CallClient {
  #state = idleCall;
  #line: Line | null = null;
  readonly #subscribers = new Set<() => void>();

  readonly subscribe = (subscriber: () => void): (() => void) => {
    this.#subscribers.add(subscriber);
    return () => this.#subscribers.delete(subscriber);
  };

  readonly snapshot = (): CallState => this.#state;

  readonly levels = (): Levels => this.#line?.levels() ?? silence;

  /** Starts a call, or starts anew after one ended. While a call is on it does nothing. */
  readonly start = async (): Promise<void> => {
    if (isLive(this.#state.phase)) return;
    this.#dispatch({ type: 'dialled' });
    // A line that was hung up or replaced has nothing more to say.
    const whileCurrent = (act: () => void) => {
      if (this.#line === line) act();
    };
    const line: Line = new Line({
      message: (data) => { whileCurrent(() => { this.#hear(data); }); },
      faltering: () => { whileCurrent(() => { this.#dispatch({ type: 'link', link: 'faltering' }); }); },
      recovered: () => { whileCurrent(() => { this.#dispatch({ type: 'link', link: 'steady' }); }); },
      lost: () => { whileCurrent(() => { this.#lose(); }); },
    });
    this.#line = line;
    window.addEventListener('pagehide', this.hangUp);
    try {
      await line.dial();
    } catch (error) {
      whileCurrent(() => { this.#fail(failureOf(error)); });
    }
  };

  readonly toggleMute = (): void => {
    if (!isLive(this.#state.phase)) return;
    const microphone = this.#state.microphone === 'open' ? 'muted' : 'open';
    this.#line?.mute(microphone);
    this.#dispatch({ type: 'microphone', microphone });
  };

  readonly hangUp = (): void => {
    if (!isLive(this.#state.phase)) return;
    this.#drop();
    this.#dispatch({ type: 'hung-up' });
  };

  #hear(data: unknown): void {
    const event = parseServerEvent(data);
    if (event) this.#dispatch({ type: 'server-said', event });
  }

  #lose(): void {
    this.#fail({ kind: this.#state.phase.name === 'connecting' ? 'no-audio-path' : 'connection-lost' });
  }

  #fail(failure: Failure): void {
    this.#drop();
    this.#dispatch({ type: 'failed', failure });
  }

  #drop(): void {
    window.removeEventListener('pagehide', this.hangUp);
    this.#line?.close();
    this.#line = null;
  }

  #dispatch(action: CallAction): void {
    this.#state = reduceCall(this.#state, action);
    for (const subscriber of this.#subscribers) subscriber();
  }
}
