//! The files of a project: documents that are merged, files that are included, and services that others extend. Their
//! number and depth have limits, and so has the result.
//!
//! Sources: the Compose specification, `14-include.md`, `05-services.md` ("extends"); the behaviour of Compose 2.26.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use super::service::{self, Parts};
use super::yaml::{self, Node};
use super::{Error, Project};
use crate::printable::Printable;

/// The greatest number of other files.
const MAX_FILES: usize = 100;

/// The greatest depth of services that extend each other.
const MAX_EXTENDS: usize = 16;

/// The greatest number of mappings that make up services.
const MAX_PARTS: usize = 100_000;

/// A Compose file.
pub(super) struct File {
    /// The path relative to the directory of the project. `None` for the file that the user named.
    path: Option<PathBuf>,
    pub(super) documents: Vec<Document>,
}

/// A document of a Compose file.
pub(super) struct Document {
    pub(super) root: Arc<Node>,
    services: HashMap<String, Arc<Node>>,
}

impl File {
    pub(super) fn parse(path: Option<PathBuf>, text: &str) -> Result<Self, Error> {
        let roots = yaml::parse(text)?;
        let documents = roots.into_iter().map(Document::of).collect();
        Ok(Self { path, documents })
    }

    /// Adds the name of the file to an error, except for the file that the user named.
    pub(super) fn locate(&self, error: Error) -> Error {
        match &self.path {
            Some(path) => error.of(path),
            None => error,
        }
    }
}

impl Document {
    fn of(root: Arc<Node>) -> Self {
        let entries = root.get("services").and_then(Node::entries);
        let services = entries
            .into_iter()
            .flatten()
            .map(|(name, node)| (name.to_owned(), Arc::clone(node)))
            .collect();
        Self { root, services }
    }
}

/// Reads other files, and counts them.
pub(super) struct Files<'a> {
    project: &'a dyn Project,
    read: usize,
    parts: usize,
    /// The files whose services others extend.
    known: HashMap<PathBuf, Rc<File>>,
}

/// Returns the text of a scalar in `extends`.
pub(super) type ReadText<'a> = &'a mut dyn FnMut(&Node) -> Result<Option<String>, Error>;

impl<'a> Files<'a> {
    pub(super) fn new(project: &'a dyn Project) -> Self {
        Self {
            project,
            read: 0,
            parts: 0,
            known: HashMap::new(),
        }
    }

    /// Reads the text of a file. Returns `None` if it does not exist.
    pub(super) fn find(&mut self, path: &Path) -> Result<Option<String>, Error> {
        self.read += 1;
        if self.read > MAX_FILES {
            return Err(Error::Files);
        }
        match self.project.read(path) {
            Ok(text) => Ok(Some(text)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(Error::Read {
                path: Printable::new(&path.to_string_lossy()),
                source,
            }),
        }
    }

    /// Reads a file that must exist.
    pub(super) fn text(&mut self, path: &Path) -> Result<String, Error> {
        self.find(path)?.ok_or_else(|| Error::Read {
            path: Printable::new(&path.to_string_lossy()),
            source: std::io::ErrorKind::NotFound.into(),
        })
    }

    pub(super) fn compose_file(&mut self, path: &Path) -> Result<File, Error> {
        let text = self.text(path)?;
        File::parse(Some(path.to_owned()), &text).map_err(|error| error.of(path))
    }

    /// Adds the mappings that make up a service of a file. As in Compose, a document knows only its own services.
    pub(super) fn add(
        &mut self,
        parts: &mut Parts,
        file: &File,
        directory: &Path,
        name: &str,
        text: ReadText<'_>,
    ) -> Result<(), Error> {
        for document in &file.documents {
            if let Some(node) = document.services.get(name) {
                self.extend(parts, document, directory, node, text, 0)?;
            }
        }
        Ok(())
    }

    /// Adds a service, after the service that it extends.
    fn extend(
        &mut self,
        parts: &mut Parts,
        document: &Document,
        directory: &Path,
        node: &Arc<Node>,
        text: ReadText<'_>,
        depth: usize,
    ) -> Result<(), Error> {
        self.parts += 1;
        if depth > MAX_EXTENDS || self.parts > MAX_PARTS {
            return Err(Error::Extends);
        }
        if let Some(extends) = node.get("extends").filter(|extends| !extends.is_null()) {
            let named = extends.get("service").unwrap_or(extends);
            let base = text(named)?.unwrap_or_default();
            if let Some(path) = extends.get("file") {
                let path = directory.join(text(path)?.unwrap_or_default());
                self.extend_from(parts, &path, &base, text, depth)?;
            } else {
                let missing = || Error::NoBase(Printable::new(&base));
                let base = document.services.get(&base).ok_or_else(missing)?;
                self.extend(parts, document, directory, base, text, depth + 1)?;
            }
        }
        service::add(parts, node);
        Ok(())
    }

    /// Adds a service of another file.
    fn extend_from(
        &mut self,
        parts: &mut Parts,
        path: &Path,
        base: &str,
        text: ReadText<'_>,
        depth: usize,
    ) -> Result<(), Error> {
        let file = if let Some(file) = self.known.get(path) {
            Rc::clone(file)
        } else {
            let file = Rc::new(self.compose_file(path)?);
            self.known.insert(path.to_owned(), Rc::clone(&file));
            file
        };
        let directory = path.parent().unwrap_or(Path::new(""));
        let mut is_there = false;
        for document in &file.documents {
            if let Some(node) = document.services.get(base) {
                is_there = true;
                self.extend(parts, document, directory, node, text, depth + 1)
                    .map_err(|error| file.locate(error))?;
            }
        }
        if is_there {
            Ok(())
        } else {
            Err(file.locate(Error::NoBase(Printable::new(base))))
        }
    }
}
