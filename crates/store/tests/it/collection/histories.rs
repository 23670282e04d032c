//! Any history, compared with a simple model. One that fails is made as short as it can be.

use inlet_store::conformance::collection::Given;
use inlet_store::conformance::collection::model::{STEP_LEN, Step, follow};
use proptest::collection::vec;
use proptest::prelude::{ProptestConfig, any, proptest};

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, max_shrink_iters: 400, ..ProptestConfig::default() })]

    #[test]
    fn any_history_agrees_with_a_simple_model(bytes in vec(any::<[u8; STEP_LEN]>(), 1..40)) {
        let steps: Vec<Step> = bytes.iter().map(|bytes| Step::from_bytes(bytes)).collect();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
        runtime.block_on(async {
            follow(Given::new(super::fresh()).await, &steps, "history").await;
            follow(Given::new(super::logging()).await, &steps, "history through the key log").await;
        });
    }
}
