/** A person speaks while Antiphon does: Antiphon falls silent and keeps only what was heard. */
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Page } from 'playwright-core';
import { expect, inject, it } from 'vitest';
import { shoot, withPage } from './browser';
import { AUDIBLE, heard, installMicrophone, installProbe, waitForEvent, waitForVoice, type Sound } from './probe';
import { speechFile } from './settings';
import { readWav, writeWav } from './wav';

/** From the event that tells of the interruption to silence in the page. */
const SILENCE_WITHIN_MS = 300;

/** Early enough that even a short answer is still being spoken. */
const INTERRUPT_AFTER_MS = 300;

it('an interruption silences the answer and cuts its caption', async () => {
  const speech = writeWav(readWav(await readFile(speechFile()))).toString('base64');
  await withPage({ kind: 'granted' }, async (page) => {
    await installProbe(page);
    await installMicrophone(page);
    await page.goto(inject('serverUrl'));
    await page.getByRole('button', { name: 'Start talking' }).click();
    await page.getByRole('heading', { name: 'Listening' }).waitFor();
    await sleep(1_000);
    await page.evaluate((wav) => window.probe.say(wav), speech);
    await waitForVoice(page);
    await sleep(INTERRUPT_AFTER_MS);

    const asked = await page.evaluate(() => performance.now());
    await page.evaluate((wav) => window.probe.say(wav), speech);
    await waitForEvent(page, 'input_audio_buffer.speech_started', 2);
    await waitForEvent(page, 'conversation.item.truncated');
    await page.getByText('You interrupted here').waitFor();
    await shoot(page, 'interrupted');
    await waitForEvent(page, 'output_audio_buffer.started', 2);

    const { fromOnset, fromEvent, fromCleared, spokeUntilEvent } = await measure(page, asked);
    console.log(
      `silence after an interruption: ${fromOnset.toFixed(0)} ms from the first sound, ` +
        `${fromEvent.toFixed(0)} ms from speech_started, ${fromCleared.toFixed(0)} ms from output_audio_buffer.cleared`,
    );
    expect(spokeUntilEvent).toBe(true);
    expect(fromEvent).toBeLessThanOrEqual(SILENCE_WITHIN_MS);
  });
});

interface Measured {
  readonly fromOnset: number;
  readonly fromEvent: number;
  readonly fromCleared: number;
  /** Otherwise the answer was over anyway and nothing was measured. */
  readonly spokeUntilEvent: boolean;
}

async function measure(page: Page, asked: number): Promise<Measured> {
  const { voice, microphone } = await page.evaluate(() => ({ voice: window.probe.voice, microphone: window.probe.microphone }));
  const onset = sustained(microphone.filter((sound) => sound.at >= asked));
  const firstAfter = async (type: string, at: number) => (await heard(page, type)).find((event) => event.at >= at)?.at ?? NaN;
  const started = await firstAfter('input_audio_buffer.speech_started', asked);
  const cleared = await firstAfter('output_audio_buffer.cleared', asked);
  const nextAnswer = await firstAfter('output_audio_buffer.started', started);
  const audible = voice.filter((sound) => sound.rms > AUDIBLE && sound.at >= asked && sound.at < nextAnswer);
  const lastSound = audible.at(-1)?.at ?? NaN;
  return {
    fromOnset: lastSound - onset,
    fromEvent: lastSound - started,
    fromCleared: lastSound - cleared,
    // Between two words a voice pauses too, seldom longer than this.
    spokeUntilEvent: lastSound > started - 250,
  };
}

/** The first of three loud samples in a row, 30 ms: not a click. */
function sustained(sounds: readonly Sound[]): number {
  const loud = (at: number) => (sounds[at]?.rms ?? 0) > AUDIBLE;
  return sounds.find((_, at) => loud(at) && loud(at + 1) && loud(at + 2))?.at ?? NaN;
}
