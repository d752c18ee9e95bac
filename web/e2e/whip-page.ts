/**
 * A WHIP publisher and a WHEP player inside a page, as any web client would write them. `installWhip` is sent to the browser
 * as source, so it uses nothing from this file.
 */
import type { Page } from 'playwright-core';

interface Session {
  readonly pc: RTCPeerConnection;
  /** Trickles what has been gathered: the status of each request. */
  readonly trickle: () => Promise<number[]>;
  /** Restarts ICE by PATCH; gives the status, and whether the ETag is a new one. */
  readonly restart: () => Promise<{ readonly status: number; readonly isRenamed: boolean }>;
  readonly end: () => Promise<number>;
}

interface Whip {
  readonly sessions: { publisher?: Session; player?: Session };
  readonly publish: () => Promise<string>;
  readonly play: (path: string) => Promise<void>;
  /** How loud the player is now. */
  readonly loudness: () => number;
  /** RTP packets that the player has received. */
  readonly received: () => Promise<number>;
  /** The codec that the publisher sends. */
  readonly codec: () => string;
}

declare global {
  interface Window {
    whip: Whip;
  }
}

export async function installWhip(page: Page): Promise<void> {
  await page.addInitScript(() => {
    const fragmentType = { 'Content-Type': 'application/trickle-ice-sdpfrag' };
    const value = (sdp: string, name: string): string => new RegExp(`^a=${name}:(.*?)\\r?$`, 'm').exec(sdp)?.[1] ?? '';
    const fragment = (sdp: string, candidates: readonly string[]): string =>
      [
        `a=ice-ufrag:${value(sdp, 'ice-ufrag')}`,
        `a=ice-pwd:${value(sdp, 'ice-pwd')}`,
        'm=audio 9 UDP/TLS/RTP/SAVPF 0',
        `a=mid:${value(sdp, 'mid')}`,
        ...candidates.map((candidate) => `a=${candidate}`),
        '',
      ].join('\r\n');
    /** The first answer with the credentials and candidates of a fragment. */
    const renewed = (answer: string, ice: string): string =>
      answer
        .replace(/^a=candidate:.*\r\n|^a=end-of-candidates\r\n/gm, '')
        .replace(/^a=ice-ufrag:.*$/gm, `a=ice-ufrag:${value(ice, 'ice-ufrag')}`)
        .replace(/^a=ice-pwd:.*$/gm, `a=ice-pwd:${value(ice, 'ice-pwd')}`)
        .concat(ice.match(/^a=candidate:.*\r\n/gm)?.join('') ?? '');

    async function open(pc: RTCPeerConnection, path: string): Promise<[Session, string]> {
      let gathered: string[] = [];
      pc.addEventListener('icecandidate', ({ candidate }) => {
        if (candidate !== null && candidate.candidate !== '') gathered.push(candidate.candidate);
      });
      const complete = (): Promise<void> =>
        new Promise((done) => {
          const look = (): void => { if (pc.iceGatheringState === 'complete') done(); };
          pc.addEventListener('icegatheringstatechange', look);
          look();
        });
      const offer = await pc.createOffer();
      await pc.setLocalDescription(offer);
      const response = await fetch(path, { method: 'POST', body: offer.sdp ?? '', headers: { 'Content-Type': 'application/sdp' } });
      if (response.status !== 201) throw new Error(`${path}: ${response.status} ${await response.text()}`);
      const location = response.headers.get('Location') ?? '';
      let etag = response.headers.get('ETag') ?? '';
      const answer = await response.text();
      await pc.setRemoteDescription({ type: 'answer', sdp: answer });
      const patch = (ifMatch: string, body: string): Promise<Response> =>
        fetch(location, { method: 'PATCH', body, headers: { ...fragmentType, 'If-Match': ifMatch } });
      const session: Session = {
        pc,
        trickle: async () => {
          await complete();
          const statuses: number[] = [];
          for (const candidate of gathered) {
            statuses.push((await patch(etag, fragment(pc.localDescription?.sdp ?? '', [candidate]))).status);
          }
          return statuses;
        },
        restart: async () => {
          gathered = [];
          await pc.setLocalDescription(await pc.createOffer({ iceRestart: true }));
          await complete();
          const restarted = await patch('*', fragment(pc.localDescription?.sdp ?? '', gathered));
          const before = etag;
          etag = restarted.headers.get('ETag') ?? '';
          await pc.setRemoteDescription({ type: 'answer', sdp: renewed(answer, await restarted.text()) });
          return { status: restarted.status, isRenamed: etag !== '' && etag !== before };
        },
        end: async () => (await fetch(location, { method: 'DELETE' })).status,
      };
      return [session, location];
    }

    const samples = new Float32Array(2_048);
    let analyser: AnalyserNode | null = null;
    window.whip = {
      sessions: {},
      publish: async () => {
        const context = new AudioContext();
        const [tone, microphone] = [context.createOscillator(), context.createMediaStreamDestination()];
        tone.connect(microphone);
        tone.start();
        const pc = new RTCPeerConnection();
        pc.addTransceiver(microphone.stream.getAudioTracks()[0] ?? 'audio', { direction: 'sendonly' });
        const [session, location] = await open(pc, '/whip');
        window.whip.sessions.publisher = session;
        return location;
      },
      play: async (path) => {
        const pc = new RTCPeerConnection();
        pc.addTransceiver('audio', { direction: 'recvonly' });
        pc.addEventListener('track', ({ track }) => {
          const context = new AudioContext();
          analyser = context.createAnalyser();
          context.createMediaStreamSource(new MediaStream([track])).connect(analyser);
        });
        [window.whip.sessions.player] = await open(pc, path);
      },
      loudness: () => {
        analyser?.getFloatTimeDomainData(samples);
        return Math.sqrt(samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length);
      },
      received: async () => {
        const stats = await window.whip.sessions.player?.pc.getStats();
        let packets = 0;
        stats?.forEach((report: { type: string; packetsReceived?: number }) => {
          if (report.type === 'inbound-rtp') packets += report.packetsReceived ?? 0;
        });
        return packets;
      },
      codec: () => {
        const [transceiver] = window.whip.sessions.publisher?.pc.getTransceivers() ?? [];
        return transceiver?.sender.getParameters().codecs[0]?.mimeType ?? '';
      },
    };
  });
}
