//! The model of a project: its files, and their active services.
//!
//! Sources: the Compose specification, `04-version-and-name.md`, `14-include.md`; the behaviour of Compose 2.26.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use super::dotenv;
use super::files::{File, Files};
use super::images::Collection;
use super::project::normalized;
use super::service::{Parts, Program, Reader};
use super::variables::{Lookup, ReplacementState, Value, Variables};
use super::yaml::Node;
use super::{Error, Images, Project, Service, volumes};
use crate::printable::Printable;

/// The greatest depth of files that include each other.
const MAX_INCLUDES: usize = 16;

/// The variable with the name of the project.
const PROJECT_NAME: &str = "COMPOSE_PROJECT_NAME";

/// Returns the images of a Compose file. A service with profiles is active if one of them is in `profiles`, or if
/// `profiles` has `*`.
pub fn images(
    text: &str,
    profiles: &[String],
    variables: Lookup<'_>,
    project: &dyn Project,
) -> Result<Images, Error> {
    let file = File::parse(None, text)?;
    let mut model = Model {
        profiles,
        files: Files::new(project),
        replacing: ReplacementState::new(),
        images: Collection::default(),
    };
    let is_set = |value: &Value| !value.text.is_empty();
    let name = match variables(PROJECT_NAME).filter(is_set) {
        Some(name) => name,
        None => model.name(&file, variables)?.unwrap_or(Value {
            text: project.name(),
            secret: None,
        }),
    };
    let lookup = |variable: &str| match variable {
        PROJECT_NAME => Some(name.clone()),
        _ => variables(variable),
    };
    model.take(&[file], Path::new(""), &lookup, 0)?;
    let unset = model.replacing.unset.iter();
    let unset =
        unset.map(|name| format!("the variable {name} is not set; hocker uses an empty value"));
    for note in unset {
        model.images.note(note);
    }
    Ok(model.images.finish())
}

struct Model<'a> {
    profiles: &'a [String],
    files: Files<'a>,
    replacing: ReplacementState,
    images: Collection,
}

/// An `include` of a file.
#[derive(Default)]
struct Include {
    paths: Vec<String>,
    directory: Option<String>,
    env_files: Vec<String>,
}

impl Model<'_> {
    /// Returns the name of the project in the last document that has one.
    fn name(&mut self, file: &File, variables: Lookup<'_>) -> Result<Option<Value>, Error> {
        let mut names = file.documents.iter().rev();
        let Some(node) = names.find_map(|document| document.root.get("name")) else {
            return Ok(None);
        };
        let text = self.text("name", node, variables)?.unwrap_or_default();
        let name = normalized(&text);
        Ok((!name.is_empty()).then_some(Value {
            text: name,
            secret: None,
        }))
    }

    /// Adds the services of files that are merged, and of the files that they include.
    fn take(
        &mut self,
        files: &[File],
        directory: &Path,
        variables: Lookup<'_>,
        depth: usize,
    ) -> Result<(), Error> {
        if depth > MAX_INCLUDES {
            return Err(Error::Files);
        }
        let documents = || files.iter().flat_map(|file| &file.documents);
        let has = |field| documents().any(|document| document.root.get(field).is_some());
        let are_mappings = documents()
            .filter_map(|document| document.root.get("services"))
            .all(|services| services.entries().is_some() || services.is_null());
        if !are_mappings || !(has("services") || has("include")) {
            return Err(Error::NoServices);
        }
        for name in names(files) {
            self.service(files, directory, name, variables, depth > 0)?;
        }
        for document in documents() {
            let includes = document.root.get("include").and_then(Node::items);
            for node in includes.unwrap_or_default() {
                let include = self.read_include(node, variables)?;
                self.include(&include, directory, variables, depth)?;
            }
        }
        Ok(())
    }

    fn service(
        &mut self,
        files: &[File],
        directory: &Path,
        name: &str,
        variables: Lookup<'_>,
        is_included: bool,
    ) -> Result<(), Error> {
        let mut reader = Reader {
            name,
            variables,
            replacing: &mut self.replacing,
        };
        let mut parts = Parts::new();
        for file in files {
            let mut text = |node: &Node| reader.text(node);
            self.files
                .add(&mut parts, file, directory, name, &mut text)?;
        }
        if parts.is_empty() || !reader.is_active(&parts, self.profiles)? {
            return Ok(());
        }
        let shown = Printable::new(name);
        let volumes = volumes::of(&mut reader, &parts)?;
        let program = reader.program(&parts)?;
        for volume in volumes {
            self.images.add_volume(volume)?;
        }
        match program {
            Program::Image(service) => self.images.add_service(Service {
                is_included,
                ..service
            }),
            Program::Built => {
                self.images
                    .note(format!("{shown} is built from source and has no image"));
                Ok(())
            }
            Program::Provided => {
                self.images.note(format!(
                    "{shown} is provided by another program and has no image"
                ));
                Ok(())
            }
        }
    }

    fn read_include(&mut self, node: &Node, variables: Lookup<'_>) -> Result<Include, Error> {
        if node.entries().is_none() {
            return Ok(Include {
                paths: self.texts(node, variables)?,
                ..Include::default()
            });
        }
        let mut texts = |field| match node.get(field) {
            Some(node) => self.texts(node, variables),
            None => Ok(Vec::new()),
        };
        Ok(Include {
            paths: texts("path")?,
            directory: texts("project_directory")?.pop(),
            env_files: texts("env_file")?,
        })
    }

    /// Adds included files. Their variables have a lower precedence than those of the project.
    fn include(
        &mut self,
        include: &Include,
        directory: &Path,
        variables: Lookup<'_>,
        depth: usize,
    ) -> Result<(), Error> {
        let paths: Vec<PathBuf> = include
            .paths
            .iter()
            .map(|path| directory.join(path))
            .collect();
        let beside = paths.first().and_then(|path| path.parent());
        let own = match &include.directory {
            Some(own) => directory.join(own),
            None => beside.unwrap_or(directory).to_owned(),
        };
        let mut more = Variables::new();
        if include.env_files.is_empty() {
            let path = own.join(".env");
            if let Some(text) = self.files.find(&path)? {
                more = self.variables(&path, &text, variables)?;
            }
        }
        for path in &include.env_files {
            let path = directory.join(path);
            let text = self.files.text(&path)?;
            more.extend(self.variables(&path, &text, variables)?);
        }
        let lookup = |name: &str| variables(name).or_else(|| more.get(name).cloned());
        let mut files = Vec::new();
        for path in &paths {
            files.push(self.files.compose_file(path)?);
        }
        let result = self.take(&files, &own, &lookup, depth + 1);
        match files.first() {
            Some(file) => result.map_err(|error| file.locate(error)),
            None => result,
        }
    }

    fn variables(
        &mut self,
        path: &Path,
        text: &str,
        variables: Lookup<'_>,
    ) -> Result<Variables, Error> {
        dotenv::parse_with(text, variables, &mut self.replacing).map_err(|source| Error::Dotenv {
            path: Printable::new(&path.to_string_lossy()),
            source,
        })
    }

    /// Returns the texts of a scalar or of a sequence of scalars.
    fn texts(&mut self, node: &Node, variables: Lookup<'_>) -> Result<Vec<String>, Error> {
        let nodes: Vec<&Node> = match node.items() {
            Some(items) => items.iter().map(|item| &**item).collect(),
            None => vec![node],
        };
        let mut texts = Vec::new();
        for node in nodes {
            texts.extend(self.text("include", node, variables)?);
        }
        Ok(texts)
    }

    fn text(
        &mut self,
        what: &str,
        node: &Node,
        variables: Lookup<'_>,
    ) -> Result<Option<String>, Error> {
        let mut reader = Reader {
            name: what,
            variables,
            replacing: &mut self.replacing,
        };
        reader.text(node)
    }
}

/// Returns the names of the services, in the order of their first occurrence.
fn names(files: &[File]) -> Vec<&str> {
    let mut seen = HashSet::new();
    let documents = files.iter().flat_map(|file| &file.documents);
    let services = documents.filter_map(|document| document.root.get("services"));
    let entries = services.filter_map(Node::entries).flatten();
    entries
        .map(|(name, _)| name)
        .filter(|name| seen.insert(*name))
        .collect()
}
