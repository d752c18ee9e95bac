/**
 * The two voices as two sheaves of strings around one centre: yours outside, Antiphon's inside.
 * `moveOrb` advances the motion, `paintOrb` draws it; neither reads a clock or the page.
 */
import type { Levels } from './levels';

export type Mood = 'resting' | 'listening' | 'thinking' | 'speaking';

/** Colours as `#rrggbb`. */
export interface OrbPalette {
  readonly you: string;
  readonly antiphon: string;
  /** How strings mix where they cross: light adds up on a dark page, ink covers on a light one. */
  readonly blend: 'lighter' | 'source-over';
  /** How strongly strings are drawn: ink on paper needs more than light in the dark. */
  readonly weight: number;
}

export interface OrbMotion {
  readonly mode: 'full' | 'reduced';
  readonly seconds: number;
  readonly you: number;
  readonly antiphon: number;
  /** How much of each mood shows, so that one melts into the next. */
  readonly moods: Readonly<Record<Mood, number>>;
}

interface Sheaf {
  readonly color: string;
  readonly radius: number;
  readonly swing: number;
  readonly alpha: number;
  readonly spin: number;
  readonly lobes: readonly [number, number, number];
}

const STRINGS = 9;
/** How far a string rests from its neighbour, in radii. */
const GAP = 0.007;
const POINTS = 96;
const MOODS = ['resting', 'listening', 'thinking', 'speaking'] as const;

export function restingOrb(mode: OrbMotion['mode']): OrbMotion {
  return { mode, seconds: 0, you: 0, antiphon: 0, moods: { resting: 1, listening: 0, thinking: 0, speaking: 0 } };
}

export function moveOrb(orb: OrbMotion, mood: Mood, levels: Levels, elapsedSeconds: number): OrbMotion {
  const melt = 1 - Math.exp(-elapsedSeconds * 5);
  const moods = { ...orb.moods };
  for (const name of MOODS) moods[name] += ((name === mood ? 1 : 0) - moods[name]) * melt;
  return {
    mode: orb.mode,
    moods,
    seconds: orb.seconds + (orb.mode === 'full' ? elapsedSeconds : 0),
    you: follow(orb.you, levels.you, elapsedSeconds),
    antiphon: follow(orb.antiphon, levels.antiphon, elapsedSeconds),
  };
}

/** Rises with a syllable and falls a little later, as a struck string does. */
export function follow(current: number, target: number, elapsedSeconds: number): number {
  const rate = target > current ? 28 : 7;
  return current + (target - current) * (1 - Math.exp(-elapsedSeconds * rate));
}

export function paintOrb(canvas: CanvasRenderingContext2D, size: number, orb: OrbMotion, palette: OrbPalette): void {
  const unit = size / 2;
  canvas.clearRect(0, 0, size, size);
  canvas.save();
  canvas.translate(unit, unit);
  paintGlow(canvas, unit, orb, palette);
  canvas.globalCompositeOperation = palette.blend;
  canvas.lineWidth = Math.max(1, unit * 0.006);
  paintSheaf(canvas, unit, orb, yourSheaf(orb, palette));
  paintSheaf(canvas, unit, orb, antiphonSheaf(orb, palette));
  canvas.restore();
}

function yourSheaf({ moods, you, mode }: OrbMotion, { you: color, weight }: OrbPalette): Sheaf {
  const breath = 0.03 * moods.resting + 0.03 * moods.listening + 0.02;
  return {
    color,
    radius: 0.68 - 0.16 * moods.thinking,
    swing: mode === 'full' ? breath + 0.17 * you : 0.02,
    alpha: weight * (0.34 + 0.3 * moods.listening + 0.36 * you - 0.1 * moods.speaking),
    spin: 0.22 + 0.9 * moods.thinking,
    lobes: [3, 5, 8],
  };
}

function antiphonSheaf({ moods, antiphon, mode }: OrbMotion, { antiphon: color, weight }: OrbPalette): Sheaf {
  const breath = 0.03 * moods.resting + 0.02 * moods.speaking + 0.022;
  return {
    color,
    radius: 0.5 + 0.07 * moods.speaking - 0.05 * moods.listening,
    swing: mode === 'full' ? breath + 0.2 * antiphon : 0.02,
    alpha: weight * (0.38 + 0.28 * moods.speaking + 0.3 * antiphon + 0.2 * moods.thinking - 0.1 * moods.listening),
    spin: -0.18 - 1.1 * moods.thinking,
    lobes: [2, 5, 7],
  };
}

function paintSheaf(canvas: CanvasRenderingContext2D, unit: number, orb: OrbMotion, sheaf: Sheaf): void {
  const turn = orb.seconds * sheaf.spin;
  canvas.strokeStyle = sheaf.color;
  for (let string = 0; string < STRINGS; string += 1) {
    // The middle string is the clearest, the outer ones fade.
    const edge = Math.abs(string - (STRINGS - 1) / 2) / ((STRINGS - 1) / 2);
    canvas.globalAlpha = Math.min(1, Math.max(0, sheaf.alpha * (1 - 0.62 * edge)));
    canvas.beginPath();
    for (let point = 0; point < POINTS; point += 1) {
      const angle = (point / POINTS) * Math.PI * 2;
      const radius = unit * (sheaf.radius + GAP * string + sheaf.swing * swing(angle + turn, string, orb.seconds, sheaf.lobes));
      canvas.lineTo(radius * Math.cos(angle), radius * Math.sin(angle));
    }
    canvas.closePath();
    canvas.stroke();
  }
}

/** From about -1 to 1: three standing waves, each string a little out of step with its neighbour. */
function swing(angle: number, string: number, seconds: number, [slow, middle, quick]: Sheaf['lobes']): number {
  const offset = string * 0.33;
  return (
    0.55 * Math.sin(slow * angle + seconds * 0.9 + offset) +
    0.3 * Math.sin(middle * angle - seconds * 1.4 + offset * 1.7) +
    0.15 * Math.sin(quick * angle + seconds * 2.3 - offset * 2.1)
  );
}

function paintGlow(canvas: CanvasRenderingContext2D, unit: number, orb: OrbMotion, palette: OrbPalette): void {
  const strength = palette.blend === 'lighter' ? 0.3 : 0.2;
  const { moods } = orb;
  halo(canvas, unit * (0.62 + 0.3 * orb.you), palette.you, strength * (0.35 * moods.listening + 0.8 * orb.you + 0.12));
  halo(
    canvas,
    unit * (0.66 + 0.3 * orb.antiphon),
    palette.antiphon,
    strength * (0.4 + 0.5 * moods.speaking + 0.8 * orb.antiphon + 0.25 * moods.thinking),
  );
}

function halo(canvas: CanvasRenderingContext2D, radius: number, color: string, alpha: number): void {
  const gradient = canvas.createRadialGradient(0, 0, 0, 0, 0, radius);
  gradient.addColorStop(0, color);
  // The same colour at no opacity: plain `transparent` is black and greys the edge.
  gradient.addColorStop(1, `${color}00`);
  canvas.globalAlpha = Math.min(1, alpha);
  canvas.fillStyle = gradient;
  canvas.fillRect(-radius, -radius, radius * 2, radius * 2);
}
