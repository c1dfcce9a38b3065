//! What to do about an error, where there is something to be done.

use super::Error;
use super::daemon_hint::{hint_of_daemon, hint_of_load};
use hocker::archive::plain_layer::LayerError;
use hocker::archive::stored_image;
use hocker::auth;
use hocker::daemon;
use hocker::http::TlsProblem;
use hocker::oci::document::ParseError;
use hocker::pin;
use hocker::pull;
use hocker::registry::Cause;
use hocker::verify;

/// For a port that seems to speak TLS.
const BY_HTTPS: &str = "check the port: a registry that speaks https is named by --registry https://HOST:PORT/v2/, or in \
                        a build by registry = \"https://HOST:PORT/v2/\"";

impl Error {
    /// What the user can do, where that is worth saying.
    #[must_use]
    pub(crate) fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Output(error) if error.is_existing_directory() => Some("choose another name"),
            Self::Output(error) if error.is_existing() => {
                Some("choose another name, or replace it with --force")
            }
            Self::Registry(error) => hint_of_cause(error.cause()),
            Self::Build(error) => match &**error {
                Self::Registry(error) => hint_of_build(error.cause()),
                Self::AllPlaces(error) => hint_of_build(error.most_important()?.cause()),
                error => error.hint(),
            },
            Self::Pull(pull::Error::Layer {
                source: LayerError::TooLarge(_),
                ..
            }) => Some("if that is what the image is for, allow more with --max-layer-size"),
            Self::StoredImage(error) => match **error {
                stored_image::Error::Platform { .. } => Some("choose one of these with --platform"),
                stored_image::Error::SeveralImages { .. } => {
                    Some("choose one of these with --image")
                }
                _ => None,
            },
            Self::Daemon(error) | Self::Prune(daemon::prune::Error::Daemon(error)) => {
                hint_of_daemon(error)
            }
            Self::Load { source, .. } => hint_of_load(source),
            Self::Denial(denial) => denial.error.hint(),
            Self::LockedImage { source, .. } => source.hint(),
            Self::Pin(pin::Error::Platform(_)) => Some("choose another with --platform"),
            Self::Lock(error) => error.hint(),
            Self::Document {
                source: ParseError::IsIndex,
                ..
            } => Some(
                "give the manifest of one platform: `hocker manifest` prints it, with --platform \
                 for another than this machine's",
            ),
            _ => None,
        }
    }
}

/// What helps in a build: it has no arguments, and sees few files.
fn hint_of_build(cause: &Cause) -> Option<&'static str> {
    match cause {
        Cause::Auth(error) if error.is_denial_without_credentials() => Some(
            "check the name: many registries deny what they do not have; for a private image, a build \
             takes credentials from the environment of whoever builds (with a Nix daemon, the daemon's) \
             and from files in extra-sandbox-paths; see docs/private-registries.md",
        ),
        Cause::Http(error)
            if error.is_https_connect()
                && error.tls_problem().is_none()
                && !error.is_protocol() =>
        {
            Some(
                "a registry that speaks plain http is named by registry = \"http://HOST:PORT/v2/\"",
            )
        }
        Cause::Verify(verify::Error::OverLimit { .. }) => Some(
            "give `size`, as the image's manifest has it, or use an expression with `imageManifest`",
        ),
        _ => hint_of_cause(cause),
    }
}

fn hint_of_cause(cause: &Cause) -> Option<&'static str> {
    match cause {
        Cause::Auth(error) if error.is_denial_without_credentials() => Some(
            "check the name: many registries deny what they do not have; a private image needs \
             --username and --password-stdin, or what `docker login` or `podman login` leaves; \
             `hocker login-check` tells where it was looked for",
        ),
        Cause::Auth(
            auth::Error::Denied { .. }
            | auth::Error::DeniedUnasked { .. }
            | auth::Error::TokenDenied { .. },
        ) => Some(
            "check the name, and that these credentials are the right ones and still good: \
             `hocker login-check` tells where others were looked for and what the registry asks for",
        ),
        Cause::Http(error) if error.can_be_allowed() => Some(
            "if the registry keeps its layers there, allow it with --blobs-from SCHEME://HOST:PORT, or in a build with \
             HOCKER_BLOBS_FROM",
        ),
        Cause::Http(error) if error.tls_problem().is_some() => {
            error.tls_problem().and_then(hint_of_tls)
        }
        Cause::WantsTls(_) => Some(BY_HTTPS),
        Cause::Http(error) if error.is_cut_off_http() => Some(BY_HTTPS),
        Cause::Http(error) if error.is_protocol() => Some(
            "check the port: a registry that speaks https is named by --registry https://HOST:PORT/v2/, and one \
             that speaks only HTTP/2 needs a proxy that speaks HTTP/1.1",
        ),
        Cause::Http(error) if error.is_tunnel() => Some(
            "https_proxy or all_proxy names the proxy; one that wants a password has it in its URL: \
             http://NAME:PASSWORD@HOST:PORT",
        ),
        Cause::Http(error) if error.is_https_connect() => {
            Some("a registry that speaks plain http is named by --registry http://HOST:PORT/v2/")
        }
        Cause::Document(ParseError::Json { html: true, .. }) => {
            Some("this does not look like a registry; check the address")
        }
        Cause::Platform(_) => Some("choose one of these with --platform"),
        Cause::Verify(verify::Error::OverLimit { .. }) => {
            Some("give the size that the image's manifest has with --size")
        }
        _ => None,
    }
}

fn hint_of_tls(problem: TlsProblem) -> Option<&'static str> {
    match problem {
        TlsProblem::UnknownAuthority => Some(
            "name a certificate authority of your own, or the server's own certificate, by NIX_SSL_CERT_FILE or \
             SSL_CERT_FILE (the first that is set counts), by SSL_CERT_DIR, or put it into \
             /etc/docker/certs.d/HOST:PORT/ca.crt; in a Nix build the file that a variable names must be in \
             extra-sandbox-paths",
        ),
        TlsProblem::Name => Some(
            "ask the registry by a name that its certificate is for; names count only in subjectAltName",
        ),
        TlsProblem::Expired => {
            Some("check this machine's clock; if it is right, the server needs a new certificate")
        }
        TlsProblem::NotYetValid => {
            Some("check this machine's clock, and then the server's certificate")
        }
        TlsProblem::Certificate => None,
        TlsProblem::ClientCertificate => Some(
            "the server may want a client certificate, or another one: put it into \
             /etc/docker/certs.d/HOST:PORT/client.cert and its key into client.key beside it",
        ),
        TlsProblem::ClientCertificateRefused => Some(
            "check the client certificate in /etc/docker/certs.d or ~/.config/containers/certs.d: the server refuses it",
        ),
        TlsProblem::Version => Some("the server must speak TLS 1.2 or 1.3"),
    }
}
