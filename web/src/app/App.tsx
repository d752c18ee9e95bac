import { History } from 'lucide-react';
import { useEffect, useMemo, useState, useSyncExternalStore } from 'react';
import { CaptionList } from '../call/CaptionList';
import type { CallClient } from '../call/client';
import { Controls } from '../call/Controls';
import { Headline } from '../call/Headline';
import type { Mood } from '../call/orb';
import { isLive, type Phase } from '../call/state';
import { Visualiser } from '../call/Visualiser';
import type { ConversationsClient } from '../conversations/client';
import { ConversationsPanel } from '../conversations/ConversationsPanel';
import { Wordmark } from '../ui/Wordmark';
import { useShortcuts } from './shortcuts';

interface AppProps {
  readonly call: CallClient;
  readonly conversations: ConversationsClient;
}

export function App({ call: client, conversations }: AppProps) {
  const call = useSyncExternalStore(client.subscribe, client.snapshot);
  const history = useSyncExternalStore(conversations.subscribe, conversations.snapshot);
  const [panel, setPanel] = useState<'open' | 'closed'>('closed');
  const live = isLive(call.phase);
  const withCaptions = live || call.captions.length > 0;

  const shortcuts = useMemo(
    () => (live && panel === 'closed' ? { onToggleMute: client.toggleMute, onHangUp: client.hangUp } : null),
    [live, panel, client],
  );
  useShortcuts(shortcuts);

  // Opening the panel and ending a call both make the list worth reading anew.
  useEffect(() => {
    if (panel === 'open') void conversations.load();
  }, [panel, live, conversations]);

  return (
    <div className="flex h-dvh flex-col overflow-hidden">
      <header className="mx-auto flex w-full max-w-7xl shrink-0 items-center justify-between px-5 py-3 md:px-8 md:py-5">
        <Wordmark />
        <button
          type="button"
          onClick={() => { setPanel('open'); }}
          className="inline-flex h-11 items-center gap-2 rounded-full px-4 -mr-4 text-sm font-medium text-muted transition hover:bg-line/50 hover:text-ink"
        >
          <History aria-hidden className="size-4" />
          Conversations
        </button>
      </header>

      <main
        className={`mx-auto min-h-0 w-full max-w-7xl flex-1 px-5 pb-[max(1.25rem,env(safe-area-inset-bottom))] md:px-8 ${withCaptions ? 'call-layout grid' : 'flex flex-col items-center justify-center gap-9'}`}
      >
        <section aria-label="Call" className="flex flex-col items-center justify-center gap-2 lg:gap-5 [grid-area:stage]">
          <Visualiser
            mood={moodOf(call.phase)}
            readLevels={client.levels}
            size={withCaptions ? 'beside-captions' : 'alone'}
            meters={live ? 'shown' : 'hidden'}
          />
          <Headline call={call} />
        </section>
        {withCaptions && (
          <section aria-label="Transcript" className="flex min-h-0 flex-col [grid-area:captions]">
            <CaptionList captions={call.captions} callerSpeaking={call.callerSpeaking} />
          </section>
        )}
        <section aria-label="Controls" className="flex flex-col items-center gap-3 [grid-area:controls]">
          <Controls call={call} onStart={() => void client.start()} onToggleMute={client.toggleMute} onHangUp={client.hangUp} />
          {live && <p className="hidden text-xs text-muted pointer-fine:block">Space mutes · Esc hangs up</p>}
        </section>
      </main>

      {panel === 'open' && (
        <ConversationsPanel
          history={history}
          onClose={() => { setPanel('closed'); conversations.back(); }}
          onOpen={(id) => void conversations.open(id)}
          onBack={conversations.back}
          onMore={() => void conversations.more()}
          onRetry={() => void conversations.load()}
        />
      )}
    </div>
  );
}

function moodOf({ name }: Phase): Mood {
  switch (name) {
    case 'listening':
    case 'thinking':
    case 'speaking':
      return name;
    case 'connecting':
      return 'thinking';
    case 'idle':
    case 'ended':
    case 'failed':
      return 'resting';
    default:
      return name satisfies never;
  }
}
