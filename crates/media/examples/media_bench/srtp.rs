//! Voice packets of one caller, encrypted: RTP under AEAD_AES_256_GCM (RFC 7714), and nothing else.

use std::error::Error;

use str0m::crypto::dtls::SrtpProfile;
use str0m::crypto::{AeadAes256Gcm, AeadAes256GcmCipher, SrtpProvider};

use crate::keys::Keys;

const HEADER_BYTES: usize = 12;
/// Labels of the keys that are derived from the master key (RFC 3711, section 4.3.2).
const LABEL_KEY: u8 = 0;
const LABEL_SALT: u8 = 2;

/// Makes the packets of one voice.
pub(crate) struct Voice {
    cipher: Box<dyn AeadAes256GcmCipher>,
    salt: [u8; AeadAes256Gcm::SALT_LEN],
    ssrc: u32,
    payload_type: u8,
    /// The next packet's extended sequence number.
    next: u64,
}

impl Voice {
    /// `keys` are those of a DTLS client.
    pub(crate) fn new(
        provider: &dyn SrtpProvider,
        keys: &Keys,
        ssrc: u32,
        payload_type: u8,
    ) -> Result<Self, Box<dyn Error>> {
        if keys.profile != SrtpProfile::AEAD_AES_256_GCM {
            return Err(format!("the server chose {:?}, which is not spoken here", keys.profile).into());
        }
        // Both keys come first, then both salts; the client's before the server's (RFC 5764, section 4.2).
        let master = &keys.material[..AeadAes256Gcm::KEY_LEN];
        let salts = &keys.material[2 * AeadAes256Gcm::KEY_LEN..];
        let master_salt = &salts[..AeadAes256Gcm::SALT_LEN];
        let (mut key, mut salt) = ([0; AeadAes256Gcm::KEY_LEN], [0; AeadAes256Gcm::SALT_LEN]);
        derive(provider, master, master_salt, LABEL_KEY, &mut key);
        derive(provider, master, master_salt, LABEL_SALT, &mut salt);
        let cipher = provider.aead_aes_256_gcm().create_cipher(key, true);
        Ok(Self { cipher, salt, ssrc, payload_type, next: 1 })
    }

    /// Writes the next packet into `packet`.
    pub(crate) fn packet(&mut self, rtp_time: u32, payload: &[u8], packet: &mut Vec<u8>) -> Result<(), Box<dyn Error>> {
        let sequence = self.next as u16;
        packet.clear();
        packet.extend([0x80, self.payload_type]);
        packet.extend(sequence.to_be_bytes());
        packet.extend(rtp_time.to_be_bytes());
        packet.extend(self.ssrc.to_be_bytes());
        packet.resize(HEADER_BYTES + payload.len() + AeadAes256Gcm::TAG_LEN, 0);
        let iv = AeadAes256Gcm::rtp_iv(self.salt, self.ssrc, (self.next >> 16) as u32, sequence);
        let (header, sealed) = packet.split_at_mut(HEADER_BYTES);
        self.cipher.encrypt(&iv, header, payload, sealed)?;
        self.next += 1;
        Ok(())
    }
}

/// AES in counter mode over salt and label (RFC 3711, section 4.3.3).
fn derive(provider: &dyn SrtpProvider, master: &[u8], salt: &[u8], label: u8, out: &mut [u8]) {
    let mut input = [0; 16];
    input[..salt.len()].copy_from_slice(salt);
    input[7] ^= label;
    for (round, chunk) in out.chunks_mut(16).enumerate() {
        input[14..].copy_from_slice(&(round as u16).to_be_bytes());
        // The provider wants room for a block of padding.
        let mut block = [0; 32];
        provider.srtp_aes_256_ecb_round(master, &input, &mut block);
        chunk.copy_from_slice(&block[..chunk.len()]);
    }
}
