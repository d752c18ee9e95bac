import type { ReactNode } from 'react';
import type { Voice } from './Meter';

interface BubbleProps {
  readonly voice: Voice;
  readonly children: ReactNode;
  /** Words that may still change. */
  readonly tentative?: boolean;
}

export function Bubble({ voice, children, tentative = false }: BubbleProps) {
  const look =
    voice === 'you'
      ? 'self-end rounded-br-md bg-you-soft'
      : 'self-start rounded-bl-md border border-line bg-surface';
  return (
    <div
      aria-busy={tentative}
      data-voice={voice}
      className={`max-w-[88%] animate-rise rounded-3xl px-4 py-2.5 leading-relaxed text-pretty wrap-anywhere ${look} ${tentative ? 'text-muted' : ''}`}
    >
      <span className="sr-only">{voice === 'you' ? 'You: ' : 'Antiphon: '}</span>
      {children}
    </div>
  );
}

export function Dots({ label }: { readonly label: string }) {
  return (
    <span className="inline-flex h-[1lh] items-center gap-1">
      <span className="sr-only">{label}</span>
      {['', '[animation-delay:150ms]', '[animation-delay:300ms]'].map((delay) => (
        <span key={delay} aria-hidden className={`size-1.5 animate-dot rounded-full bg-current ${delay}`} />
      ))}
    </span>
  );
}
