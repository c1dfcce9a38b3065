//! What the fuzz targets share: the properties that they try to break.

#[path = "../tests/support/properties/mod.rs"]
pub mod properties;
