import { ArrowLeft, X } from 'lucide-react';
import { useEffect, useRef } from 'react';
import { IconButton } from '../ui/IconButton';
import type { HistoryState } from './client';
import { ConversationList } from './ConversationList';
import { ConversationView } from './ConversationView';
import { Loaded } from './Loaded';

interface ConversationsPanelProps {
  readonly history: HistoryState;
  readonly onClose: () => void;
  readonly onOpen: (id: string) => void;
  readonly onBack: () => void;
  readonly onMore: () => void;
  readonly onRetry: () => void;
}

/** A modal dialog: the browser keeps the focus inside, gives it back, and closes on Escape. */
export function ConversationsPanel({ history, onClose, onOpen, onBack, onMore, onRetry }: ConversationsPanelProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    dialog.current?.showModal();
  }, []);
  const { list, opened } = history;

  return (
    <dialog
      ref={dialog}
      aria-label="Conversations"
      onClose={onClose}
      onClick={({ target }) => { if (target === dialog.current) onClose(); }}
      className="fixed inset-y-0 right-0 left-auto m-0 h-dvh max-h-none w-full max-w-none animate-slide overflow-hidden border-line bg-paper text-ink backdrop:bg-shade sm:w-120 sm:border-l"
    >
      <div className="flex h-full flex-col">
        <header className="flex shrink-0 items-center gap-2 px-5 pt-4 pb-3">
          {opened && <IconButton icon={ArrowLeft} label="Back to the list" onClick={onBack} />}
          <h2 className="flex-1 font-serif text-3xl">{opened ? 'Conversation' : 'Conversations'}</h2>
          <IconButton icon={X} label="Close" onClick={onClose} />
        </header>
        <div className="min-h-0 flex-1 overflow-y-auto overscroll-contain px-5 pb-6">
          {opened ? (
            <Loaded data={opened.conversation} onRetry={() => { onOpen(opened.id); }}>
              {(conversation) => <ConversationView conversation={conversation} />}
            </Loaded>
          ) : (
            <Loaded data={list} onRetry={onRetry}>
              {(page) => <ConversationList {...page} onOpen={onOpen} onMore={onMore} />}
            </Loaded>
          )}
        </div>
      </div>
    </dialog>
  );
}
