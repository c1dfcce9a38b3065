//! `hocker mount` and `hocker umount`: an image as a directory.

use std::path::PathBuf;

use tokio::task::spawn_blocking;

use super::args::{MountArgs, UmountArgs};
use super::source::platform;
use super::{Context, Error};
use hocker::archive::stored_image::{self, Selection};
use hocker::erofs::LayerFile;
use hocker::mount::{self, ImageSources, Kernel, Overlay, Prepared, Target, Top};

pub(super) async fn run(args: MountArgs, context: &Context) -> Result<(), Error> {
    let target = Target::new(&args.directory)?;
    let cache = match &args.cache {
        Some(cache) => cache.clone(),
        None => context.environment.cache().ok_or(Error::NoCache)?,
    };
    let prepare = move || prepare(args, cache);
    let prepared = spawn_blocking(prepare).await.map_err(Error::Task)??;
    // An interrupted task does not come here, so it leaves no mount.
    Ok(prepared.attach(&target)?)
}

pub(super) fn unmount(args: &UmountArgs) -> Result<(), Error> {
    Ok(mount::unmount(&args.directory)?)
}

fn prepare(args: MountArgs, cache: PathBuf) -> Result<Prepared, Error> {
    let selection = Selection {
        name: args.image.as_deref(),
        is_platform_required: args.platform.platform.is_some(),
        platform: &platform(args.platform),
    };
    let image = stored_image::open(&args.image_path, &selection)?;
    let layers = LayerFile::all_of(&image).map_err(stored_image::Error::from)?;
    let sources = ImageSources {
        existing: args.layers,
        cache,
        limit: args.limit.max_layer_size.unwrap_or_default(),
    };
    let images = mount::images(&layers, &sources)?;
    let top = match args.upper {
        Some(directory) => Top::Directory(directory),
        None if args.writable => Top::Temporary,
        None => Top::ReadOnly,
    };
    let overlay = Overlay {
        digest: image.manifest().digest(),
        layers: &images,
        top: &top,
        set_user_id: args.suid,
        devices: args.dev,
    };
    Ok(overlay.prepare(Kernel::default())?)
}
