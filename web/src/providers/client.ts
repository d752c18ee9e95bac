/** How providers fare, without React: read again and again while somebody looks. */
import { describeProblem } from '../api/problem';
import { fetchProviders, type Provider } from '../api/providers';
import type { Loading } from '../ui/loading';

/** Often enough to see a provider fail and come back. */
const EVERY_MS = 2_000;

export type ProvidersState = Loading<readonly Provider[]>;

export class ProvidersClient {
  #state: ProvidersState = { status: 'loading' };
  readonly #subscribers = new Set<() => void>();

  readonly subscribe = (subscriber: () => void): (() => void) => {
    this.#subscribers.add(subscriber);
    return () => this.#subscribers.delete(subscriber);
  };

  readonly snapshot = (): ProvidersState => this.#state;

  /** Reads now and from now on; the function that it gives stops that. */
  readonly watch = (): (() => void) => {
    void this.load();
    const again = setInterval(() => void this.load(), EVERY_MS);
    return () => { clearInterval(again); };
  };

  readonly load = async (): Promise<void> => {
    const answer = await fetchProviders();
    this.#state = answer.ok
      ? { status: 'ready', value: answer.value }
      : { status: 'failed', message: describeProblem(answer.problem) };
    for (const subscriber of this.#subscribers) subscriber();
  };
}
