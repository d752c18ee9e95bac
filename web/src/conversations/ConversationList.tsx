import { ChevronRight, MessagesSquare } from 'lucide-react';
import type { ConversationSummary } from '../api/conversations';
import { countOf, formatDuration, formatMoment } from '../ui/format';

interface ConversationListProps {
  readonly conversations: readonly ConversationSummary[];
  readonly hasMore: boolean;
  readonly onOpen: (id: string) => void;
  readonly onMore: () => void;
}

export function ConversationList({ conversations, hasMore, onOpen, onMore }: ConversationListProps) {
  if (conversations.length === 0) return <EmptyList />;
  return (
    <>
      <ul className="flex flex-col gap-2">
        {conversations.map((conversation) => (
          <li key={conversation.id}>
            <button
              type="button"
              onClick={() => { onOpen(conversation.id); }}
              className="group flex w-full items-center gap-3 rounded-2xl border border-line bg-surface px-4 py-3.5 text-left transition hover:border-muted"
            >
              <span className="min-w-0 flex-1">
                <span className="line-clamp-2 leading-snug font-medium text-pretty">
                  {conversation.preview || <span className="text-muted">Nothing was said</span>}
                </span>
                <span className="mt-1 block text-sm text-muted">{details(conversation)}</span>
              </span>
              <ChevronRight aria-hidden className="size-4 shrink-0 text-muted transition group-hover:translate-x-0.5" />
            </button>
          </li>
        ))}
      </ul>
      {hasMore && (
        <button
          type="button"
          onClick={onMore}
          className="mx-auto mt-4 block h-11 rounded-full px-5 text-sm font-medium text-muted hover:bg-line/60 hover:text-ink"
        >
          Show older
        </button>
      )}
    </>
  );
}

function EmptyList() {
  return (
    <div className="flex flex-col items-center gap-3 py-20 text-center">
      <MessagesSquare aria-hidden className="size-8 text-muted" strokeWidth={1.5} />
      <p className="font-serif text-2xl">Nothing yet</p>
      <p className="max-w-64 text-pretty text-muted">Your conversations are kept here once you have had one.</p>
    </div>
  );
}

export function details({ createdAt, endedAt, status, turnCount }: ConversationSummary): string {
  const length = endedAt === null ? NaN : Date.parse(endedAt) - Date.parse(createdAt);
  return [
    formatMoment(createdAt, new Date()),
    countOf(turnCount, 'turn'),
    status === 'active' ? 'in progress' : '',
    Number.isNaN(length) ? '' : formatDuration(length),
  ]
    .filter((part) => part !== '')
    .join(' · ');
}
