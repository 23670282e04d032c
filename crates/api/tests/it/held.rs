//! A connector type whose sources hang, for syncs that a test holds open; one that waits where its config is checked; and
//! one that panics there.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use inlet_model::StreamName;
use inlet_model::fields::FieldErrors;
use inlet_source::{
    Capabilities, ConnectorType, Environment, Outlet, ReadRequest, Source, SourceError, StreamSpec,
};
use serde_json::{Value, json};

/// The three types.
pub(crate) fn types(gate: Gate) -> [Arc<dyn ConnectorType>; 3] {
    let of = |behaviour| Arc::new(Odd { behaviour, gate: gate.clone() }) as Arc<dyn ConnectorType>;
    [of(Behaviour::Hang), of(Behaviour::WaitForGate), of(Behaviour::Panic)]
}

/// Holds back whoever makes a connector of type `gated`, until it is opened.
#[derive(Debug, Clone, Default)]
pub(crate) struct Gate {
    reached: Arc<AtomicBool>,
    open: Arc<AtomicBool>,
}

impl Gate {
    pub(crate) fn open(&self) {
        self.open.store(true, Ordering::SeqCst);
    }

    /// Waits until somebody stands before the gate.
    pub(crate) async fn reached(&self) {
        while !self.reached.load(Ordering::SeqCst) {
            tokio::task::yield_now().await;
        }
    }

    fn pass(&self) {
        self.reached.store(true, Ordering::SeqCst);
        while !self.open.load(Ordering::SeqCst) {
            std::thread::yield_now();
        }
    }
}

#[derive(Debug, Clone, Copy)]
enum Behaviour {
    Hang,
    WaitForGate,
    Panic,
}

#[derive(Debug)]
struct Odd {
    behaviour: Behaviour,
    gate: Gate,
}

impl ConnectorType for Odd {
    fn name(&self) -> &'static str {
        match self.behaviour {
            Behaviour::Hang => "held",
            Behaviour::WaitForGate => "gated",
            Behaviour::Panic => "panicking",
        }
    }

    fn summary(&self) -> &'static str {
        "For tests"
    }

    fn config_schema(&self) -> Value {
        json!({ "type": "object" })
    }

    fn docs(&self) -> &'static str {
        ""
    }

    fn build(&self, _: Value, _: &Environment) -> Result<Box<dyn Source>, FieldErrors> {
        match self.behaviour {
            Behaviour::Hang => {}
            Behaviour::WaitForGate => self.gate.pass(),
            Behaviour::Panic => panic!("a secret that must not be shown"),
        }
        Ok(Box::new(Hanging))
    }
}

#[derive(Debug)]
struct Hanging;

#[async_trait]
impl Source for Hanging {
    fn capabilities(&self) -> Capabilities {
        Capabilities::default()
    }

    async fn check(&self) -> Result<(), SourceError> {
        Ok(())
    }

    async fn discover(&self) -> Result<Vec<StreamSpec>, SourceError> {
        let name = StreamName::new("rows").unwrap();
        let schema = json!({ "type": "object" });
        Ok(vec![StreamSpec {
            name,
            schema,
            primary_key: Vec::new(),
            cursor_field: None,
            estimated_records: None,
        }])
    }

    async fn read(&self, _: ReadRequest, _: Outlet) -> Result<(), SourceError> {
        std::future::pending().await
    }
}
