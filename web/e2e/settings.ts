/** What the tests take from the environment. */

/** A server that already runs; without it one is started from `bin`. */
export const serverUrl = process.env.ANTIPHON_URL ?? null;
export const serverBin = process.env.ANTIPHON_BIN ?? null;
export const chromium = process.env.CHROMIUM ?? '/usr/bin/chromium';

/** Where screenshots go; none are taken without it. */
export const shotsDir = process.env.ANTIPHON_SHOTS ?? null;

/** A WAV file with one spoken question, recorded from a person. */
export function speechFile(): string {
  const file = process.env.ANTIPHON_E2E_SPEECH;
  if (file === undefined || file === '') throw new Error('set ANTIPHON_E2E_SPEECH to a WAV file with a spoken question');
  return file;
}

/** Words that must be recognised in it, in lower case. */
export function spokenWords(): string[] {
  const words = (process.env.ANTIPHON_E2E_WORDS ?? '').toLowerCase().match(/[\p{L}']+/gu);
  if (words === null) throw new Error('set ANTIPHON_E2E_WORDS to words spoken in ANTIPHON_E2E_SPEECH');
  return words;
}
