//! Prints a Nix expression that pins an image: `cargo run --example pin -- debian:12`
//!
//! It fetches only the manifest, which contains the hashes of everything else.

use std::error::Error;
use std::io::Write as _;

use hocker::http::{Client, Roots, Settings};
use hocker::name::{Endpoint, Reference};
use hocker::nix::expression::Expression;
use hocker::oci::Platform;
use hocker::registry::Registry;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let Some(image) = std::env::args().nth(1) else {
        return Err("usage: pin IMAGE".into());
    };
    let expression = pin(&image).await?;
    Ok(std::io::stdout().write_all(expression.as_bytes())?)
}

/// The expression for the image that the reference names now, for this machine's platform.
pub async fn pin(image: &str) -> Result<String, Box<dyn Error>> {
    let reference: Reference = image.parse()?;
    let endpoint = Endpoint::of(&reference.registry)?;
    let client = Client::new(Roots::of_the_system(), Settings::default());
    let registry = Registry::new(client, endpoint.clone(), None);
    let platform = Platform::of_this_machine();
    let resolved = registry.resolve(&reference, &platform).await?;
    let expression = Expression {
        endpoint: &endpoint,
        repository: &reference.repository,
        tag: Some(&reference.tag_or_latest()),
        name: None,
        manifest: &resolved.manifest,
    };
    Ok(expression.pinned()?)
}
