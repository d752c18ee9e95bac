//! How long callers wait for a connection: `cargo run --release -p media --example handshake_bench [calls]`.
//!
//! Sequential calls over loopback. `open_call` is all the work of a WHIP POST but HTTP; `connected` is from the offer
//! in hand to ICE and DTLS up on the caller's side. Then one voice is paced to a listener, to see how even it is.

use std::time::{Duration, Instant};

use audio::leg::{Clip, ToCaller};
use bytes::Bytes;
use media::caller::{Caller, CallerEvent, CallerKind};
use media::{Door, Media, MediaConfig};
use tokio::sync::mpsc;

const DEFAULT_CALLS: usize = 200;
const VOICE_FRAMES: usize = 250;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let calls = std::env::args().nth(1).map_or(Ok(DEFAULT_CALLS), |count| count.parse())?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let config = MediaConfig { udp_listen: "127.0.0.1:0".parse()?, ..MediaConfig::default() };
    let media = Media::start(&config)?;
    runtime.block_on(handshakes(&media, calls))?;
    runtime.block_on(pacing(&media))?;
    println!("{:?}", media.stats());
    Ok(())
}

async fn handshakes(media: &Media, calls: usize) -> Result<(), Box<dyn std::error::Error>> {
    let (mut opened, mut connected) = (Vec::new(), Vec::new());
    for n in 0..calls {
        let (pending, offer) = Caller::offer(CallerKind::Publish)?;
        let (to_agent, _agent) = mpsc::channel(64);
        let start = Instant::now();
        let call = media.open_call(Door::Whip, n.to_string(), &offer, to_agent)?;
        opened.push(start.elapsed());
        let mut caller = pending.connect(&call.answer_sdp)?;
        while caller.events.recv().await.ok_or("the caller gave up")? != CallerEvent::Connected {}
        connected.push(start.elapsed());
        caller.close();
    }
    report("open_call", &mut opened);
    report("connected", &mut connected);
    Ok(())
}

async fn pacing(media: &Media) -> Result<(), Box<dyn std::error::Error>> {
    let (pending, offer) = Caller::offer(CallerKind::TwoWay)?;
    let (to_agent, _agent) = mpsc::channel(1_024);
    let call = media.open_call(Door::TwoWay, "voice".into(), &offer, to_agent)?;
    let mut caller = pending.connect(&call.answer_sdp)?;
    let clip = Clip { turn: 1, attempt: 1, sentence: 0 };
    for _ in 0..VOICE_FRAMES {
        call.voice.send(ToCaller::Voice { clip, payload: Bytes::from_static(&[0xf8; 80]) });
    }
    let mut arrivals = Vec::with_capacity(VOICE_FRAMES);
    while arrivals.len() < VOICE_FRAMES {
        if let CallerEvent::Frame { arrived, .. } = caller.events.recv().await.ok_or("the caller was dropped")? {
            arrivals.push(arrived);
        }
    }
    let mean = (arrivals[VOICE_FRAMES - 1] - arrivals[0]) / (VOICE_FRAMES as u32 - 1);
    let mut spacing: Vec<Duration> = arrivals.windows(2).map(|pair| pair[1] - pair[0]).collect();
    println!("voice spacing mean {:.3} ms", mean.as_secs_f64() * 1e3);
    report("voice spacing", &mut spacing);
    caller.close();
    Ok(())
}

fn report(what: &str, times: &mut [Duration]) {
    times.sort();
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e3;
    println!(
        "{what}: n {} p50 {:.3} p90 {:.3} p99 {:.3} max {:.3} ms",
        times.len(),
        at(0.5),
        at(0.9),
        at(0.99),
        at(1.0)
    );
}
