//! `hocker load`: load an image on disk into a daemon.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::args::LoadArgs;
use super::daemon::Connection;
use super::progress::Upload;
use super::{Context, Error, daemon, stdout};
use hocker::archive::on_disk::OnDisk;
use hocker::archive::stored_image;
use hocker::daemon::load::{self, LoadOptions, LoadProgress, Loaded, ResendReason, TransferReport};
use hocker::daemon::state::State;
use hocker::printable::Printable;
use hocker::size::Size;

pub(super) async fn run(args: LoadArgs, context: &Context) -> Result<(), Error> {
    // A wrong path fails without a daemon. An archive is unpacked only if the daemon answers, because that takes long.
    if args.image_path.as_os_str() != "-" {
        stored_image::check(&args.image_path).map_err(|error| unusable(&args.image_path, error))?;
    }
    #[cfg(feature = "containerd")]
    let daemon = daemon::connect(args.daemon, args.snapshotter, context).await?;
    #[cfg(not(feature = "containerd"))]
    let daemon = daemon::connect(args.daemon, context).await?;
    let state = args
        .state
        .map(|directory| daemon::state(directory, context));
    let images = open(args.image_path.clone()).await?;
    // `hocker prune` may read the recorded path in another working directory.
    let path = if args.image_path.as_os_str() == "-" {
        args.image_path
    } else {
        std::path::absolute(&args.image_path).unwrap_or(args.image_path)
    };
    let choices = match (&args.image, &images) {
        (None, Some(images)) => {
            stored_image::choices(images).map_err(|error| unusable(&path, error))?
        }
        _ => Vec::new(),
    };
    if !choices.is_empty() && !args.tags.is_empty() {
        return Err(Error::TagsOfSeveral { images: choices });
    }
    let options = LoadOptions {
        path,
        images,
        name: args.image,
        platform: args.platform.platform,
        tags: args.tags,
        limit: args.limit.max_layer_size.unwrap_or_default(),
    };
    let state = state.as_ref();
    if choices.is_empty() {
        return load_one(&daemon, options, state, context).await;
    }
    for name in choices {
        context
            .display
            .line(&Printable::new(&format!("loading {name}")));
        let options = LoadOptions {
            name: Some(name),
            ..options.clone()
        };
        load_one(&daemon, options, state, context).await?;
    }
    Ok(())
}

/// Opens the images at a path. A script has one image, which is opened later.
async fn open(path: PathBuf) -> Result<Option<OnDisk>, Error> {
    // An archive may have to be unpacked, and signals must be heard meanwhile.
    let open = move || {
        if path.as_os_str() != "-" {
            return stored_image::open_all(&path).map_err(|error| unusable(&path, error));
        }
        let name = Path::new("standard input");
        let images = OnDisk::unpack(std::io::stdin().lock(), name);
        images
            .map(Some)
            .map_err(|error| stored_image::Error::on_disk(name, error).into())
    };
    let images = tokio::task::spawn_blocking(open).await;
    images.map_err(Error::Task)?
}

fn unusable(path: &Path, error: stored_image::Error) -> Error {
    Error::Load {
        path: path.to_owned(),
        source: Box::new(load::Error::Open(error)),
    }
}

/// Loads one image, and prints its ID.
async fn load_one(
    daemon: &Connection,
    options: LoadOptions,
    state: Option<&State>,
    context: &Context,
) -> Result<(), Error> {
    let path = options.path.clone();
    let bar = context.display.upload();
    let progress = progress(&bar, context);
    let loaded = match daemon {
        Connection::Docker(daemon) => load::load(daemon, options, state, &progress).await,
        #[cfg(feature = "containerd")]
        Connection::Containerd(daemon) => {
            hocker::daemon::containerd::load::load(daemon, options, state, &progress).await
        }
    };
    let loaded = loaded.map_err(|source| Error::Load {
        path,
        source: Box::new(source),
    })?;
    bar.finish();
    context.display.line(&Printable::new(&summary(&loaded)));
    stdout::write(format!("{}\n", loaded.id).as_bytes())
}

/// Returns the functions that show a load.
fn progress(bar: &Upload, context: &Context) -> LoadProgress {
    LoadProgress {
        sending: Arc::new({
            let bar = bar.clone();
            move |bytes| bar.expect(bytes)
        }),
        sent: Arc::new({
            let bar = bar.clone();
            move |bytes| bar.advance(bytes)
        }),
        resending: Arc::new({
            let display = context.display.clone();
            move |reason, message| {
                let what = match reason {
                    ResendReason::LayersMissing => {
                        "the daemon refuses the image without the layers that it has; sending all layers"
                    }
                    ResendReason::DiskFull => {
                        "the daemon has no space for decompressed layers; sending compressed layers"
                    }
                };
                display.line(&Printable::new(&format!("{what}: {message}")));
            }
        }),
        way: Arc::new({
            let (display, verbose) = (context.display.clone(), context.verbose);
            move |way| {
                if verbose {
                    display.line(&Printable::new(&way.to_string()));
                }
            }
        }),
        event: Arc::new({
            let (display, verbose) = (context.display.clone(), context.verbose);
            move |message| {
                if verbose {
                    display.line(&Printable::new(&format!("daemon: {message}")));
                }
            }
        }),
    }
}

/// Returns a line about what was sent.
fn summary(loaded: &Loaded) -> String {
    let names: Vec<_> = loaded.tagged.iter().map(ToString::to_string).collect();
    match loaded.sent {
        Some(TransferReport {
            layers,
            layers_sent,
            bytes,
            bytes_sent,
        }) => format!(
            "sent {layers_sent} of {layers} layers, {} of {}; the daemon had {}",
            Size(bytes_sent),
            Size(bytes),
            layers - layers_sent,
        ),
        None if names.is_empty() => "the daemon has the image; nothing was sent".to_owned(),
        None => format!(
            "the daemon has the image; nothing was sent; it got the names {}",
            names.join(", ")
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hocker::oci::digest::Digest;

    #[test]
    fn the_summary_states_what_was_sent() {
        let id = Digest::of(b"");
        let mut loaded = Loaded {
            id,
            tagged: Vec::new(),
            sent: Some(TransferReport {
                layers: 5,
                layers_sent: 2,
                bytes: 139_000_000,
                bytes_sent: 1_150_000,
            }),
        };
        assert_eq!(
            summary(&loaded),
            "sent 2 of 5 layers, 1.15MB of 139MB; the daemon had 3"
        );
        loaded.sent = None;
        assert_eq!(
            summary(&loaded),
            "the daemon has the image; nothing was sent"
        );
        loaded.tagged = vec!["a:1".parse().unwrap()];
        assert_eq!(
            summary(&loaded),
            "the daemon has the image; nothing was sent; it got the names a:1"
        );
    }
}
