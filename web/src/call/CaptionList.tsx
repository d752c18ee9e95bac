import { useEffect, useRef } from 'react';
import { Bubble, Dots } from '../ui/Bubble';
import type { Captions } from './captions';
import { CaptionEntry } from './CaptionEntry';

interface CaptionListProps {
  readonly captions: Captions;
  /** The caller is speaking, perhaps before a first word is recognised. */
  readonly callerSpeaking: boolean;
}

/** Closer to the end than this, a reader is following along rather than looking back. */
const FOLLOW_PX = 120;

export function CaptionList({ captions, callerSpeaking }: CaptionListProps) {
  const scroller = useRef<HTMLDivElement>(null);
  const following = useRef(true);
  const last = captions.at(-1);
  const wordless = callerSpeaking && (!last?.caller || last.caller.final);

  useEffect(() => {
    const box = scroller.current;
    if (box && following.current) box.scrollTop = box.scrollHeight;
  }, [captions, wordless]);

  return (
    <div
      ref={scroller}
      tabIndex={0}
      aria-label="Captions"
      role="log"
      aria-live="polite"
      onScroll={({ currentTarget: box }) => {
        following.current = box.scrollHeight - box.scrollTop - box.clientHeight < FOLLOW_PX;
      }}
      className="min-h-0 flex-1 overflow-y-auto overscroll-contain mask-t-from-[calc(100%-1.5rem)]"
    >
      <ol className="mx-auto flex min-h-full max-w-xl flex-col gap-4 px-1 pt-6 pb-2 lg:justify-end">
        {captions.map((caption) => (
          <CaptionEntry key={caption.id} caption={caption} />
        ))}
        {wordless && (
          <li className="flex flex-col">
            <Bubble voice="you" tentative>
              <Dots label="speaking" />
            </Bubble>
          </li>
        )}
        {captions.length === 0 && !wordless && (
          <li className="self-center py-6 text-sm text-muted">What you both say appears here.</li>
        )}
      </ol>
    </div>
  );
}
