//! How long the bus takes from one role to the other: `bus_bench BROKER BROKER_PID LINGER_MS SESSIONS...`
//!
//! Each session sends one 20 ms packet of 80 bytes fifty times a second, both ways. Measured from just before the packet
//! enters the sender's link to just after it leaves the reader's. Rows: the bus within a process; the bus over Kafka, its two
//! nodes in this process; and `floor`, the client library alone with the same settings, one topic, one partition, one way.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark fails by panicking and prints its figures")]

mod floor;
mod links;
mod meter;

use std::time::Duration;

use bus::kafka::KafkaConfig;
use meter::Row;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let (Some(broker), Some(pid), Some(linger)) = (arguments.next(), arguments.next(), arguments.next()) else {
        eprintln!("usage: bus_bench BROKER BROKER_PID LINGER_MS SESSIONS...");
        std::process::exit(2);
    };
    let sessions: Vec<u32> = arguments.map(|number| number.parse().unwrap()).collect();
    let pid: u32 = pid.parse().unwrap();
    let linger = Duration::from_secs_f64(linger.parse::<f64>().unwrap() / 1_000.0);
    let config = |many| config(&broker, linger, many);
    Row::print_head();
    for &many in &sessions {
        links::local(many).print();
    }
    for &many in &sessions {
        links::kafka(&config(many), pid, many).print();
    }
    for &many in &sessions {
        floor::run(&config(many), pid, many).print();
    }
}

/// Topics of its own for each run, so that none reads what another left.
fn config(broker: &str, linger: Duration, sessions: u32) -> KafkaConfig {
    let mut config = KafkaConfig::new(broker);
    config.topic_prefix = format!("bench-{}-{sessions}.", std::process::id());
    config.partitions = 4;
    config.linger = linger;
    config
}
