//! Pulls an image into an OCI image layout: `cargo run --example pull -- debian:12 DIRECTORY`
//!
//! It uses the system's certificate authorities and no credentials. For a registry on loopback it uses plain http.

use std::error::Error;
use std::path::Path;
use std::sync::Arc;

use hocker::http::{Client, Roots, Settings};
use hocker::name::{Endpoint, Reference};
use hocker::oci::Platform;
use hocker::output::OutputDirectory;
use hocker::pull::{Image, Silent};
use hocker::registry::Registry;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(image), Some(path)) = (arguments.next(), arguments.next()) else {
        return Err("usage: pull IMAGE DIRECTORY".into());
    };
    pull(&image, Path::new(&path)).await
}

/// Pulls the image for this machine's platform into a new directory.
pub async fn pull(image: &str, path: &Path) -> Result<(), Box<dyn Error>> {
    let reference: Reference = image.parse()?;
    let endpoint = Endpoint::of(&reference.registry)?;
    let client = Client::new(Roots::of_the_system(), Settings::default());
    let registry = Arc::new(Registry::new(client, endpoint, None));
    // The directory gets its name when the image is complete.
    let directory = OutputDirectory::create(path)?;
    let platform = Platform::of_this_machine();
    let image = Image::in_registry(registry, reference, &platform, Silent::shared()).await?;
    image.write_layout(path, directory).await?;
    Ok(())
}
