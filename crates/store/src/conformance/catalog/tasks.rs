//! Tasks.

use std::sync::Arc;

use super::given::Given;
use crate::catalog::{Catalog, ExpectedVersion, Remains, Task};

async fn queued_tasks(given: &Given, count: usize) -> Vec<Task> {
    let collection = given.stored_collection().await;
    let mut tasks = Vec::new();
    for _ in 0..count {
        let id = given.stored_connector_in(&collection).await.id;
        let now = given.now();
        let task = given
            .catalog
            .connector_delete(
                &collection.space_id,
                &collection.id,
                id,
                ExpectedVersion::Any,
                Remains::Kept,
                now,
            )
            .await;
        tasks.push(task.unwrap().deleted().unwrap().task);
    }
    tasks
}

/// Tasks are listed oldest first, up to the limit.
pub async fn tasks_are_listed_oldest_first_up_to_the_limit(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    assert_eq!(given.catalog.task_list(9).await.unwrap(), []);
    let tasks = queued_tasks(&given, 3).await;
    assert_eq!(given.catalog.task_list(9).await.unwrap(), tasks);
    assert_eq!(given.catalog.task_list(2).await.unwrap(), tasks[..2]);
}

/// A task that is done is forgotten; saying so twice does no harm.
pub async fn a_task_that_is_done_is_forgotten(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let tasks = queued_tasks(&given, 3).await;
    for _ in 0..2 {
        given.catalog.task_done(tasks[1].id).await.unwrap();
        assert_eq!(given.catalog.task_list(9).await.unwrap(), [tasks[0], tasks[2]]);
    }
}

/// The number of a task is never used again, so that "done" said late cannot hit another.
pub async fn the_number_of_a_task_is_never_used_again(catalog: Arc<dyn Catalog>) {
    let given = Given::new(catalog);
    let first = queued_tasks(&given, 1).await[0];
    given.catalog.task_done(first.id).await.unwrap();
    let second = queued_tasks(&given, 1).await[0];
    assert!(second.id > first.id);
    given.catalog.task_done(first.id).await.unwrap();
    assert_eq!(given.catalog.task_list(9).await.unwrap(), [second]);
}
