//! Forwarding a trait of the stores through the [node](super::node) whose stores they are.

/// Implements a trait by methods that go to `inner`, each by way of the node, and by what stands behind `also` as it is.
macro_rules! forward {
    ($trait:ident for $type:ident {
        $( $name:ident( $($argument:ident: $kind:ty),* ) -> $answer:ty; )*
    } also { $($also:tt)* }) => {
        #[async_trait::async_trait]
        impl $trait for $type {
            $(
                async fn $name(&self, $($argument: $kind),*) -> inlet_store::StoreResult<$answer> {
                    self.node.call(stringify!($name), self.inner.$name($($argument),*)).await
                }
            )*
            $($also)*
        }
    };
}

pub(crate) use forward;
