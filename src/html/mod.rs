//! One self-contained HTML page about a lock: its images with their ages, sizes, the layers that they share, and what
//! waits.
//!
//! The page loads nothing: style and script are part of it, and a content security policy forbids everything else. All
//! text of the lock is escaped (`Text`). The page can be read without its script, which only sorts and filters.

mod page;
mod sharing;
mod text;
mod time;
mod waiting;

pub use self::page::{Page, page};
use self::text::{Text, attribute};
