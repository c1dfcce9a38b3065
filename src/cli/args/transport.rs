//! The options of all commands that use the network.

use std::time::Duration;

use url::Url;

use super::values;
use crate::cli::redacted::Redacted;
use hocker::name::mirror::Mirror;

/// Retries, timeouts, mirrors and blob stores.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Network")]
pub(crate) struct TransportArgs {
    /// Retry up to N transient failures in a row [default: 4]
    #[arg(long, global = true, value_name = "N", value_parser = values::retries, allow_negative_numbers = true)]
    pub(crate) retries: Option<u32>,

    /// Wait at most this many seconds before the first retry; each further retry doubles the delay [default: 0.5]
    #[arg(
        long,
        global = true,
        value_name = "SECONDS",
        value_parser = values::seconds,
        allow_negative_numbers = true
    )]
    pub(crate) retry_delay: Option<Duration>,

    /// Abort a transfer after this many seconds without data [default: 60]
    #[arg(
        long,
        global = true,
        value_name = "SECONDS",
        value_parser = values::timeout,
        allow_negative_numbers = true
    )]
    pub(crate) stall_timeout: Option<Duration>,

    /// Try this mirror before the registry, by digest only; may be given several times
    #[arg(long, global = true, value_name = "REGISTRY=URL", value_parser = Redacted(str::parse::<Mirror>))]
    pub(crate) mirror: Vec<Mirror>,

    /// Follow redirects for layers to this server, even if its address is internal or its scheme is http; may be
    /// given several times
    #[arg(long, global = true, value_name = "URL", value_parser = Redacted(values::origin))]
    pub(crate) blobs_from: Vec<Url>,
}
