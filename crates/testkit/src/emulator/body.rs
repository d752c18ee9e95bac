//! Carries an answer to its connection piece by piece, and lets a fault happen to it on the way.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use futures_util::future;
use http_body_util::{BodyExt as _, StreamBody};
use hyper::body::{Body as _, Frame};
use tokio::time::sleep;

use super::connection::Connection;
use super::fault::{Fault, Trouble};
use super::log::Presence;
use super::produce::{Outlet, produce};
use super::refusal::MidStream;
use super::route::Vendor;

type Pieces = Outlet<Result<Frame<Bytes>, axum::Error>>;

/// One answer on its way.
pub(super) struct Carrier {
    pub(super) vendor: Vendor,
    pub(super) presence: Presence,
    pub(super) connection: Arc<Connection>,
    pub(super) fault: Option<Fault>,
}

/// How an answer goes on after its fault.
enum Onwards {
    With(Frame<Bytes>),
    Dripping(Frame<Bytes>, Duration),
    NoMore,
}

impl Carrier {
    /// The same answer with this on board.
    pub(super) fn carry(self, response: Response) -> Response {
        let (head, body) = response.into_parts();
        if body.is_end_stream() {
            // An answer without a body stays so: gRPC wants a refusal to be a single frame of headers.
            self.presence.complete();
            return Response::from_parts(head, body);
        }
        let pieces = produce(move |out| self.run(body, out));
        Response::from_parts(head, Body::new(StreamBody::new(pieces)))
    }

    async fn run(mut self, mut body: Body, out: Pieces) {
        let mut sent = 0;
        let mut drip = None;
        while let Some(Ok(mut frame)) = body.frame().await {
            if self.fault.as_ref().is_some_and(|fault| fault.after == sent)
                && let Some(fault) = self.fault.take()
            {
                frame = match self.meet(fault.trouble, frame, &out).await {
                    Onwards::With(frame) => frame,
                    Onwards::Dripping(frame, every) => {
                        drip = Some(every);
                        frame
                    }
                    Onwards::NoMore => return,
                };
            }
            match drip {
                Some(every) => send_bytewise(frame, every, &out).await,
                None => out.send(Ok(frame)).await,
            }
            sent += 1;
            self.presence.exchange().sent();
        }
        self.presence.complete();
    }

    async fn meet(&self, trouble: Trouble, frame: Frame<Bytes>, out: &Pieces) -> Onwards {
        match trouble {
            Trouble::Error(refusal) => {
                self.presence.break_off();
                out.send(Ok(match refusal.mid_stream(self.vendor) {
                    MidStream::Data(bytes) => Frame::data(bytes),
                    MidStream::Trailers(trailers) => Frame::trailers(trailers),
                }))
                .await;
                Onwards::NoMore
            }
            Trouble::Reset => {
                self.presence.break_off();
                self.connection.reset();
                future::pending().await
            }
            Trouble::Silence => future::pending().await,
            Trouble::Cut => {
                self.presence.break_off();
                Onwards::NoMore
            }
            Trouble::Stall(time) => {
                sleep(time).await;
                Onwards::With(frame)
            }
            Trouble::Garbage => Onwards::With(damaged(frame, self.vendor)),
            Trouble::GoAway => {
                self.connection.go_away();
                Onwards::With(frame)
            }
            Trouble::Drip(every) => Onwards::Dripping(frame, every),
        }
    }
}

async fn send_bytewise(frame: Frame<Bytes>, every: Duration, out: &Pieces) {
    match frame.into_data() {
        Ok(data) => {
            for at in 0..data.len() {
                sleep(every).await;
                out.send(Ok(Frame::data(data.slice(at..=at)))).await;
            }
        }
        Err(trailers) => out.send(Ok(trailers)).await,
    }
}

/// A gRPC message keeps its length and loses its sense; an event loses its second half.
fn damaged(frame: Frame<Bytes>, vendor: Vendor) -> Frame<Bytes> {
    /// What stands before a gRPC message: one byte of flags, four of length.
    const GRPC_HEAD: usize = 5;
    match (frame.into_data(), vendor) {
        (Ok(data), Vendor::Google) => {
            let damaged = data.iter().enumerate().map(|(at, byte)| if at < GRPC_HEAD { *byte } else { 0xFF });
            Frame::data(damaged.collect())
        }
        (Ok(data), Vendor::OpenAi | Vendor::Gemini) => {
            let end = if data.ends_with(b"\r\n") { "\r\n\r\n" } else { "\n\n" };
            Frame::data([&data[..data.len() / 2], end.as_bytes()].concat().into())
        }
        (Err(trailers), _) => trailers,
    }
}
