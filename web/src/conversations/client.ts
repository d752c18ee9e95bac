/** Past conversations, without React: the list, page by page, and the one that is open. */
import {
  fetchConversation,
  fetchConversations,
  type Conversation,
  type ConversationSummary,
} from '../api/conversations';
import { describeProblem } from '../api/problem';
import type { Loading } from '../ui/loading';

export interface HistoryList {
  readonly conversations: readonly ConversationSummary[];
  readonly hasMore: boolean;
}

export interface HistoryState {
  readonly list: Loading<HistoryList>;
  /** The conversation being read, or null while the list shows. */
  readonly opened: { readonly id: string; readonly conversation: Loading<Conversation> } | null;
}

export class ConversationsClient {
  #state: HistoryState = { list: { status: 'loading' }, opened: null };
  readonly #subscribers = new Set<() => void>();

  readonly subscribe = (subscriber: () => void): (() => void) => {
    this.#subscribers.add(subscriber);
    return () => this.#subscribers.delete(subscriber);
  };

  readonly snapshot = (): HistoryState => this.#state;

  /** Reads the newest page. What is on show stays until the answer is here. */
  readonly load = async (): Promise<void> => {
    if (this.#state.list.status === 'failed') this.#set({ list: { status: 'loading' } });
    const page = await fetchConversations(null);
    this.#set({
      list: page.ok ? { status: 'ready', value: page.value } : { status: 'failed', message: describeProblem(page.problem) },
    });
  };

  /** Adds the next older page below. When it cannot be had, the button stays for another try. */
  readonly more = async (): Promise<void> => {
    const { list } = this.#state;
    if (list.status !== 'ready') return;
    const page = await fetchConversations(list.value.conversations.at(-1)?.id ?? null);
    // The list may have been read anew meanwhile; then this page no longer fits its end.
    if (!page.ok || this.#state.list !== list) return;
    const conversations = [...list.value.conversations, ...page.value.conversations];
    this.#set({ list: { status: 'ready', value: { conversations, hasMore: page.value.hasMore } } });
  };

  readonly open = async (id: string): Promise<void> => {
    this.#set({ opened: { id, conversation: { status: 'loading' } } });
    const answer = await fetchConversation(id);
    if (this.#state.opened?.id !== id) return;
    const conversation: Loading<Conversation> = answer.ok
      ? { status: 'ready', value: answer.value }
      : { status: 'failed', message: describeProblem(answer.problem) };
    this.#set({ opened: { id, conversation } });
  };

  readonly back = (): void => {
    this.#set({ opened: null });
  };

  #set(change: Partial<HistoryState>): void {
    this.#state = { ...this.#state, ...change };
    for (const subscriber of this.#subscribers) subscriber();
  }
}
