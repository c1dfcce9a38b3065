//! TLS: its configuration, and which certificates of servers are trusted.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::{
    CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature,
};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, OtherError, RootCertStore,
    SignatureScheme,
};

use super::unknown_authority::UnknownAuthority;
use super::{Error, Identity, Roots};

/// Returns a configuration that trusts `roots` and, if the server requests a client certificate, sends `identity`.
pub(super) fn config(roots: Roots, identity: Option<Identity>) -> Result<ClientConfig, Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = Verifier {
        roots,
        algorithms: provider.signature_verification_algorithms,
    };
    let config = builder(provider)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier));
    match identity {
        Some(Identity { chain, key }) => {
            config.with_client_auth_cert(chain, key).map_err(Error::Tls)
        }
        None => Ok(config.with_no_client_auth()),
    }
}

/// Returns a configuration for connections without TLS. It trusts no server.
pub(super) fn unused() -> Result<ClientConfig, Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    Ok(builder(provider)?
        .with_root_certificates(RootCertStore::empty())
        .with_no_client_auth())
}

fn builder(
    provider: Arc<CryptoProvider>,
) -> Result<rustls::ConfigBuilder<ClientConfig, rustls::WantsVerifier>, Error> {
    ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(Error::Tls)
}

/// Trusts a certificate that a trusted authority issued, or that is itself a trusted certificate. The latter is what
/// `openssl req -x509` creates, as in Docker's documentation. webpki refuses it because it is marked as an authority;
/// Go and OpenSSL accept it. Both must have the server's name and be valid now.
#[derive(Debug)]
struct Verifier {
    roots: Roots,
    algorithms: WebPkiSupportedAlgorithms,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let certificate = ParsedCertificate::try_from(end_entity)?;
        let vouched = verify_server_cert_signed_by_trust_anchor(
            &certificate,
            self.roots.store(),
            intermediates,
            now,
            self.algorithms.all,
        );
        match vouched {
            // webpki checks the dates first, so they are valid if only the issuer is wrong.
            Err(error) if is_about_issuer(&error) && self.roots.holds(end_entity) => {}
            Err(rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer)) => {
                return Err(UnknownAuthority::error(self.roots.origin()));
            }
            vouched => vouched?,
        }
        verify_server_name(&certificate, server_name)?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

/// Returns whether an error is only about the issuer of a certificate.
fn is_about_issuer(error: &rustls::Error) -> bool {
    match error {
        rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer) => true,
        rustls::Error::InvalidCertificate(CertificateError::Other(OtherError(other))) => {
            let other = other.downcast_ref::<webpki::Error>();
            other == Some(&webpki::Error::CaUsedAsEndEntity)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair};

    use super::*;

    const NAME: &str = "r.example";
    /// 2030-01-01, a date on which the certificates of these tests are valid.
    const NOW: u64 = 1_893_456_000;

    fn self_signed(is_ca: bool) -> CertificateDer<'static> {
        let mut params = CertificateParams::new([NAME.to_owned()]).unwrap();
        params.not_before = rcgen::date_time_ymd(2025, 1, 1);
        params.not_after = rcgen::date_time_ymd(2035, 1, 1);
        if is_ca {
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        }
        let certificate = params.self_signed(&KeyPair::generate().unwrap());
        certificate.unwrap().der().clone()
    }

    /// Verifies a server's certificate as a client that trusts `trusted`.
    fn verify(
        trusted: &CertificateDer<'static>,
        shown: &CertificateDer<'static>,
        name: &str,
        now: u64,
    ) -> Result<(), rustls::Error> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("ca.pem");
        std::fs::write(&path, pem(trusted)).unwrap();
        let verifier = Verifier {
            roots: Roots::from_file(&path).unwrap(),
            algorithms: rustls::crypto::ring::default_provider().signature_verification_algorithms,
        };
        let name = ServerName::try_from(name).unwrap();
        let now = UnixTime::since_unix_epoch(Duration::from_secs(now));
        verifier
            .verify_server_cert(shown, &[], &name, &[], now)
            .map(|_| ())
    }

    fn pem(certificate: &CertificateDer<'_>) -> String {
        use base64::Engine as _;
        let body = base64::engine::general_purpose::STANDARD.encode(certificate);
        format!("-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n")
    }

    #[test]
    fn a_certificate_that_is_itself_named_is_trusted_for_its_name_and_its_time() {
        for is_ca in [true, false] {
            let own = self_signed(is_ca);
            assert_eq!(verify(&own, &own, NAME, NOW), Ok(()), "CA: {is_ca}");
            let error = verify(&own, &own, "s.example", NOW).unwrap_err();
            assert!(error.to_string().contains("not valid for name"), "{error}");
            for year in [-10, 10] {
                let other_time = NOW.checked_add_signed(year * 365 * 86_400).unwrap();
                let error = verify(&own, &own, NAME, other_time).unwrap_err();
                assert!(
                    matches!(
                        error,
                        rustls::Error::InvalidCertificate(
                            CertificateError::ExpiredContext { .. }
                                | CertificateError::NotValidYetContext { .. }
                        )
                    ),
                    "{error}"
                );
            }
        }
    }

    #[test]
    fn a_certificate_that_only_looks_like_a_named_one_is_not_trusted() {
        for (trusted, shown) in [(true, true), (true, false), (false, true), (false, false)] {
            let (trusted, shown) = (self_signed(trusted), self_signed(shown));
            assert!(verify(&trusted, &shown, NAME, NOW).is_err());
        }
    }
}
