//! Hints for errors of registries.

use hocker::auth;
use hocker::http::TlsProblem;
use hocker::oci::document::ParseError;
use hocker::registry::Cause;
use hocker::verify;

/// The hint for a port that seems to speak TLS.
const BY_HTTPS: &str = "check the port: for a registry that speaks https, use --registry https://HOST:PORT/v2/, or in a \
                        build registry = \"https://HOST:PORT/v2/\"";

/// Returns a hint for a build, which has no arguments and can read few files.
pub(super) fn hint_of_build(cause: &Cause) -> Option<&'static str> {
    match cause {
        Cause::Auth(error) if error.is_denial_without_credentials() => Some(
            "check the name: many registries deny access to repositories that do not exist; for a private image, give \
             the build credentials by the environment of the user who builds (with a Nix daemon, the daemon's \
             environment) or by files in extra-sandbox-paths; see docs/private-registries.md",
        ),
        Cause::Http(error)
            if error.is_https_connect()
                && error.tls_problem().is_none()
                && !error.is_protocol() =>
        {
            Some("for a registry that speaks plain http, use registry = \"http://HOST:PORT/v2/\"")
        }
        Cause::Verify(verify::Error::OverLimit { .. }) => Some(
            "give the `size` from the image's manifest, or use an expression with `imageManifest`",
        ),
        _ => hint_of_cause(cause),
    }
}

/// Returns a hint for a command.
pub(super) fn hint_of_cause(cause: &Cause) -> Option<&'static str> {
    match cause {
        Cause::Auth(error) if error.is_denial_without_credentials() => Some(
            "check the name: many registries deny access to repositories that do not exist; for a private image, use \
             `docker login`, `podman login`, or --username with --password-stdin; `hocker login-check` lists the \
             places that hocker searches for credentials",
        ),
        Cause::Auth(
            auth::Error::Denied { .. }
            | auth::Error::DeniedUnasked { .. }
            | auth::Error::TokenDenied { .. },
        ) => Some(
            "check the name, and that these credentials are right and still valid: `hocker login-check` lists the places \
             that hocker searches for credentials, and prints what the registry requires",
        ),
        Cause::Http(error) if error.can_be_allowed() => Some(
            "if the registry stores its layers there, allow this server with --blobs-from SCHEME://HOST:PORT, or in a \
             build with HOCKER_BLOBS_FROM",
        ),
        Cause::Http(error) if error.tls_problem().is_some() => {
            error.tls_problem().and_then(hint_of_tls)
        }
        Cause::WantsTls(_) => Some(BY_HTTPS),
        Cause::Http(error) if error.is_cut_off_http() => Some(BY_HTTPS),
        Cause::Http(error) if error.is_protocol() => Some(
            "check the port: for a registry that speaks https, use --registry https://HOST:PORT/v2/; for one that speaks \
             only HTTP/2, use a proxy that speaks HTTP/1.1",
        ),
        Cause::Http(error) if error.is_tunnel() => Some(
            "check the proxy that https_proxy or all_proxy names; if it requires a password, put it into the URL: \
             http://NAME:PASSWORD@HOST:PORT",
        ),
        Cause::Http(error) if error.is_unknown_host() => {
            Some("check the name, and the DNS settings of this machine")
        }
        Cause::Http(error) if error.is_https_connect() => {
            Some("for a registry that speaks plain http, use --registry http://HOST:PORT/v2/")
        }
        Cause::Document(ParseError::Json { html: true, .. }) => {
            Some("check the address: the server does not seem to be a registry")
        }
        Cause::Platform(_) => Some("select one of these with --platform"),
        Cause::Verify(verify::Error::OverLimit { .. }) => {
            Some("give the size from the image's manifest with --size")
        }
        _ => None,
    }
}

fn hint_of_tls(problem: TlsProblem) -> Option<&'static str> {
    match problem {
        TlsProblem::UnknownAuthority => Some(
            "name your own certificate authority, or the server's own certificate, with NIX_SSL_CERT_FILE, SSL_CERT_FILE \
             (if the first is not set) or SSL_CERT_DIR, or copy it to /etc/docker/certs.d/HOST:PORT/ca.crt; for a Nix \
             build, add the file that a variable names to extra-sandbox-paths",
        ),
        TlsProblem::Name => {
            Some("use a name of the registry that its certificate lists in subjectAltName")
        }
        TlsProblem::Expired => {
            Some("check this machine's clock; if it is right, the server needs a new certificate")
        }
        TlsProblem::NotYetValid => {
            Some("check this machine's clock, and then the server's certificate")
        }
        TlsProblem::Certificate => None,
        TlsProblem::ClientCertificate => Some(
            "if the server requires a client certificate, or another one, copy it to /etc/docker/certs.d/HOST:PORT/client.cert and its \
             key to client.key beside it",
        ),
        TlsProblem::ClientCertificateRefused => Some(
            "check the client certificate in /etc/docker/certs.d or ~/.config/containers/certs.d: the server refuses it",
        ),
        TlsProblem::Version => Some("configure the server for TLS 1.2 or 1.3"),
    }
}
