/** The orb and the two level meters: one animation loop that bypasses React's rendering. */
import { useEffect, useRef, useState, type RefObject } from 'react';
import { Meter } from '../ui/Meter';
import type { Levels } from './levels';
import { follow, moveOrb, paintOrb, restingOrb, type Mood, type OrbPalette } from './orb';

interface VisualiserProps {
  readonly mood: Mood;
  readonly readLevels: () => Levels;
  readonly size: keyof typeof SIZES;
  readonly meters: 'shown' | 'hidden';
}

const SIZES = {
  alone: 'w-[min(23rem,78vw,46dvh)]',
  'beside-captions': 'w-40 lg:w-[min(25rem,48dvh)]',
} as const;

/**
 * Strings swing slowly enough for 30 frames a second. Without a graphics card, every second frame saved is a quarter of
 * a processor core, and the models that answer may run on the same one. A little less than two frames of a 60 Hz screen.
 */
const FRAME_MS = 30;

/** After a pause (a hidden tab) the motion goes on from where it was instead of leaping. */
const LONGEST_STEP_SECONDS = 0.1;

export function Visualiser({ mood, readLevels, size, meters }: VisualiserProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const yourBar = useRef<HTMLSpanElement>(null);
  const antiphonBar = useRef<HTMLSpanElement>(null);
  const palette = usePalette();
  const motion = useMedia('(prefers-reduced-motion: reduce)') ? 'reduced' : 'full';
  const latest = useRef({ mood, readLevels, palette });
  useEffect(() => {
    latest.current = { mood, readLevels, palette };
  });

  useEffect(() => {
    let orb = restingOrb(motion);
    let shown: Levels = { you: 0, antiphon: 0 };
    let last = performance.now();
    let frame = requestAnimationFrame(function draw(now: number) {
      frame = requestAnimationFrame(draw);
      if (now - last < FRAME_MS) return;
      const step = Math.min(LONGEST_STEP_SECONDS, Math.max(0, now - last) / 1000);
      last = now;
      const levels = latest.current.readLevels();
      orb = moveOrb(orb, latest.current.mood, levels, step);
      shown = { you: follow(shown.you, levels.you, step), antiphon: follow(shown.antiphon, levels.antiphon, step) };
      setBar(yourBar, shown.you);
      setBar(antiphonBar, shown.antiphon);
      const context = sized(canvas.current);
      if (context) paintOrb(context, context.canvas.width, orb, latest.current.palette);
    });
    return () => { cancelAnimationFrame(frame); };
  }, [motion]);

  return (
    <div className="flex items-center gap-3 lg:gap-6">
      {meters === 'shown' && <Meter label="You" voice="you" bar={yourBar} />}
      <canvas ref={canvas} className={`aspect-square ${SIZES[size]}`} aria-hidden />
      {meters === 'shown' && <Meter label="Antiphon" voice="antiphon" bar={antiphonBar} />}
    </div>
  );
}

function setBar(bar: RefObject<HTMLSpanElement | null>, level: number): void {
  if (bar.current) bar.current.style.scale = `${level.toFixed(3)} 1`;
}

/** The drawing context with as many pixels as the screen shows, up to twice the CSS size. */
function sized(canvas: HTMLCanvasElement | null): CanvasRenderingContext2D | null {
  if (!canvas) return null;
  const pixels = Math.round(canvas.clientWidth * Math.min(2, window.devicePixelRatio));
  if (canvas.width !== pixels) {
    canvas.width = pixels;
    canvas.height = pixels;
  }
  return canvas.getContext('2d');
}

function usePalette(): OrbPalette {
  const dark = useMedia('(prefers-color-scheme: dark)');
  const style = getComputedStyle(document.documentElement);
  return {
    you: style.getPropertyValue('--you'),
    antiphon: style.getPropertyValue('--antiphon'),
    ...(dark ? ({ blend: 'lighter', weight: 1 } as const) : ({ blend: 'source-over', weight: 1.6 } as const)),
  };
}

function useMedia(query: string): boolean {
  const [matches, setMatches] = useState(() => window.matchMedia(query).matches);
  useEffect(() => {
    const list = window.matchMedia(query);
    const update = () => { setMatches(list.matches); };
    list.addEventListener('change', update);
    return () => { list.removeEventListener('change', update); };
  }, [query]);
  return matches;
}
