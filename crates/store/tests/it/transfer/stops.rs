//! A move that is stopped goes on where it was.

use inlet_store::transfer::TransferError;

use super::servers::Databases;
use super::{SMALL, down_to, scene, up_to};

/// After how many more pages it is stopped each time: that is anywhere, within tables and between them.
const PAGES: [usize; 4] = [1, 7, 2, 31];

/// Stops a move again and again until it is done; how often it was stopped.
async fn again_and_again<F>(mut once: impl FnMut(usize) -> F) -> usize
where
    F: Future<Output = Result<inlet_store::transfer::TransferReport, TransferError>>,
{
    for (stops, pages) in PAGES.into_iter().cycle().enumerate() {
        match once(pages).await {
            Ok(_) => return stops,
            // In the end what is compared is no longer than a try.
            Err(TransferError::Stopped) if stops < 80 => {}
            Err(TransferError::Stopped) => {
                once(usize::MAX).await.unwrap();
                return stops;
            }
            Err(error) => panic!("{error}"),
        }
    }
    unreachable!("it goes round for ever")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_is_stopped_again_and_again_neither_loses_nor_doubles_a_row() {
    let (databases, folder) = (Databases::start(), tempfile::tempdir().unwrap());
    let (first, url, back) =
        (folder.path().join("first"), databases.empty().await, folder.path().join("back"));
    scene::write(&first).await;
    assert!(again_and_again(|pages| up_to(&first, &url, SMALL, pages)).await > 10);
    assert!(again_and_again(|pages| down_to(&url, &back, SMALL, pages)).await > 10);
    scene::assert_same(&scene::everything(&back), &scene::everything(&first));
}
