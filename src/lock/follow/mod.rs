//! Following an image by a pattern of tags: `1.*`, `~1.27`, `*-alpine`, `/regular expression/`. The module parses the
//! patterns and selects the tags that are newer than the present one. It does not list the tags of a registry.

mod error;
mod expression;
mod order;
mod pattern;
mod shape;
mod successor;
mod template;

pub use self::error::PatternError;
pub use self::pattern::Pattern;
