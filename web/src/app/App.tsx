import { Cpu, History } from 'lucide-react';
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
import type { ProvidersClient } from '../providers/client';
import { ProvidersPanel } from '../providers/ProvidersPanel';
import { Wordmark } from '../ui/Wordmark';
import { HeaderButton } from './HeaderButton';
import { useShortcuts } from './shortcuts';

interface AppProps {
  readonly call: CallClient;
  readonly conversations: ConversationsClient;
  readonly providers: ProvidersClient;
}

type Panel = 'none' | 'conversations' | 'providers';

export function App({ call: client, conversations, providers }: AppProps) {
  const call = useSyncExternalStore(client.subscribe, client.snapshot);
  const history = useSyncExternalStore(conversations.subscribe, conversations.snapshot);
  const fares = useSyncExternalStore(providers.subscribe, providers.snapshot);
  const [panel, setPanel] = useState<Panel>('none');
  const live = isLive(call.phase);
  const withCaptions = live || call.captions.length > 0;

  const shortcuts = useMemo(
    () => (live && panel === 'none' ? { onToggleMute: client.toggleMute, onHangUp: client.hangUp } : null),
    [live, panel, client],
  );
  useShortcuts(shortcuts);

  // Opening the panel and ending a call both make the list worth reading anew.
  useEffect(() => {
    if (panel === 'conversations') void conversations.load();
  }, [panel, live, conversations]);

  useEffect(() => (panel === 'providers' ? providers.watch() : undefined), [panel, providers]);

  return (
    <div className="flex h-dvh flex-col overflow-hidden">
      <header className="mx-auto flex w-full max-w-7xl shrink-0 items-center justify-between px-5 py-3 md:px-8 md:py-5">
        <Wordmark />
        <nav aria-label="Panels" className="-mr-4 flex">
          <HeaderButton icon={Cpu} label="Providers" onClick={() => { setPanel('providers'); }} />
          <HeaderButton icon={History} label="Conversations" onClick={() => { setPanel('conversations'); }} />
        </nav>
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

      {panel === 'providers' && (
        <ProvidersPanel providers={fares} onClose={() => { setPanel('none'); }} onRetry={() => void providers.load()} />
      )}
      {panel === 'conversations' && (
        <ConversationsPanel
          history={history}
          onClose={() => { setPanel('none'); conversations.back(); }}
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
