//! The stack's DTLS, watched: the keys it agrees on for the voice are noted.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use str0m::config::DtlsVersion;
use str0m::crypto::CryptoError;
use str0m::crypto::dtls::{
    DtlsCert, DtlsImplError, DtlsInstance, DtlsOutput, DtlsProvider, ProtocolVersion, SrtpProfile,
};

/// Master keys and salts of both directions.
#[derive(Clone)]
pub(crate) struct Keys {
    pub(crate) profile: SrtpProfile,
    pub(crate) material: Vec<u8>,
}

/// Where the keys of one connection will be.
#[derive(Debug, Clone, Default)]
pub(crate) struct KeySlot(Arc<Mutex<Option<Keys>>>);

/// Makes watched DTLS instances.
#[derive(Debug)]
pub(crate) struct WatchedDtls {
    stock: &'static dyn DtlsProvider,
    latest: Mutex<KeySlot>,
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keys").field("profile", &self.profile).finish_non_exhaustive()
    }
}

impl KeySlot {
    pub(crate) fn keys(&self) -> Option<Keys> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl WatchedDtls {
    pub(crate) fn new(stock: &'static dyn DtlsProvider) -> Self {
        Self { stock, latest: Mutex::default() }
    }

    /// The slot of the connection that was made last.
    pub(crate) fn latest(&self) -> KeySlot {
        self.latest.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl DtlsProvider for WatchedDtls {
    fn generate_certificate(&self) -> Option<DtlsCert> {
        self.stock.generate_certificate()
    }

    fn new_dtls(
        &self,
        cert: &DtlsCert,
        now: Instant,
        version: DtlsVersion,
        mtu: Option<usize>,
    ) -> Result<Box<dyn DtlsInstance>, CryptoError> {
        let dtls = self.stock.new_dtls(cert, now, version, mtu)?;
        let slot = KeySlot::default();
        *self.latest.lock().unwrap_or_else(PoisonError::into_inner) = slot.clone();
        Ok(Box::new(Watched { dtls, slot }))
    }
}

#[derive(Debug)]
struct Watched {
    dtls: Box<dyn DtlsInstance>,
    slot: KeySlot,
}

impl DtlsInstance for Watched {
    fn set_active(&mut self, active: bool) {
        self.dtls.set_active(active);
    }

    fn handle_packet(&mut self, packet: &[u8]) -> Result<(), DtlsImplError> {
        self.dtls.handle_packet(packet)
    }

    fn poll_output<'a>(&mut self, buffer: &'a mut [u8]) -> DtlsOutput<'a> {
        let output = self.dtls.poll_output(buffer);
        if let DtlsOutput::KeyingMaterial(material, profile) = &output {
            let keys = Keys { profile: *profile, material: material.to_vec() };
            *self.slot.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(keys);
        }
        output
    }

    fn handle_timeout(&mut self, now: Instant) -> Result<(), DtlsImplError> {
        self.dtls.handle_timeout(now)
    }

    fn send_application_data(&mut self, data: &[u8]) -> Result<usize, DtlsImplError> {
        self.dtls.send_application_data(data)
    }

    fn is_active(&self) -> bool {
        self.dtls.is_active()
    }

    fn protocol_version(&self) -> Option<ProtocolVersion> {
        self.dtls.protocol_version()
    }

    fn is_closing(&self) -> bool {
        self.dtls.is_closing()
    }

    fn is_closed(&self) -> bool {
        self.dtls.is_closed()
    }

    fn close(&mut self) -> Result<(), DtlsImplError> {
        self.dtls.close()
    }
}
