//! Who gets a data directory, and what the others learn.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};

use super::*;

fn held(outcome: Result<DataDir, LockError>) -> Option<Server> {
    match outcome {
        Err(LockError::Held { announced }) => announced,
        other => panic!("the directory should be held: {other:?}"),
    }
}

#[test]
fn a_new_directory_is_made_for_its_owner_only() {
    let parent = tempfile::tempdir().unwrap();
    let path = parent.path().join("some/inlet-data");
    let data_dir = DataDir::lock(&path).unwrap();
    assert_eq!(data_dir.path(), path);
    assert_eq!(data_dir.catalog_path(), path.join("catalog.db"));
    assert!(data_dir.collections_dir().is_dir());
    #[cfg(unix)]
    for (path, mode) in
        [(path.clone(), 0o700), (path.join("inlet.lock"), 0o600), (data_dir.collections_dir(), 0o700)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, mode, "{path:?}");
    }
}

#[test]
fn a_second_locker_is_refused_until_the_first_is_gone() {
    let directory = tempfile::tempdir().unwrap();
    let first = DataDir::lock(directory.path()).unwrap();
    assert_eq!(held(DataDir::lock(directory.path())), None);
    assert_eq!(held(DataDir::lock(directory.path())), None);
    drop(first);
    DataDir::lock(directory.path()).unwrap();
}

#[test]
fn a_second_locker_learns_where_the_server_is() {
    let directory = tempfile::tempdir().unwrap();
    let first = DataDir::lock(directory.path()).unwrap();
    first.announce("http://127.0.0.1:18080", "a much longer token than the next").unwrap();
    first.announce("http://127.0.0.1:8080", "token").unwrap();
    let server = held(DataDir::lock(directory.path())).unwrap();
    let expected = Server {
        pid: std::process::id(),
        address: "http://127.0.0.1:8080".to_owned(),
        token: "token".to_owned(),
    };
    assert_eq!(server, expected);
    let text = fs::read_to_string(directory.path().join("inlet.lock")).unwrap();
    assert_eq!(
        text,
        format!(
            "{{\"pid\":{},\"address\":\"http://127.0.0.1:8080\",\"token\":\"token\"}}\n",
            std::process::id()
        )
    );
}

#[test]
fn an_announcement_ends_with_the_lock() {
    let directory = tempfile::tempdir().unwrap();
    let first = DataDir::lock(directory.path()).unwrap();
    first.announce("http://127.0.0.1:8080", "token").unwrap();
    drop(first);
    assert_eq!(fs::read(directory.path().join("inlet.lock")).unwrap(), b"");
    let second = DataDir::lock(directory.path()).unwrap();
    assert_eq!(held(DataDir::lock(directory.path())), None);
    drop(second);
}

#[test]
fn the_file_of_a_process_that_died_is_no_obstacle_and_is_not_believed() {
    let directory = tempfile::tempdir().unwrap();
    let stale = "{\"pid\":1,\"address\":\"http://127.0.0.1:1\",\"token\":\"stale\"}\n";
    fs::write(directory.path().join("inlet.lock"), stale).unwrap();
    let _owner = DataDir::lock(directory.path()).unwrap();
    assert_eq!(held(DataDir::lock(directory.path())), None);
}

#[test]
fn half_an_announcement_or_none_of_ours_is_not_believed() {
    let directory = tempfile::tempdir().unwrap();
    let _owner = DataDir::lock(directory.path()).unwrap();
    let whole = "{\"pid\":1,\"address\":\"http://127.0.0.1:1\",\"token\":\"t\"}\n";
    let mut texts: Vec<String> = (0..whole.len()).map(|len| whole[..len].to_owned()).collect();
    texts.extend(["{}\n".to_owned(), "null\n".to_owned(), "\n".to_owned(), "x".repeat(100_000)]);
    for text in texts {
        fs::write(directory.path().join("inlet.lock"), &text).unwrap();
        assert_eq!(held(DataDir::lock(directory.path())), None, "{text:?}");
    }
    fs::write(directory.path().join("inlet.lock"), whole).unwrap();
    assert!(held(DataDir::lock(directory.path())).is_some());
}

#[test]
fn a_reader_never_sees_half_an_announcement() {
    let directory = tempfile::tempdir().unwrap();
    let owner = DataDir::lock(directory.path()).unwrap();
    let tokens = ["short".to_owned(), "long".repeat(500)];
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for _ in 0..500 {
                for token in &tokens {
                    owner.announce("http://127.0.0.1:8080", token).unwrap();
                }
            }
            done.store(true, Ordering::Relaxed);
        });
        while !done.load(Ordering::Relaxed) {
            if let Some(server) = held(DataDir::lock(directory.path())) {
                assert!(tokens.contains(&server.token), "{}", server.token);
            }
        }
    });
}

#[test]
fn of_many_lockers_at_once_one_wins() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("inlet-data");
    let winners = std::thread::scope(|scope| {
        let lockers: Vec<_> = (0..16).map(|_| scope.spawn(|| DataDir::lock(&path))).collect();
        let outcomes: Vec<_> = lockers.into_iter().map(|locker| locker.join().unwrap()).collect();
        outcomes.iter().filter(|outcome| outcome.is_ok()).count()
    });
    assert_eq!(winners, 1);
}

#[test]
fn unfit_ground_is_refused_with_a_clear_error() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    fs::write(&file, "").unwrap();
    let error = DataDir::lock(&file).unwrap_err();
    assert_eq!(error.to_string(), format!("{} is not a directory", file.display()));
    let below = file.join("inlet-data");
    let error = DataDir::lock(&below).unwrap_err();
    assert_eq!(error.to_string(), format!("the data directory {} cannot be used", below.display()));
    assert!(std::error::Error::source(&error).is_some());

    let occupied = directory.path().join("occupied");
    fs::create_dir_all(occupied.join("inlet.lock")).unwrap();
    assert!(matches!(DataDir::lock(&occupied), Err(LockError::Unusable { .. })));
}

#[test]
fn a_token_is_not_shown() {
    let server = Server { pid: 7, address: "http://127.0.0.1:8080".to_owned(), token: "secret".to_owned() };
    assert_eq!(format!("{server:?}"), "Server { pid: 7, address: \"http://127.0.0.1:8080\", .. }");
}
