//! Webhooks: deliveries from the catalog's outbox to their targets, after the Standard Webhooks specification
//! (<https://www.standardwebhooks.com>).
//!
//! The catalog queues a delivery in the transaction that moves a sync. The [`Courier`] claims those that are due, sends each and
//! notes what came of it. A crash at any point means that a delivery is sent again, under the same id: at least once, never
//! lost. What a target may be is decided on the address that the connection goes to, so that no name leads around it.

mod courier;
mod metrics;
mod names;
mod schedule;
mod send;
mod sign;
mod target;
mod work;

pub use courier::{Courier, CourierOptions, CourierParts, TooManyTests};
pub use metrics::WebhookMetrics;
pub use names::{Names, SystemNames};
pub use sign::{SigningSecret, is_signed, signature};
pub use target::{UrlError, check_url};
