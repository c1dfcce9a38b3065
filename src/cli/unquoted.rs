//! Values of arguments that are not quoted when they are wrong: clap repeats what it was given, and a URL may
//! hold a password. What the value's own parser says is fit to be shown.

use std::ffi::OsStr;
use std::fmt::Display;

use clap::builder::TypedValueParser;
use clap::error::ErrorKind;
use clap::{Arg, Command, Error};

use hocker::printable::Printable;

/// Parses with a function whose errors quote what may be quoted, if anything.
#[derive(Clone, Copy, Debug)]
pub(super) struct Unquoted<F>(pub(super) F);

impl<T, E, F> TypedValueParser for Unquoted<F>
where
    T: Clone + Send + Sync + 'static,
    E: Display,
    F: Fn(&str) -> Result<T, E> + Clone + Send + Sync + 'static,
{
    type Value = T;

    fn parse_ref(&self, cmd: &Command, arg: Option<&Arg>, value: &OsStr) -> Result<T, Error> {
        let Self(parse) = self;
        let text = value
            .to_str()
            .ok_or_else(|| Error::new(ErrorKind::InvalidUtf8).with_cmd(cmd))?;
        parse(text).map_err(|error| {
            let name = arg.map(|arg| format!(" for '{arg}'")).unwrap_or_default();
            let error = Printable::new(&error.to_string());
            let message = format!("invalid value{name}: {error}\n");
            Error::raw(ErrorKind::ValueValidation, message).with_cmd(cmd)
        })
    }
}
