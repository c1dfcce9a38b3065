//! The entries of the sections ENVIRONMENT, FILES and SEE ALSO in manual pages. The arguments of a command decide which
//! entries its page has, so no list of commands is kept by hand.

use clap::Command;

use super::super::environment as names;

/// A topic, which decides on the entries of a command's page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Topic {
    /// Commands that connect to registries.
    Registries,
    /// Commands that connect to a daemon.
    Daemons,
    /// Commands that read or write a lock file.
    Lock,
    /// Commands that read a Compose file.
    Compose,
    /// Mounted images.
    Mounts,
}

use Topic::{Compose, Daemons, Lock, Mounts, Registries};

impl Topic {
    /// All topics, in the order of the pages.
    pub(super) const ALL: [Self; 5] = [Registries, Daemons, Lock, Compose, Mounts];

    /// The argument by which commands about this topic are recognised.
    const fn argument(self) -> &'static str {
        match self {
            Registries => "username",
            Daemons => "host",
            Lock => "lock_file",
            Compose => "env_file",
            Mounts => "cache",
        }
    }

    /// What commands about this topic do, to complete "commands that …".
    pub(super) const fn verb(self) -> &'static str {
        match self {
            Registries => "connect to registries",
            Daemons => "connect to a daemon",
            Lock => "use a lock file",
            Compose => "read a Compose file",
            Mounts => "mount images",
        }
    }

    /// Whether the command itself, and not a subcommand, is about this topic.
    pub(super) fn is_of(self, command: &Command) -> bool {
        let mut arguments = command.get_arguments();
        !command.has_subcommands() && arguments.any(|own| own.get_id() == self.argument())
    }
}

/// An environment variable or file, with its description.
pub(super) struct Entry {
    /// The names of the variables or files that share the description.
    pub(super) names: &'static [&'static str],
    /// The description.
    pub(super) text: &'static str,
    /// The topics that it belongs to.
    topics: &'static [Topic],
}

impl Entry {
    /// Whether commands about this topic read it.
    pub(super) fn is_about(&self, topic: Topic) -> bool {
        self.topics.contains(&topic)
    }
}

const fn entry(
    names: &'static [&'static str],
    topics: &'static [Topic],
    text: &'static str,
) -> Entry {
    Entry {
        names,
        text,
        topics,
    }
}

/// The environment variables. hocker treats an empty variable as unset.
pub(super) const VARIABLES: &[Entry] = &[
    entry(
        &[names::DOCKER_TOKEN],
        &[Registries],
        "A bearer token for the registry.",
    ),
    entry(
        &[names::DOCKER_USER, names::DOCKER_PASS],
        &[Registries],
        "A user name and a password for the registry. DOCKER_TOKEN takes precedence.",
    ),
    entry(
        &[names::DOCKER_AUTH_CONFIG],
        &[Registries],
        "Credentials for registries, in the format of docker: {\"auths\": {\"HOST\": {\"auth\": \"…\"}}}. The value of \
         auth is NAME:PASSWORD in base64.",
    ),
    entry(
        &[names::REGISTRY_AUTH_FILE],
        &[Registries],
        "A file with credentials for registries, as podman login and skopeo login write it. The file must exist.",
    ),
    entry(
        &[names::DOCKER_CONFIG],
        &[Registries, Daemons],
        "The directory of docker's config.json and contexts, instead of ~/.docker.",
    ),
    entry(
        &[names::XDG_RUNTIME_DIR, names::XDG_CONFIG_HOME],
        &[Registries],
        "The directories of containers/auth.json, with credentials for registries.",
    ),
    entry(
        &[names::NETRC],
        &[Registries],
        "The netrc file, instead of ~/.netrc. The file must exist.",
    ),
    entry(
        &[names::HOME],
        &[Registries, Daemons],
        "The user's home directory. A Nix build has no HOME and no XDG directories. It reads the other variables for \
         registries from the environment of the user who builds, or with a Nix daemon, from the daemon's environment.",
    ),
    entry(
        &[names::NIX_SSL_CERT_FILE, names::SSL_CERT_FILE],
        &[Registries, Daemons],
        "A PEM bundle of certificate authorities to trust, instead of the system's. The first variable that is set \
         counts, and --verbose prints which one that is. The bundle may also contain a server's own certificate.",
    ),
    entry(
        &[names::SSL_CERT_DIR],
        &[Registries, Daemons],
        "Directories, separated by colons, whose files contain further certificate authorities.",
    ),
    entry(
        &names::HTTPS_PROXY,
        &[Registries],
        "The URL of the proxy for https: an http, https, socks5 or socks5h proxy. The proxy resolves the names of \
         servers.",
    ),
    entry(
        &names::HTTP_PROXY,
        &[Registries],
        "The URL of the proxy for http.",
    ),
    entry(
        &names::ALL_PROXY,
        &[Registries],
        "The URL of the proxy for http and https, if the variable for that scheme is not set.",
    ),
    entry(
        &names::NO_PROXY,
        &[Registries],
        "Hosts that hocker reaches without a proxy, separated by commas, in the syntax of Go programs such as docker: \
         example.com (the host and its subdomains), .example.com (only its subdomains) or 10.0.0.0/8 (addresses), or * \
         for all hosts. A name may have a :PORT. hocker never uses a proxy for loopback.",
    ),
    entry(
        &[names::HOCKER_MIRRORS],
        &[Registries],
        "Mirrors, as --mirror takes them: REGISTRY=URL, separated by spaces.",
    ),
    entry(
        &[names::HOCKER_BLOBS_FROM],
        &[Registries],
        "URLs of servers, as --blobs-from takes them, separated by spaces.",
    ),
    entry(
        &[names::HOCKER_RETRIES],
        &[Registries, Daemons],
        "The number of retries, as --retries takes it.",
    ),
    entry(
        &[names::HOCKER_RETRY_DELAY],
        &[Registries, Daemons],
        "The longest wait before the first retry, in seconds, as --retry-delay takes it.",
    ),
    entry(
        &[names::HOCKER_STALL_TIMEOUT],
        &[Registries, Daemons],
        "The time without data before a transfer is aborted, in seconds, as --stall-timeout takes it.",
    ),
    entry(
        &[names::DOCKER_HOST],
        &[Daemons],
        "The daemon's address. --host takes precedence.",
    ),
    entry(
        &[names::DOCKER_CONTEXT],
        &[Daemons],
        "The name of a docker context. DOCKER_HOST takes precedence.",
    ),
    entry(
        &[names::DOCKER_TLS_VERIFY],
        &[Daemons],
        "If this variable is set, hocker connects to a daemon on a TCP port by TLS.",
    ),
    entry(
        &[names::DOCKER_CERT_PATH],
        &[Daemons],
        "The directory with ca.pem, cert.pem and key.pem for TLS to the daemon, instead of docker's own.",
    ),
    entry(
        &[names::XDG_CACHE_HOME],
        &[Mounts],
        "The directory of hocker/layers, with file system images of layers, instead of ~/.cache. --cache takes precedence.",
    ),
    entry(
        &[names::CONTAINERD_ADDRESS],
        &[Daemons],
        "The path of containerd's socket, if --host or DOCKER_HOST is containerd:// without a path. The default is \
         /run/containerd/containerd.sock.",
    ),
    entry(
        &[names::CONTAINERD_NAMESPACE],
        &[Daemons],
        "The namespace of containerd. --namespace takes precedence.",
    ),
    entry(
        &[names::CONTAINERD_SNAPSHOTTER],
        &[Daemons],
        "The snapshotter of containerd that unpacks images. --snapshotter takes precedence.",
    ),
    entry(
        &[names::GITHUB_API_URL],
        &[Registries],
        "The base URL of GitHub's API, which hocker lock asks for attestations of workflows. GitHub Actions sets this variable. \
         The default is https://api.github.com.",
    ),
    entry(
        &names::GITHUB_TOKENS,
        &[Registries],
        "A token for GitHub's API. Only that server gets it.",
    ),
    entry(
        &[names::COMPOSE_PROFILES],
        &[Compose],
        "Profiles whose services are included, separated by commas. --profile takes precedence. The Compose file may use \
         any other variable, but hocker puts no variable that looks like a secret into the name of an image.",
    ),
];

/// The files. Files with credentials are in the order in which hocker reads them.
pub(super) const FILES: &[Entry] = &[
    entry(
        &["~/.docker/config.json"],
        &[Registries, Daemons],
        "Credentials for registries, or the names of credential helpers; and the current docker context.",
    ),
    entry(
        &["$XDG_RUNTIME_DIR/containers/auth.json"],
        &[Registries],
        "Credentials for registries. If XDG_RUNTIME_DIR is not set: /run/containers/UID/auth.json.",
    ),
    entry(
        &["$XDG_CONFIG_HOME/containers/auth.json"],
        &[Registries],
        "Credentials for registries. If XDG_CONFIG_HOME is not set: ~/.config/containers/auth.json.",
    ),
    entry(
        &["~/.netrc"],
        &[Registries],
        "Credentials for hosts, in the format that curl reads.",
    ),
    entry(
        &["/etc/nix-docker-credentials.txt"],
        &[Registries],
        "Credentials for Nix builds, if the sandbox contains this file: DOCKER_USER= and DOCKER_PASS= lines, or a \
         DOCKER_TOKEN= line.",
    ),
    entry(
        &["/etc/ssl/certs/ca-certificates.crt"],
        &[Registries, Daemons],
        "The certificate authorities to trust. hocker also finds this file where other systems keep it. Without such a \
         file, it trusts the authorities that are compiled into the program.",
    ),
    entry(
        &[
            "/etc/containers/certs.d",
            "/etc/docker/certs.d",
            "~/.config/containers/certs.d",
        ],
        &[Registries],
        "Directories with one subdirectory for each registry, HOST or HOST:PORT. Its *.crt files are further certificate \
         authorities for that registry, its token service and the servers that it redirects to. Its *.cert and *.key files \
         are the client's certificate and key for that host alone.",
    ),
    entry(
        &["~/.docker/contexts"],
        &[Daemons],
        "The daemons that docker context lists.",
    ),
    entry(
        &["/var/run/docker.sock"],
        &[Daemons],
        "The socket of the daemon, unless an option or a variable names another daemon.",
    ),
    entry(
        &["docker-images.lock.json"],
        &[Lock],
        "The lock file, unless --lock-file names another. Only hocker lock writes it.",
    ),
    entry(
        &[".env"],
        &[Compose],
        "Variables for the Compose file in the same directory, unless --env-file names another file.",
    ),
];

/// The manual pages of other programs, each with its section.
pub(super) const fn others(topic: Topic) -> &'static [(&'static str, &'static str)] {
    match topic {
        Registries => &[
            ("docker-login", "1"),
            ("skopeo-login", "1"),
            ("containers-auth.json", "5"),
            ("nix.conf", "5"),
        ],
        Daemons => &[("docker-load", "1"), ("podman-load", "1")],
        Mounts => &[("mount", "8"), ("systemd-nspawn", "1")],
        Lock | Compose => &[],
    }
}
