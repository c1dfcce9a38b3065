//! Parsers for arguments that may contain a secret, such as the password in a URL. clap quotes a wrong value in its
//! error; these parsers do not. They print the error of the value's own parser, which quotes no secret.

use std::ffi::OsStr;
use std::fmt::Display;

use clap::builder::TypedValueParser;
use clap::error::ErrorKind;
use clap::{Arg, Command, Error};

use hocker::printable::Printable;

/// Parses with a function whose errors quote no secret.
#[derive(Clone, Copy, Debug)]
pub(super) struct Redacted<F>(pub(super) F);

impl<T, E, F> TypedValueParser for Redacted<F>
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
