//! The certificate authority and its log: certificates as Fulcio writes them, with a signed certificate timestamp.

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, CustomExtension, DistinguishedName,
    DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose, PublicKeyData as _, SanType,
    SerialNumber, SigningKey as _, date_time_ymd,
};
use sha2::{Digest as _, Sha256};

use super::SIGNED_AT;

/// The extensions with the issuer of the identity, as Fulcio writes both: bare (`1.3.6.1.4.1.57264.1.1`) and as a text.
const BARE_ISSUER: [u64; 9] = [1, 3, 6, 1, 4, 1, 57264, 1, 1];
const ISSUER: [u64; 9] = [1, 3, 6, 1, 4, 1, 57264, 1, 8];
/// The extension with the signed certificate timestamps (RFC 6962, section 3.3).
const TIMESTAMPS: [u64; 10] = [1, 3, 6, 1, 4, 1, 11129, 2, 4, 2];

/// The certificate authority.
pub(super) struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    spki: Vec<u8>,
}

/// The log of certificates.
pub(super) struct CertificateLog {
    key: KeyPair,
}

impl CertificateLog {
    pub(super) fn new() -> Self {
        Self {
            key: KeyPair::generate().unwrap(),
        }
    }

    pub(super) fn key(&self) -> &KeyPair {
        &self.key
    }

    /// The list of the one timestamp for a certificate without it (RFC 6962, sections 3.2 and 3.3).
    fn timestamps(&self, to_be_signed: &[u8], issuer: &[u8]) -> Vec<u8> {
        let time = u64::try_from(SIGNED_AT).unwrap() * 1000;
        let mut signed = vec![0, 0];
        signed.extend(time.to_be_bytes());
        signed.extend([0, 1]);
        signed.extend(Sha256::digest(issuer));
        signed.extend(&u32::try_from(to_be_signed.len()).unwrap().to_be_bytes()[1..]);
        signed.extend(to_be_signed);
        signed.extend([0, 0]);
        let signature = self.key.sign(&signed).unwrap();

        let mut one = vec![0];
        one.extend(Sha256::digest(self.key.subject_public_key_info()));
        one.extend(time.to_be_bytes());
        // No extensions; SHA-256 and ECDSA (RFC 5246, section 7.4.1.4.1).
        one.extend([0, 0, 4, 3]);
        one.extend(with_length(&signature));
        der(0x04, &with_length(&with_length(&one)))
    }
}

impl Authority {
    pub(super) fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        params.not_before = date_time_ymd(2025, 1, 1);
        params.not_after = date_time_ymd(2035, 1, 1);
        params.distinguished_name.push(DnType::CommonName, "tests");
        let key = KeyPair::generate().unwrap();
        let spki = key.subject_public_key_info();
        let issuer = CertifiedIssuer::self_signed(params, key).unwrap();
        Self { issuer, spki }
    }

    pub(super) fn der(&self) -> &[u8] {
        self.issuer.der()
    }

    /// A certificate for a day, in which everything is signed.
    pub(super) fn certify(
        &self,
        key: &KeyPair,
        identity: &str,
        issuer: &str,
        log: &CertificateLog,
    ) -> Vec<u8> {
        let mut params = CertificateParams::default();
        params.not_before = date_time_ymd(2026, 1, 15);
        params.not_after = date_time_ymd(2026, 1, 16);
        params.serial_number = Some(SerialNumber::from(7));
        params.distinguished_name = DistinguishedName::new();
        params.use_authority_key_identifier_extension = true;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::CodeSigning];
        params.subject_alt_names = vec![if identity.contains("://") {
            SanType::URI(identity.try_into().unwrap())
        } else {
            SanType::Rfc822Name(identity.try_into().unwrap())
        }];
        params.custom_extensions = vec![
            CustomExtension::from_oid_content(&BARE_ISSUER, issuer.as_bytes().to_vec()),
            CustomExtension::from_oid_content(&ISSUER, der(0x0c, issuer.as_bytes())),
        ];
        let without = params.signed_by(key, &self.issuer).unwrap();
        let timestamps = log.timestamps(to_be_signed(without.der()), &self.spki);
        params
            .custom_extensions
            .push(CustomExtension::from_oid_content(&TIMESTAMPS, timestamps));
        let certificate = params.signed_by(key, &self.issuer).unwrap();
        certificate.der().to_vec()
    }
}

/// The part of a certificate that is signed: the first element of the outer sequence.
fn to_be_signed(certificate: &[u8]) -> &[u8] {
    let inside = &certificate[header(certificate).0..];
    let (header, length) = header(inside);
    &inside[..header + length]
}

/// The lengths of an element's header and content (X.690, section 8.1).
fn header(element: &[u8]) -> (usize, usize) {
    match element[1] {
        short @ 0..0x80 => (2, usize::from(short)),
        long => {
            let count = usize::from(long & 0x7f);
            let length = element[2..2 + count]
                .iter()
                .fold(0, |length, byte| length << 8 | usize::from(*byte));
            (2 + count, length)
        }
    }
}

/// An element of up to 65535 bytes.
fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let [high, low] = u16::try_from(content.len()).unwrap().to_be_bytes();
    let mut element = match (high, low) {
        (0, 0..0x80) => vec![tag, low],
        (0, _) => vec![tag, 0x81, low],
        _ => vec![tag, 0x82, high, low],
    };
    element.extend(content);
    element
}

/// Bytes after their length in two bytes.
fn with_length(bytes: &[u8]) -> Vec<u8> {
    let mut out = u16::try_from(bytes.len()).unwrap().to_be_bytes().to_vec();
    out.extend(bytes);
    out
}
