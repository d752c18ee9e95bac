//! As much of HTTP/1.1 as an offer and its answer need: one connection that is kept, bodies with a length.

use std::error::Error;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

/// A kept connection to the server.
#[derive(Debug)]
pub(crate) struct Http {
    stream: BufReader<TcpStream>,
    host: String,
}

/// First line and body of a message.
#[derive(Debug)]
pub(crate) struct Message {
    pub(crate) start: String,
    pub(crate) body: String,
}

impl Http {
    pub(crate) fn connect(host: &str) -> Result<Self, Box<dyn Error>> {
        let stream = TcpStream::connect(host)?;
        stream.set_nodelay(true)?;
        Ok(Self { stream: BufReader::new(stream), host: host.into() })
    }

    /// Sends a request and returns the body of a good answer.
    pub(crate) fn ask(&mut self, method: &str, path: &str, body: &str) -> Result<String, Box<dyn Error>> {
        let (host, length) = (&self.host, body.len());
        let head = format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/sdp");
        write!(self.stream.get_mut(), "{head}\r\nContent-Length: {length}\r\n\r\n{body}")?;
        let answer = read(&mut self.stream)?.ok_or("the server closed the connection")?;
        let is_good = answer.start.split(' ').nth(1).is_some_and(|status| status.starts_with('2'));
        if is_good { Ok(answer.body) } else { Err(format!("{}: {}", answer.start, answer.body).into()) }
    }
}

/// Reads one message; `None` at the connection's end.
pub(crate) fn read(stream: &mut BufReader<TcpStream>) -> Result<Option<Message>, Box<dyn Error>> {
    let (mut start, mut length) = (String::new(), 0);
    if stream.read_line(&mut start)? == 0 {
        return Ok(None);
    }
    loop {
        let mut line = String::new();
        stream.read_line(&mut line)?;
        let line = line.trim_end().to_ascii_lowercase();
        if line.is_empty() {
            break;
        }
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse()?;
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body)?;
    Ok(Some(Message { start: start.trim_end().into(), body: String::from_utf8(body)? }))
}
