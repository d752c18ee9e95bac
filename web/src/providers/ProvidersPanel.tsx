import type { Provider } from '../api/providers';
import { Loaded } from '../ui/Loaded';
import { SidePanel } from '../ui/SidePanel';
import type { ProvidersState } from './client';
import { ProviderCard } from './ProviderCard';

interface ProvidersPanelProps {
  readonly providers: ProvidersState;
  readonly onClose: () => void;
  readonly onRetry: () => void;
}

/** Who understands, answers and speaks, and how each one fares. */
export function ProvidersPanel({ providers, onClose, onRetry }: ProvidersPanelProps) {
  return (
    <SidePanel label="Providers" title="Providers" onClose={onClose}>
      <Loaded data={providers} onRetry={onRetry}>
        {(all) => (all.length === 0 ? <Nobody /> : STAGES.map((stage) => <Stage key={stage.id} {...stage} all={all} />))}
      </Loaded>
    </SidePanel>
  );
}

const STAGES = [
  { id: 'stt', title: 'Understands' },
  { id: 'llm', title: 'Answers' },
  { id: 'tts', title: 'Speaks' },
  { id: 'live', title: 'Hears and speaks' },
] as const;

interface StageProps {
  readonly id: Provider['stage'];
  readonly title: string;
  readonly all: readonly Provider[];
}

function Stage({ id, title, all }: StageProps) {
  const here = all.filter(({ stage }) => stage === id);
  if (here.length === 0) return null;
  return (
    <section aria-label={title} className="mb-6">
      <h3 className="mb-2 text-sm font-medium text-muted">{title}</h3>
      <ul className="flex flex-col gap-2">
        {here.map((provider) => <ProviderCard key={provider.name} provider={provider} />)}
      </ul>
    </section>
  );
}

function Nobody() {
  return <p className="py-16 text-center text-pretty text-muted">The models are being loaded, or this server has none.</p>;
}
