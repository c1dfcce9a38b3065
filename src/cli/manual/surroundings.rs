//! What counts beside the command line: environment variables, files, and other manuals. Which command heeds which is
//! told by what it can be asked, so that no list of commands is kept by hand.

use clap::Command;

use super::super::environment as names;

/// What a command deals with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Concern {
    /// It asks registries.
    Registries,
    /// It talks to a container daemon.
    Daemons,
    /// It keeps or reads a lock file.
    Lock,
    /// It reads a Compose file.
    Compose,
}

use Concern::{Compose, Daemons, Lock, Registries};

impl Concern {
    /// All of them, in the order in which they are told.
    pub(super) const ALL: [Self; 4] = [Registries, Daemons, Lock, Compose];

    /// The argument that only such commands have.
    const fn argument(self) -> &'static str {
        match self {
            Registries => "username",
            Daemons => "host",
            Lock => "lock_file",
            Compose => "env_file",
        }
    }

    /// What such commands do.
    pub(super) const fn verb(self) -> &'static str {
        match self {
            Registries => "ask registries",
            Daemons => "talk to a daemon",
            Lock => "use a lock file",
            Compose => "read a Compose file",
        }
    }

    /// Whether a command, itself and not one of its subcommands, is of this kind.
    pub(super) fn is_of(self, command: &Command) -> bool {
        let mut arguments = command.get_arguments();
        !command.has_subcommands() && arguments.any(|own| own.get_id() == self.argument())
    }
}

/// An environment variable or file.
pub(super) struct Thing {
    /// How it is called; several names of one thing.
    pub(super) names: &'static [&'static str],
    /// What it is for.
    pub(super) text: &'static str,
    /// Who heeds it.
    concerns: &'static [Concern],
}

impl Thing {
    /// Whether commands of a kind heed it.
    pub(super) fn concerns(&self, concern: Concern) -> bool {
        self.concerns.contains(&concern)
    }
}

const fn thing(
    names: &'static [&'static str],
    concerns: &'static [Concern],
    text: &'static str,
) -> Thing {
    Thing {
        names,
        text,
        concerns,
    }
}

/// The environment variables. One that is empty is unset.
pub(super) const VARIABLES: &[Thing] = &[
    thing(
        &[names::DOCKER_TOKEN],
        &[Registries],
        "A bearer token for the registry.",
    ),
    thing(
        &[names::DOCKER_USER, names::DOCKER_PASS],
        &[Registries],
        "A name and a password for the registry, where there is no token.",
    ),
    thing(
        &[names::DOCKER_AUTH_CONFIG],
        &[Registries],
        "Credentials for registries as docker reads them: {\"auths\": {\"HOST\": {\"auth\": \"…\"}}}, where the last is \
         NAME:PASSWORD in base64.",
    ),
    thing(
        &[names::REGISTRY_AUTH_FILE],
        &[Registries],
        "A file with credentials for registries, such as podman login and skopeo login write. It must be there.",
    ),
    thing(
        &[names::DOCKER_CONFIG],
        &[Registries, Daemons],
        "The directory of docker's config.json and contexts, instead of ~/.docker.",
    ),
    thing(
        &[names::XDG_RUNTIME_DIR, names::XDG_CONFIG_HOME],
        &[Registries],
        "The directories of containers/auth.json, with credentials for registries.",
    ),
    thing(
        &[names::NETRC],
        &[Registries],
        "The netrc file, instead of ~/.netrc. It must be there.",
    ),
    thing(
        &[names::HOME],
        &[Registries, Daemons],
        "The user's directory. Nix builds have no such directory, nor those of XDG; all else that is for registries \
         counts in builds, in the environment of who builds.",
    ),
    thing(
        &[names::NIX_SSL_CERT_FILE, names::SSL_CERT_FILE],
        &[Registries, Daemons],
        "A PEM bundle of the certificate authorities to trust, instead of the system's; the first that is set counts, and \
         --verbose says which one did. A server's own certificate may stand in it too.",
    ),
    thing(
        &[names::SSL_CERT_DIR],
        &[Registries, Daemons],
        "Directories, separated by colons, whose files hold further authorities.",
    ),
    thing(
        &names::HTTPS_PROXY,
        &[Registries],
        "The URL of the proxy for https: an http, https, socks5 or socks5h proxy. It resolves the names of servers.",
    ),
    thing(
        &names::HTTP_PROXY,
        &[Registries],
        "The URL of the proxy for http.",
    ),
    thing(
        &names::ALL_PROXY,
        &[Registries],
        "The URL of the proxy for both, where they have none of their own.",
    ),
    thing(
        &names::NO_PROXY,
        &[Registries],
        "Hosts that are reached without a proxy, separated by commas, as Go programs such as docker read it: \
         example.com (and what is below it), .example.com (only that), 10.0.0.0/8, each but the last with :PORT or \
         without, or * for all. Loopback always is.",
    ),
    thing(
        &[names::HOCKER_MIRRORS],
        &[Registries],
        "The same as --mirror: REGISTRY=URL, several separated by spaces.",
    ),
    thing(
        &[names::HOCKER_BLOBS_FROM],
        &[Registries],
        "The same as --blobs-from: URLs of servers, several separated by spaces.",
    ),
    thing(
        &[names::HOCKER_RETRIES],
        &[Registries, Daemons],
        "The same as --retries.",
    ),
    thing(
        &[names::HOCKER_RETRY_DELAY],
        &[Registries, Daemons],
        "The same as --retry-delay.",
    ),
    thing(
        &[names::HOCKER_STALL_TIMEOUT],
        &[Registries, Daemons],
        "The same as --stall-timeout.",
    ),
    thing(
        &[names::DOCKER_HOST],
        &[Daemons],
        "The daemon's address, where --host does not say it.",
    ),
    thing(
        &[names::DOCKER_CONTEXT],
        &[Daemons],
        "The name of a context of docker's, where there is no DOCKER_HOST.",
    ),
    thing(
        &[names::DOCKER_TLS_VERIFY],
        &[Daemons],
        "If it is set, a daemon on a port is spoken to by TLS.",
    ),
    thing(
        &[names::DOCKER_CERT_PATH],
        &[Daemons],
        "The directory of ca.pem, cert.pem and key.pem for that, instead of docker's own.",
    ),
    thing(
        &[names::COMPOSE_PROFILES],
        &[Compose],
        "The profiles whose services count, separated by commas, where --profile does not say it. The Compose file may \
         use any other variable, but a variable that looks like a secret becomes no part of an image's name.",
    ),
];

/// The files. Those with credentials stand in the order in which they are asked.
pub(super) const FILES: &[Thing] = &[
    thing(
        &["~/.docker/config.json"],
        &[Registries, Daemons],
        "Credentials for registries, or the names of helpers that have them; and docker's current context.",
    ),
    thing(
        &["$XDG_RUNTIME_DIR/containers/auth.json"],
        &[Registries],
        "Credentials for registries; /run/containers/UID/auth.json where XDG_RUNTIME_DIR is not set.",
    ),
    thing(
        &["$XDG_CONFIG_HOME/containers/auth.json"],
        &[Registries],
        "The same; ~/.config/containers/auth.json where XDG_CONFIG_HOME is not set.",
    ),
    thing(
        &["~/.netrc"],
        &[Registries],
        "Credentials for hosts, as curl and others read them.",
    ),
    thing(
        &["/etc/nix-docker-credentials.txt"],
        &[Registries],
        "Credentials for Nix builds whose sandbox shows it: DOCKER_USER= and DOCKER_PASS= lines, or a DOCKER_TOKEN= line.",
    ),
    thing(
        &["/etc/ssl/certs/ca-certificates.crt"],
        &[Registries, Daemons],
        "The certificate authorities to trust, or the same file where other systems keep it. Without any, those that are \
         compiled in.",
    ),
    thing(
        &[
            "/etc/containers/certs.d",
            "/etc/docker/certs.d",
            "~/.config/containers/certs.d",
        ],
        &[Registries],
        "Directories for registries, HOST or HOST:PORT: *.crt are further authorities for that registry, its token service \
         and the servers that have its blobs; *.cert and *.key are the client's certificate and key for that host alone.",
    ),
    thing(
        &["~/.docker/contexts"],
        &[Daemons],
        "The daemons that docker context knows.",
    ),
    thing(
        &["/var/run/docker.sock"],
        &[Daemons],
        "The daemon, where nothing names another.",
    ),
    thing(
        &["docker-images.lock.json"],
        &[Lock],
        "The lock file, where --lock-file does not name another. Only hocker lock writes it.",
    ),
    thing(
        &[".env"],
        &[Compose],
        "Variables for the Compose file beside it, where --env-file does not name another.",
    ),
];

/// The manuals of others, each with its section.
pub(super) const fn others(concern: Concern) -> &'static [(&'static str, &'static str)] {
    match concern {
        Registries => &[
            ("docker-login", "1"),
            ("skopeo-login", "1"),
            ("containers-auth.json", "5"),
            ("nix.conf", "5"),
        ],
        Daemons => &[("docker-load", "1"), ("podman-load", "1")],
        Lock | Compose => &[],
    }
}
