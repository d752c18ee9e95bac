//! A certificate authority of the emulator's own, made at its start and valid for this machine and the vendors' names.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::rustls::{Error, ServerConfig};

/// Whom the emulator can pass for, for clients that check names and trust its authority.
const NAMES: [&str; 5] =
    ["localhost", "127.0.0.1", "speech.googleapis.com", "us-speech.googleapis.com", "texttospeech.googleapis.com"];

/// Why no certificate could be made.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// Making or signing it failed.
    #[error("make a certificate: {0}")]
    Make(#[from] rcgen::Error),
    /// TLS does not take it.
    #[error("use the certificate: {0}")]
    Use(#[from] Error),
}

/// The authority, as clients want it.
pub(super) struct Authority {
    pub(super) pem: String,
    pub(super) acceptor: TlsAcceptor,
}

impl Authority {
    pub(super) fn make() -> Result<Self, CertificateError> {
        let authority_key = KeyPair::generate()?;
        let mut authority = CertificateParams::new(Vec::new())?;
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        authority.distinguished_name.push(DnType::CommonName, "antiphon-emulator");
        authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
        let pem = authority.self_signed(&authority_key)?.pem();
        let issuer = Issuer::new(authority, authority_key);
        let key = KeyPair::generate()?;
        let mut leaf = CertificateParams::new(NAMES.map(str::to_owned))?;
        // Python's TLS asks for it.
        leaf.use_authority_key_identifier_extension = true;
        let leaf = leaf.signed_by(&key, &issuer)?;
        let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(vec![leaf.der().clone()], PrivateKeyDer::Pkcs8(key.serialize_der().into()))?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Self { pem, acceptor: TlsAcceptor::from(Arc::new(config)) })
    }
}
