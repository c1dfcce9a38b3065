//! `hocker erofs`: a layer as a file system image.

use std::fs::File;
use std::io::{self, Read, Seek as _};
use std::path::Path;

use tokio::task::spawn_blocking;

use super::args::ErofsArgs;
use super::manifest::existing;
use super::{Error, stdout};
use hocker::compression::Limit;
use hocker::erofs::{self, Converted, Source};
use hocker::input;
use hocker::nix::builder::ErofsJob;
use hocker::oci::digest::DiffId;
use hocker::output::{self, Existing, OutputFile};

pub(super) async fn run(args: ErofsArgs) -> Result<(), Error> {
    spawn_blocking(move || write(&args))
        .await
        .map_err(Error::Task)?
}

fn write(args: &ErofsArgs) -> Result<(), Error> {
    let path = args.output.out.as_path();
    let is_stdout = path.as_os_str() == "-";
    let mut file = if is_stdout {
        OutputFile::standard_output()?
    } else {
        OutputFile::create(path, existing(args.output.force))?
    };
    let is_named = file.is_seekable();
    let converted = if is_named {
        convert(Layer::of(args), file.as_file(), output::parent(path))?
    } else {
        // The superblock is written last and read first, so a pipe gets the image when it is complete.
        let failed = |source| output::Error::write(path, source);
        let mut image = tempfile::tempfile()
            .map_err(|source| output::Error::write(&std::env::temp_dir(), source))?;
        let converted = convert(Layer::of(args), &image, &std::env::temp_dir())?;
        image.rewind().map_err(failed)?;
        io::copy(&mut image, &mut file).map_err(|source| {
            if is_stdout {
                Error::Stdout(source)
            } else {
                failed(source).into()
            }
        })?;
        converted
    };
    file.commit()?;
    if is_named {
        stdout::write(format!("{}\n", converted.diff_id).as_bytes())?;
    }
    Ok(())
}

/// A layer to convert.
#[derive(Clone, Copy)]
struct Layer<'a> {
    path: &'a Path,
    diff_id: Option<DiffId>,
    limit: Limit,
}

impl<'a> Layer<'a> {
    fn of(args: &'a ErofsArgs) -> Self {
        Self {
            path: &args.layer,
            diff_id: args.diff_id.map(DiffId::new),
            limit: args.limit.max_layer_size.unwrap_or_default(),
        }
    }
}

/// Converts a layer of the Nix store, for a build.
pub(super) fn build(job: &ErofsJob) -> Result<(), Error> {
    let file = OutputFile::create(&job.out, Existing::Refuse)?;
    let layer = Layer {
        path: &job.layer,
        diff_id: None,
        limit: Limit::default(),
    };
    convert(layer, file.as_file(), &std::env::temp_dir())?;
    Ok(file.commit()?)
}

fn convert(layer: Layer<'_>, image: &File, directory: &Path) -> Result<Converted, Error> {
    let Layer {
        path,
        diff_id,
        limit,
    } = layer;
    let is_stdin = path.as_os_str() == "-";
    let what = if is_stdin {
        "standard input".to_owned()
    } else {
        path.display().to_string()
    };
    let failed = |source| Error::Input {
        what: what.clone(),
        source,
    };
    let (layer, size): (Box<dyn Read>, _) = if is_stdin {
        (Box::new(io::stdin().lock()), None)
    } else {
        let file = input::open(path).map_err(failed)?;
        let size = file.metadata().map_err(failed)?.len();
        (Box::new(file), Some(size))
    };
    let source = Source {
        layer,
        size,
        diff_id,
        limit,
    };
    erofs::convert(source, image, directory).map_err(|source| Error::Erofs {
        layer: what,
        source: Box::new(source),
    })
}
