//! `hocker load`: an image on disk into a container daemon.

use std::sync::Arc;

use super::args::LoadArgs;
use super::{Context, Error, daemon, stdout};
use hocker::daemon::load::{self, Again, Loaded, Order, Report, Watch};
use hocker::printable::Printable;
use hocker::size::Size;

pub(super) async fn run(args: LoadArgs, context: &Context) -> Result<(), Error> {
    let daemon = daemon::connect(args.daemon, context).await?;
    let state = args
        .state
        .map(|directory| daemon::state(directory, context));
    // A relative path would mean another image to who reads the records.
    let path = std::path::absolute(&args.image_path).unwrap_or(args.image_path);
    let order = Order {
        path: path.clone(),
        name: args.image,
        platform: args.platform.platform,
        tags: args.tags,
        limit: args.limit.max_layer_size.unwrap_or_default(),
    };
    let bar = context.display.upload();
    let watch = Watch {
        sending: Arc::new({
            let bar = bar.clone();
            move |bytes| bar.expect(bytes)
        }),
        sent: Arc::new({
            let bar = bar.clone();
            move |bytes| bar.advance(bytes)
        }),
        again: Arc::new({
            let display = context.display.clone();
            move |again, message| {
                let what = match again {
                    Again::Missing => {
                        "the daemon does not take it without the layers that it has; sending all"
                    }
                    Again::Full => {
                        "the daemon has no room for decompressed layers; sending them as they are"
                    }
                };
                display.line(&Printable::new(&format!("{what}: {message}")));
            }
        }),
    };
    let loaded = load::load(&daemon, order, state.as_ref(), &watch)
        .await
        .map_err(|source| Error::Load {
            path,
            source: Box::new(source),
        })?;
    bar.finish();
    context.display.line(&Printable::new(&told(&loaded)));
    stdout::write(format!("{}\n", loaded.id).as_bytes())
}

/// What was done, for people.
fn told(loaded: &Loaded) -> String {
    let names: Vec<_> = loaded.tagged.iter().map(ToString::to_string).collect();
    match loaded.sent {
        Some(Report {
            layers,
            layers_sent,
            bytes,
            bytes_sent,
        }) => format!(
            "sent {layers_sent} of {layers} layers, {} of {}; {} were there",
            Size(bytes_sent),
            Size(bytes),
            layers - layers_sent,
        ),
        None if names.is_empty() => "the image is there; nothing was sent".to_owned(),
        None => format!(
            "the image is there; nothing was sent, and it is now also {}",
            names.join(", ")
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hocker::oci::digest::Digest;

    #[test]
    fn people_are_told_what_was_sent() {
        let id = Digest::of(b"");
        let mut loaded = Loaded {
            id,
            tagged: Vec::new(),
            sent: Some(Report {
                layers: 5,
                layers_sent: 2,
                bytes: 139_000_000,
                bytes_sent: 1_150_000,
            }),
        };
        assert_eq!(
            told(&loaded),
            "sent 2 of 5 layers, 1.15MB of 139MB; 3 were there"
        );
        loaded.sent = None;
        assert_eq!(told(&loaded), "the image is there; nothing was sent");
        loaded.tagged = vec!["a:1".parse().unwrap()];
        assert_eq!(
            told(&loaded),
            "the image is there; nothing was sent, and it is now also a:1"
        );
    }
}
