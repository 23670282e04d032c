//! Reads a source to its end.

use std::collections::BTreeSet;

use inlet_model::{Counts, StreamName};
use inlet_source::{ReadRequest, SourceError, messages};

use crate::cancel::AbortOnDrop;
use crate::failure::{self, Failed, Stop};
use crate::pump::Pump;
use crate::run::RunContext;
use crate::schemas::Schemas;
use crate::shape::Shapes;
use crate::sink::Sink;
use crate::source::BuiltSource;

/// What a read begins with.
pub(crate) struct Reading {
    /// What becomes of its records.
    pub(crate) shapes: Shapes,
    /// What its records are held against.
    pub(crate) schemas: Schemas,
    /// The streams whose records the source knows by the keys that are stored.
    pub(crate) askable: BTreeSet<StreamName>,
    /// The run's counters.
    pub(crate) counted: Counts,
    /// Where its commits go.
    pub(crate) sink: Sink,
}

/// Reads until the source has ended and everything it sent is committed. Gives the streams that failed.
pub(crate) async fn read(
    context: &RunContext,
    built: BuiltSource,
    request: ReadRequest,
    begin: Reading,
) -> Result<Vec<(String, Failed)>, Stop> {
    let (out, receiver) = messages(context.shared.options.sync_bytes);
    let mut pump = Pump::new(context, built.clone(), &request.streams, receiver, begin);
    let reading = built.clone();
    let reading = tokio::spawn(async move { reading.read(request, out).await });
    // However it ends, no more is taken; a source that does not notice is left to die alone.
    let _aborting = AbortOnDrop(reading.abort_handle());
    pump.run().await?;
    let is_cut_off = pump.is_cut_off();
    let Pump { open, mut failed, .. } = pump;
    if is_cut_off {
        return Ok(failed);
    }
    // It has said all it had to say, and may still hang.
    match context.unless_cancelled("it came to its end", reading).await? {
        Ok(Ok(())) => {
            failed.extend(
                open.into_iter().map(|stream| (stream.to_string(), failure::never_ended(&stream).into())),
            );
            Ok(failed)
        }
        Ok(Err(error)) => Err(Stop::from(error)),
        Err(panic) => {
            let error = SourceError::new(inlet_source::ErrorKind::Internal, "read", "the source broke down");
            Err(Stop::from(built.redacted(error.because(panic))))
        }
    }
}
