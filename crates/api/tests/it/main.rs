//! The API over the real backends and the real engine, one file an area.
