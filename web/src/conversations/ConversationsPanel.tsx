import { ArrowLeft } from 'lucide-react';
import { IconButton } from '../ui/IconButton';
import { Loaded } from '../ui/Loaded';
import { SidePanel } from '../ui/SidePanel';
import type { HistoryState } from './client';
import { ConversationList } from './ConversationList';
import { ConversationView } from './ConversationView';

interface ConversationsPanelProps {
  readonly history: HistoryState;
  readonly onClose: () => void;
  readonly onOpen: (id: string) => void;
  readonly onBack: () => void;
  readonly onMore: () => void;
  readonly onRetry: () => void;
}

/** What was said before: the list, or the conversation that is being read. */
export function ConversationsPanel({ history, onClose, onOpen, onBack, onMore, onRetry }: ConversationsPanelProps) {
  const { list, opened } = history;
  return (
    <SidePanel
      label="Conversations"
      title={opened ? 'Conversation' : 'Conversations'}
      lead={opened && <IconButton icon={ArrowLeft} label="Back to the list" onClick={onBack} />}
      onClose={onClose}
    >
      {opened ? (
        <Loaded data={opened.conversation} onRetry={() => { onOpen(opened.id); }}>
          {(conversation) => <ConversationView conversation={conversation} />}
        </Loaded>
      ) : (
        <Loaded data={list} onRetry={onRetry}>
          {(page) => <ConversationList {...page} onOpen={onOpen} onMore={onMore} />}
        </Loaded>
      )}
    </SidePanel>
  );
}
