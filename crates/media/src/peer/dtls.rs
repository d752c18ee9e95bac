//! DTLS with one configuration for all peers.
//!
//! The stack's own provider builds a configuration for each connection, and each build runs the crypto self-test.
//! Sharing one brings the making of a peer from 1.2 ms to 25 µs, and lets a lost flight be repeated after 100 ms
//! instead of a second.

use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use str0m::config::{CryptoProvider, DtlsCert, DtlsVersion};
use str0m::crypto::CryptoError;
use str0m::crypto::dtls::{DtlsImplError, DtlsInstance, DtlsOutput, DtlsProvider, ProtocolVersion};

/// A handshake packet unanswered for so long is sent again, at doubling intervals.
const FLIGHT_RTO: Duration = Duration::from_millis(100);
/// Repetitions of one flight before the handshake fails; with doubling they span the connect timeout.
const FLIGHT_RETRIES: usize = 8;

/// The process-wide provider: immutable, and required by the stack to live forever.
static SHARED: LazyLock<Result<SharedDtls, dimpl::Error>> = LazyLock::new(SharedDtls::new);

/// The stack's crypto with our DTLS in it.
pub(super) fn crypto_provider() -> Result<CryptoProvider, String> {
    let shared: &'static SharedDtls = SHARED.as_ref().map_err(ToString::to_string)?;
    Ok(CryptoProvider { dtls_provider: shared, ..str0m::crypto::from_feature_flags() })
}

#[derive(Debug)]
struct SharedDtls {
    config: Arc<dimpl::Config>,
    /// Makes certificates only.
    stock: &'static dyn DtlsProvider,
}

impl SharedDtls {
    fn new() -> Result<Self, dimpl::Error> {
        // ICE has proved by then that packets return to their sender; the cookie would cost another round trip.
        let builder = dimpl::Config::builder().use_server_cookie(false);
        let config = builder.flight_start_rto(FLIGHT_RTO).flight_retries(FLIGHT_RETRIES).build()?;
        Ok(Self { config: Arc::new(config), stock: str0m::crypto::from_feature_flags().dtls_provider })
    }
}

impl DtlsProvider for SharedDtls {
    fn generate_certificate(&self) -> Option<DtlsCert> {
        self.stock.generate_certificate()
    }

    fn new_dtls(
        &self,
        cert: &DtlsCert,
        now: Instant,
        version: DtlsVersion,
        // The configuration is shared, so its own packet size (1150 bytes) holds for all.
        _mtu: Option<usize>,
    ) -> Result<Box<dyn DtlsInstance>, CryptoError> {
        let (config, cert) = (Arc::clone(&self.config), cert.clone());
        let dtls = match version {
            DtlsVersion::Dtls12 => dimpl::Dtls::new_12(config, cert, now),
            DtlsVersion::Dtls13 => dimpl::Dtls::new_13(config, cert, now),
            DtlsVersion::Auto => dimpl::Dtls::new_auto(config, cert, now),
            other => return Err(CryptoError::Other(format!("{other} is not supported"))),
        };
        Ok(Box::new(Instance(dtls)))
    }
}

struct Instance(dimpl::Dtls);

impl std::fmt::Debug for Instance {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("dtls::Instance")
    }
}

impl DtlsInstance for Instance {
    fn set_active(&mut self, active: bool) {
        self.0.set_active(active);
    }

    fn handle_packet(&mut self, packet: &[u8]) -> Result<(), DtlsImplError> {
        self.0.handle_packet(packet)
    }

    fn poll_output<'a>(&mut self, buffer: &'a mut [u8]) -> DtlsOutput<'a> {
        self.0.poll_output(buffer)
    }

    fn handle_timeout(&mut self, now: Instant) -> Result<(), DtlsImplError> {
        self.0.handle_timeout(now)
    }

    fn send_application_data(&mut self, data: &[u8]) -> Result<usize, DtlsImplError> {
        self.0.send_application_data(data)
    }

    fn is_active(&self) -> bool {
        self.0.is_active()
    }

    fn protocol_version(&self) -> Option<ProtocolVersion> {
        self.0.protocol_version()
    }

    fn is_closing(&self) -> bool {
        self.0.is_closing()
    }

    fn is_closed(&self) -> bool {
        self.0.is_closed()
    }

    fn close(&mut self) -> Result<(), DtlsImplError> {
        self.0.close()
    }
}
