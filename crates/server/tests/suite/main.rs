//! The server from outside: over HTTP and WebRTC, and as a command.

mod agents;
mod calls;
mod command_line;
mod routes;
mod spoken;
mod support;
mod tools;
mod vendors;
