//! The options for credentials.

use std::path::PathBuf;

use hocker::secret::Secret;

/// Credentials for the registry.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Credentials")]
#[group(skip)]
pub(crate) struct CredentialArgs {
    /// Log in with this user name
    #[arg(short, long, value_name = "NAME", conflicts_with_all = ["token", "credentials_file"])]
    pub(crate) username: Option<String>,

    /// Log in with this password; other users of the machine can read it, so prefer --password-stdin
    #[arg(
        short,
        long,
        value_name = "PASSWORD",
        allow_hyphen_values = true,
        requires = "username",
        conflicts_with = "password_stdin"
    )]
    pub(crate) password: Option<Secret>,

    /// Read the password from standard input
    #[arg(long, requires = "username")]
    pub(crate) password_stdin: bool,

    /// Send this bearer token to the registry
    #[arg(
        short,
        long,
        value_name = "TOKEN",
        allow_hyphen_values = true,
        conflicts_with = "credentials_file"
    )]
    pub(crate) token: Option<Secret>,

    /// Read credentials from a file with `USERNAME=` and `PASSWORD=` lines, or with a `BEARER_TOKEN=` line
    #[arg(short = 'f', long, value_name = "FILE")]
    pub(crate) credentials_file: Option<PathBuf>,
}

impl CredentialArgs {
    /// Whether any of these arguments is given.
    #[must_use]
    pub(crate) fn is_given(&self) -> bool {
        self.username.is_some() || self.token.is_some() || self.credentials_file.is_some()
    }
}
