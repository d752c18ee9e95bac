/** What goes wrong is told in words that help, and a way back is offered. */
import { expect, inject, it } from 'vitest';
import { shoot, withPage } from './browser';
import { echoServer, ownServer } from './own-server';

it('a denied microphone tells how to allow it', async () => {
  await withPage({ kind: 'denied' }, async (page) => {
    await page.goto(inject('serverUrl'));
    await page.getByRole('button', { name: 'Start talking' }).click();
    const alert = page.getByRole('alert');
    await alert.waitFor();
    expect(await alert.innerText()).toContain('The microphone is blocked');
    await page.getByRole('button', { name: 'Try again' }).waitFor();
    await shoot(page, 'microphone-denied');
  });
});

const server = echoServer();

ownServer('a server that goes away during a call is noticed, and reconnecting works once it is back', async () => {
  await withPage({ kind: 'granted' }, async (page) => {
    await page.goto(server().url);
    await page.getByRole('button', { name: 'Start talking' }).click();
    await page.getByRole('button', { name: 'Hang up' }).waitFor();
    await page.getByRole('heading', { name: /Listening|Speaking/ }).waitFor();

    await server().kill('SIGKILL');
    const killed = performance.now();
    await page.getByRole('heading', { name: 'The connection was lost' }).waitFor({ timeout: 30_000 });
    console.log(`a killed server is noticed after ${((performance.now() - killed) / 1000).toFixed(1)} s`);
    await shoot(page, 'connection-lost');

    await page.getByRole('button', { name: 'Reconnect' }).click();
    await page.getByRole('heading', { name: 'Antiphon can’t be reached' }).waitFor();

    await server().start();
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.getByRole('heading', { name: /Listening|Speaking/ }).waitFor();

    await server().kill('SIGTERM');
    // The server gives calls its `shutdown_grace` of 5 s to end by themselves.
    await page.getByRole('heading', { name: 'The connection was lost' }).waitFor({ timeout: 15_000 });
  });
});
