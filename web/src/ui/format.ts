/** Figures and times in a reader's words. */

export function formatMs(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 1)} s`;
}

export function formatDuration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  const minutes = Math.floor(seconds / 60);
  return minutes === 0 ? `${seconds} s` : `${minutes} min ${seconds % 60} s`;
}

export function formatMoment(iso: string, now: Date, locale?: string): string {
  const moment = new Date(iso);
  if (Number.isNaN(moment.getTime())) return '';
  const time = moment.toLocaleTimeString(locale, { hour: 'numeric', minute: '2-digit' });
  if (moment.toDateString() === now.toDateString()) return `Today, ${time}`;
  const year = moment.getFullYear() === now.getFullYear() ? {} : { year: 'numeric' as const };
  return `${moment.toLocaleDateString(locale, { day: 'numeric', month: 'short', ...year })}, ${time}`;
}

export function countOf(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** Large counts in short: 1.2K, 3.4M. */
export function formatMany(count: number): string {
  return count.toLocaleString('en', { notation: 'compact', maximumFractionDigits: 1 });
}

/** An amount of money of any size: two figures that say something. */
export function formatCost(cost: number): string {
  return cost >= 0.1 ? cost.toFixed(2) : cost.toLocaleString('en', { maximumSignificantDigits: 2, useGrouping: false });
}

export function median(values: readonly number[]): number | null {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle];
  if (upper === undefined) return null;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2;
}
