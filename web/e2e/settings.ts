/** What the tests take from the environment. */

/** A server that already runs; without it one is started from `serverBin`. */
export const serverUrl = setting('ANTIPHON_URL');
export const serverBin = setting('ANTIPHON_BIN');
export const chromium = setting('CHROMIUM') ?? '/usr/bin/chromium';

/** Where screenshots go; none are taken without it. */
export const shotsDir = setting('ANTIPHON_SHOTS');

/** A WAV file with one spoken question, recorded from a person. */
export function speechFile(): string {
  const file = setting('ANTIPHON_E2E_SPEECH');
  if (file === null) throw new Error('set ANTIPHON_E2E_SPEECH to a WAV file with a spoken question');
  return file;
}

/** Words that must be recognised in it, in lower case. */
export function spokenWords(): string[] {
  const words = setting('ANTIPHON_E2E_WORDS')?.toLowerCase().match(/[\p{L}']+/gu);
  if (!words) throw new Error('set ANTIPHON_E2E_WORDS to words spoken in ANTIPHON_E2E_SPEECH');
  return words;
}

/** A variable that is set to nothing is not set. */
function setting(name: string): string | null {
  const value = process.env[name] ?? '';
  return value === '' ? null : value;
}
