//! The measured process: the media crate with agents that talk by turns, behind a door for offers.

use std::error::Error;
use std::io::{BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use audio::leg::{Clip, FRAME_MS, FromCaller, ToCaller};
use bytes::Bytes;
use media::{CallSender, Door, Media, MediaConfig};
use tokio::runtime::{Handle, Runtime};
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior};

use crate::signalling::{self, Message};
use crate::talk::{BURST_FRAMES, CYCLE_FRAMES, TALK_BYTES, agent_phase};
use crate::tally::{Tally, Transit, wall_ns};

/// Frames that an agent hands over at once: a second of voice, as speech synthesis does.
const CHUNK_FRAMES: u64 = 1_000 / FRAME_MS as u64;
/// What waits for an agent, as in the product.
const AGENT_QUEUE: usize = 256;

/// What all agents have heard.
#[derive(Debug, Default)]
struct Heard {
    received: AtomicU64,
    late: AtomicU64,
    missing: AtomicU64,
}

/// Serves until the parent closes our standard input.
pub(crate) fn serve() -> Result<(), Box<dyn Error>> {
    let config = MediaConfig { udp_listen: "127.0.0.1:0".parse()?, max_calls: 10_000, ..MediaConfig::default() };
    let media = Media::start(&config)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_time().build()?;
    let listener = TcpListener::bind("127.0.0.1:0")?;
    println!("{}", listener.local_addr()?);
    let shared = Shared { media, agents: runtime.handle().clone(), heard: Arc::default() };
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let shared = shared.clone();
            std::thread::spawn(move || shared.attend(stream));
        }
    });
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Runtime::shutdown_background(runtime);
    Ok(())
}

#[derive(Clone)]
struct Shared {
    media: Media,
    agents: Handle,
    heard: Arc<Heard>,
}

impl Shared {
    fn attend(&self, stream: TcpStream) {
        if let Err(error) = self.answer_all(stream) {
            eprintln!("signalling: {error}");
        }
    }

    fn answer_all(&self, stream: TcpStream) -> Result<(), Box<dyn Error>> {
        stream.set_nodelay(true)?;
        let mut stream = BufReader::new(stream);
        while let Some(request) = signalling::read(&mut stream)? {
            let body = self.answer(&request)?;
            write!(stream.get_mut(), "HTTP/1.1 201 Created\r\nContent-Length: {}\r\n\r\n{body}", body.len())?;
        }
        Ok(())
    }

    /// `POST /call/{number}` opens a call, `GET /tally` tells what agents heard.
    fn answer(&self, request: &Message) -> Result<String, Box<dyn Error>> {
        if request.start.starts_with("GET /tally") {
            let heard = [&self.heard.received, &self.heard.late, &self.heard.missing];
            return Ok(heard.map(|count| count.load(Relaxed).to_string()).join(" "));
        }
        let path = request.start.split(' ').nth(1).unwrap_or_default();
        let id = path.rsplit('/').next().unwrap_or_default();
        let number = id.parse()?;
        let (to_agent, from_caller) = mpsc::channel(AGENT_QUEUE);
        let call = self.media.open_call(Door::TwoWay, id.into(), &request.body, to_agent)?;
        self.agents.spawn(talk(number, from_caller, call.voice, Arc::clone(&self.heard)));
        Ok(call.answer.sdp)
    }
}

/// Reads what a server of ours tells about its agents.
pub(crate) fn parse_tally(text: &str) -> Result<Tally, Box<dyn Error>> {
    let counts: Vec<u64> = text.split(' ').map(str::parse).collect::<Result<_, _>>()?;
    let [received, late, missing] = counts[..] else { return Err(format!("no tally: {text}").into()) };
    Ok(Tally { received, late, missing })
}

async fn talk(number: usize, mut caller: mpsc::Receiver<FromCaller>, voice: CallSender, heard: Arc<Heard>) {
    let second = Duration::from_millis(CHUNK_FRAMES * u64::from(FRAME_MS));
    let mut seconds = tokio::time::interval_at(Instant::now() + agent_phase(number), second);
    seconds.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let (mut chunk, mut transit) = (0, Transit::default());
    let payload = Bytes::from_static(&[0xf8; TALK_BYTES]);
    loop {
        tokio::select! {
            event = caller.recv() => match event {
                None | Some(FromCaller::Ended(_)) => return,
                Some(FromCaller::Frame(frame)) => heard.note(&frame.payload, &mut transit),
                Some(_) => {}
            },
            _ = seconds.tick() => {
                let clip = Clip { turn: (chunk * CHUNK_FRAMES / CYCLE_FRAMES) as u32 + 1, attempt: 1, sentence: 0 };
                let at = chunk * CHUNK_FRAMES % CYCLE_FRAMES;
                if at < BURST_FRAMES {
                    for _ in 0..CHUNK_FRAMES {
                        voice.send(ToCaller::Voice { clip, payload: payload.clone() });
                    }
                }
                if at + CHUNK_FRAMES == BURST_FRAMES {
                    voice.send(ToCaller::EndOfClip(clip));
                }
                chunk += 1;
            }
        }
    }
}

impl Heard {
    /// The generator begins each packet with the moment it was sent. Lost ones come empty.
    fn note(&self, payload: &Bytes, transit: &mut Transit) {
        let Some(sent) = payload.first_chunk() else {
            self.missing.fetch_add(1, Relaxed);
            return;
        };
        self.received.fetch_add(1, Relaxed);
        if transit.is_late(i64::from_le_bytes(*sent), wall_ns()) {
            self.late.fetch_add(1, Relaxed);
        }
    }
}
