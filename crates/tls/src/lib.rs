//! TLS to database servers, as libpq's `sslmode` has it: to the one that servers share, and to those that connectors read.

mod client;
mod flaw;
mod mode;
#[cfg(test)]
mod tests;
mod verifier;

pub use client::{Identity, Roots, TlsError, TlsOptions};
pub use flaw::CertificateFlaw;
pub use mode::SslMode;
