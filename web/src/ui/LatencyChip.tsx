/** How long the answer took to be heard; hovering, focusing or tapping shows where the time went. */
import { Timer } from 'lucide-react';
import { useEffect, useId, useRef, useState } from 'react';
import type { Turn } from '../api/conversations';
import { formatMs } from './format';
import { StageBar } from './StageBar';

interface LatencyChipProps {
  readonly turn: Turn;
}

/** Keeps the card off the screen's edge. */
const MARGIN_PX = 12;

export function LatencyChip({ turn }: LatencyChipProps) {
  const [open, setOpen] = useState(false);
  const chip = useRef<HTMLButtonElement>(null);
  const card = useRef<HTMLDivElement>(null);
  const cardId = useId();

  useEffect(() => {
    if (!open || !chip.current || !card.current) return undefined;
    const shown = card.current;
    shown.showPopover();
    placeNear(shown, chip.current.getBoundingClientRect());
    const close = () => { setOpen(false); };
    // Captured before the page's own shortcuts: this Escape closes the card, not the call.
    const escape = (event: KeyboardEvent) => {
      if (event.key !== 'Escape') return;
      event.stopPropagation();
      close();
    };
    window.addEventListener('keydown', escape, true);
    window.addEventListener('scroll', close, true);
    return () => {
      window.removeEventListener('keydown', escape, true);
      window.removeEventListener('scroll', close, true);
      if (shown.isConnected) shown.hidePopover();
    };
  }, [open]);

  if (turn.voiceToVoiceMs === null) return null;
  return (
    <>
      <button
        ref={chip}
        type="button"
        aria-expanded={open}
        aria-controls={cardId}
        aria-label={`Answered in ${formatMs(turn.voiceToVoiceMs)}; show the stages`}
        onClick={() => { setOpen(true); }}
        onFocus={() => { setOpen(true); }}
        onBlur={() => { setOpen(false); }}
        onPointerEnter={({ pointerType }) => { if (pointerType === 'mouse') setOpen(true); }}
        onPointerLeave={({ pointerType }) => { if (pointerType === 'mouse') setOpen(false); }}
        className="inline-flex min-h-6 items-center gap-1 rounded-full px-2 text-xs font-medium text-muted tabular-nums transition hover:bg-line/60 hover:text-ink"
      >
        <Timer aria-hidden className="size-3.5" />
        {formatMs(turn.voiceToVoiceMs)}
      </button>
      <div
        ref={card}
        id={cardId}
        popover="manual"
        className="fixed m-0 w-64 max-w-[calc(100vw-24px)] rounded-2xl border border-line bg-surface p-4 text-ink shadow-xl"
      >
        <p className="mb-3 flex items-baseline justify-between gap-4 text-sm font-semibold">
          Voice to voice <span className="tabular-nums">{formatMs(turn.voiceToVoiceMs)}</span>
        </p>
        <StageBar stages={turn.stages} />
        {turn.heardMs !== null && (
          <p className="mt-3 flex justify-between border-t border-line pt-3 text-xs">
            <span className="text-muted">Heard</span> <span className="tabular-nums">{formatMs(turn.heardMs)}</span>
          </p>
        )}
      </div>
    </>
  );
}

function placeNear(card: HTMLElement, anchor: DOMRect): void {
  const { width, height } = card.getBoundingClientRect();
  const left = Math.min(anchor.left, window.innerWidth - width - MARGIN_PX);
  const above = anchor.top - height - 8;
  card.style.left = `${Math.max(MARGIN_PX, left)}px`;
  card.style.top = `${above > MARGIN_PX ? above : anchor.bottom + 8}px`;
}
