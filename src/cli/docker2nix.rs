//! `hocker docker2nix`: a Nix expression for an image. It reads only the manifest.

use std::io::{IsTerminal as _, Read};
use std::path::Path;

use super::args::Docker2nixArgs;
use super::source::{Source, resolve};
use super::{Context, Error, stdout};
use hocker::name::Tag;
use hocker::nix::expression::Expression;
use hocker::oci::document::{self, Document};
use hocker::oci::manifest::Manifest;

/// The name of standard input in errors.
pub(super) const MANIFEST_ON_STDIN: &str = "the manifest on standard input";

pub(super) async fn run(args: Docker2nixArgs, context: &Context) -> Result<(), Error> {
    // The classic program takes image and tag as two arguments, and the manifest from standard input.
    let two_arguments = args.source.tag.is_some();
    let source = Source::new(args.source)?;
    let password_stdin = args.credentials.password_stdin;
    let given = match args.manifest.as_deref() {
        Some(path) if path.as_os_str() != "-" => Some(read_file(path)?),
        Some(_) if password_stdin => return Err(Error::TwoFromStdin),
        Some(_) => Some(read_stdin()?),
        // At a terminal, the user does not mean to type a manifest.
        None if two_arguments && !password_stdin && !std::io::stdin().is_terminal() => {
            Some(read_stdin()?)
        }
        None => None,
    };
    let from_elsewhere = given.is_some();
    let manifest = if let Some(manifest) = given {
        manifest
    } else {
        let registry = source.registry(args.credentials, context).await?;
        let resolved = resolve(&registry, &source.reference, args.platform).await?;
        resolved.manifest
    };
    let what = format!("the manifest of {}", source.reference);
    manifest
        .require_image()
        .map_err(|source| Error::Document { what, source })?;
    let reference = &source.reference;
    let tag = match (&reference.tag, &reference.digest) {
        (Some(tag), _) => Some(tag.clone()),
        (None, Some(_)) => None,
        (None, None) => Some(Tag::latest()),
    };
    let expression = Expression {
        endpoint: &source.endpoint,
        repository: &reference.repository,
        tag: tag.as_ref(),
        name: args.alternative_name.as_deref(),
        manifest: &manifest,
    };
    // The classic expression always has a tag.
    let text = if two_arguments && from_elsewhere && tag.is_some() {
        expression.classic()?
    } else {
        expression.pinned()?
    };
    stdout::write(text.as_bytes())
}

fn read_file(path: &Path) -> Result<Document<Manifest>, Error> {
    let what = path.display().to_string();
    match std::fs::File::open(path) {
        Ok(file) => read(what, file),
        Err(source) => Err(Error::Input { what, source }),
    }
}

fn read_stdin() -> Result<Document<Manifest>, Error> {
    read(MANIFEST_ON_STDIN.to_owned(), std::io::stdin().lock())
}

fn read(what: String, input: impl Read) -> Result<Document<Manifest>, Error> {
    match document::read(input) {
        Ok(bytes) => {
            Document::parse(bytes, None).map_err(|source| Error::Document { what, source })
        }
        Err(source) => Err(Error::Input { what, source }),
    }
}
