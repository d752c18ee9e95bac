/** Chromium as a WHIP publisher and a WHEP player: trickle ICE and restarts of ICE by PATCH, and the tone is heard all along. */
import type { Page } from 'playwright-core';
import { expect } from 'vitest';
import { withPage } from './browser';
import { AUDIBLE } from './probe';
import { echoServer, ownServer } from './own-server';
import { installWhip } from './whip-page';

const server = echoServer();

ownServer('candidates are trickled, ICE is restarted on both sides, and the tone goes on', async () => {
  await withPage({ kind: 'granted' }, async (page) => {
    await installWhip(page);
    await page.goto(server().url);
    const whip = await page.evaluate(() => window.whip.publish());
    await page.evaluate((path) => window.whip.play(path), whip.replace('/whip/', '/whep/'));
    for (const who of ['publisher', 'player'] as const) {
      const statuses = await page.evaluate((name) => window.whip.sessions[name]?.trickle(), who);
      expect(statuses, who).not.toEqual([]);
      expect(new Set(statuses), who).toEqual(new Set([204]));
    }
    await hearTheTone(page);
    // A copy of an earlier packet travels with each one (RFC 2198).
    expect(await page.evaluate(() => window.whip.codec())).toBe('audio/red');
    for (const who of ['publisher', 'player'] as const) {
      const before = await localUfrag(page, who);
      const restarted = await page.evaluate((name) => window.whip.sessions[name]?.restart(), who);
      expect(restarted, who).toEqual({ status: 200, isRenamed: true });
      await page.waitForFunction(
        (name) => ['connected', 'completed'].includes(window.whip.sessions[name]?.pc.iceConnectionState ?? ''),
        who,
        { polling: 20 },
      );
      expect(await localUfrag(page, who), who).not.toBe(before);
      await hearTheTone(page);
    }
    for (const who of ['player', 'publisher'] as const) {
      expect(await page.evaluate((name) => window.whip.sessions[name]?.end(), who)).toBe(200);
    }
  });
});

/** Resolves once a second more of the tone has come. */
async function hearTheTone(page: Page): Promise<void> {
  const wanted = (await page.evaluate(() => window.whip.received())) + 50;
  await page.waitForFunction(
    async ({ audible, packets }) => window.whip.loudness() > audible && (await window.whip.received()) >= packets,
    { audible: AUDIBLE, packets: wanted },
    { timeout: 30_000, polling: 20 },
  );
}

async function localUfrag(page: Page, who: 'publisher' | 'player'): Promise<string> {
  return page.evaluate((name) => {
    const sdp = window.whip.sessions[name]?.pc.currentLocalDescription?.sdp ?? '';
    return /a=ice-ufrag:(\S+)/.exec(sdp)?.[1] ?? '';
  }, who);
}
