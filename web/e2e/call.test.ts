/** A person asks a question aloud, hears the answer, and finds the conversation kept. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { shoot, withPage } from './browser';
import { AUDIBLE, installProbe, waitForEvent, waitForVoice } from './probe';
import { speechFile, spokenWords } from './settings';
import { concatenate, readWav, silence, writeWav } from './wav';

let folder = '';
let wav = '';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'antiphon-speech-'));
  wav = join(folder, 'question.wav');
  await writeFile(wav, writeWav(concatenate(silence(1.5), readWav(await readFile(speechFile())), silence(30))));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

it('the question is written down, the answer is heard and read, and the conversation is kept', async () => {
  await withPage({ kind: 'file', wav }, async (page) => {
    await installProbe(page);
    const refused: string[] = [];
    page.on('console', (message) => {
      if (message.text().includes('Content Security Policy')) refused.push(message.text());
    });
    await page.goto(inject('serverUrl'));
    await shoot(page, 'idle');
    await page.getByRole('button', { name: 'Start talking' }).click();
    await page.getByRole('heading', { name: 'Listening' }).waitFor();

    await waitForEvent(page, 'antiphon.input_transcription.partial');
    await shoot(page, 'listening');
    await waitForEvent(page, 'conversation.item.input_audio_transcription.completed');
    await waitForVoice(page);
    await page.getByRole('heading', { name: 'Speaking' }).waitFor();
    await shoot(page, 'speaking');
    await waitForEvent(page, 'antiphon.turn');

    const loudest = await page.evaluate(() => Math.max(...window.probe.voice.map((sound) => sound.rms)));
    expect(loudest).toBeGreaterThan(AUDIBLE);
    const captions = page.getByRole('log', { name: 'Captions' });
    const question = (await captions.locator('[data-voice=you]').allInnerTexts()).join(' ').toLowerCase();
    for (const word of spokenWords()) expect(question).toContain(word);
    expect(await captions.locator('[data-voice=antiphon]').first().innerText()).toMatch(/^Antiphon:[^]*\p{L}{2,}/u);
    const chip = page.getByRole('button', { name: /^Answered in/ }).first();
    console.log(`voice to voice, as the page shows it: ${await chip.innerText()}`);
    await shoot(page, 'answered');

    await page.getByRole('button', { name: 'Hang up' }).click();
    await page.getByRole('heading', { name: 'Call ended' }).waitFor();
    await page.getByRole('button', { name: 'Conversations' }).click();
    const entry = page.getByRole('dialog').getByRole('listitem').first();
    await entry.waitFor();
    for (const word of spokenWords()) expect((await entry.innerText()).toLowerCase()).toContain(word);
    await shoot(page, 'conversations');
    await entry.getByRole('button').click();
    const transcript = page.getByRole('dialog').getByRole('article');
    await transcript.waitFor();
    for (const word of spokenWords()) expect((await transcript.innerText()).toLowerCase()).toContain(word);
    await transcript.getByRole('button', { name: /^Answered in/ }).first().hover();
    await transcript.getByText('Voice to voice').waitFor();
    await shoot(page, 'conversation');
    expect(refused).toEqual([]);
  });
});
