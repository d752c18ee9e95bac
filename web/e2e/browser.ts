/** A real Chromium with a fresh profile and a fake microphone. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium as playwright, type Page } from 'playwright-core';
import { chromium, shotsDir } from './settings';

const FLAGS = [
  '--headless=new',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--allow-loopback-in-peer-connection',
  '--autoplay-policy=no-user-gesture-required',
];

export const DESKTOP = { width: 1280, height: 800 };
export const PHONE = { width: 390, height: 844 };

export type Microphone = { readonly kind: 'file'; readonly wav: string } | { readonly kind: 'granted' } | { readonly kind: 'denied' };

/** Runs a test in a browser of its own and cleans up whatever happens. */
export async function withPage(microphone: Microphone, test: (page: Page) => Promise<void>): Promise<void> {
  const profile = await mkdtemp(join(tmpdir(), 'antiphon-chromium-'));
  const context = await playwright.launchPersistentContext(profile, {
    executablePath: chromium,
    // The silent output device must pull the sound like a real one, or nothing arrives to be measured.
    ignoreDefaultArgs: ['--mute-audio'],
    args: [...FLAGS, ...microphoneFlags(microphone)],
    viewport: DESKTOP,
    colorScheme: 'dark',
  });
  const page = context.pages()[0] ?? (await context.newPage());
  try {
    page.on('pageerror', (error) => { throw error; });
    await test(page);
  } catch (error) {
    console.error(await page.evaluate(tellStory));
    throw error;
  } finally {
    await context.close();
    await rm(profile, { recursive: true, force: true });
  }
}

/** What the page showed and heard until a test failed. Runs in the page. */
function tellStory(): string {
  const events = 'probe' in window ? window.probe.events : [];
  return [document.body.innerText, ...events.map((event) => `${event.at.toFixed(0)} ms ${JSON.stringify(event)}`)].join('\n');
}

function microphoneFlags(microphone: Microphone): string[] {
  const device = '--use-fake-device-for-media-stream';
  switch (microphone.kind) {
    case 'file':
      return [device, '--use-fake-ui-for-media-stream', `--use-file-for-fake-audio-capture=${microphone.wav}%noloop`];
    case 'granted':
      return [device, '--use-fake-ui-for-media-stream'];
    case 'denied':
      return [device, '--deny-permission-prompts'];
    default:
      return microphone satisfies never;
  }
}

/** One picture per screen size, when someone wants to look at the page. */
export async function shoot(page: Page, name: string): Promise<void> {
  if (shotsDir === null) return;
  for (const [size, viewport] of Object.entries({ desktop: DESKTOP, phone: PHONE })) {
    await page.setViewportSize(viewport);
    await page.screenshot({ path: join(shotsDir, `${name}-${size}.png`) });
  }
  await page.setViewportSize(DESKTOP);
}
