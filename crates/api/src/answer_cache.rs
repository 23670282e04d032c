//! Answers that stay true until the catalog changes, kept so that asking again costs next to nothing.
//!
//! Consoles and clients ask for the same lists over and over. An answer that follows from the catalog alone is kept under
//! what was asked for, together with the catalog's revision, which is read before the catalog is: so what is kept is
//! never older than its revision, and a change is seen by the first request after it was answered.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard};

use crate::answer::Answer;

/// Bytes of answers, and of what they answer, that are kept together.
const MAX_BYTES: usize = 8 << 20;

/// The answers of one revision of the catalog.
#[derive(Default)]
pub(crate) struct AnswerCache(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    revision: u64,
    answers: HashMap<String, Answer>,
    bytes: usize,
}

impl AnswerCache {
    /// The answer to `asked` at this revision, if it is kept. `None` as revision: the catalog cannot tell.
    pub(crate) fn get(&self, revision: Option<u64>, asked: &str) -> Option<Answer> {
        let kept = self.lock();
        (Some(kept.revision) == revision).then(|| kept.answers.get(asked).cloned()).flatten()
    }

    /// Keeps the answer to `asked`, made of a catalog that was at least at this revision.
    pub(crate) fn keep(&self, revision: Option<u64>, asked: &str, answer: &Answer) {
        let Some(revision) = revision else { return };
        let bytes = asked.len() + answer.bytes();
        let mut kept = self.lock();
        if kept.revision > revision {
            return;
        }
        if kept.revision < revision || kept.bytes + bytes > MAX_BYTES {
            *kept = Kept { revision, ..Kept::default() };
        }
        if bytes <= MAX_BYTES && kept.answers.insert(asked.to_owned(), answer.clone()).is_none() {
            kept.bytes += bytes;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().expect("no holder panics")
    }
}

/// Without the answers: they may be long, and are not the log's business.
impl fmt::Debug for AnswerCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AnswerCache")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(text: &str) -> Answer {
        Answer::ok(&text)
    }

    #[test]
    fn an_answer_is_kept_for_its_revision_only() {
        let cache = AnswerCache::default();
        cache.keep(Some(3), "/a", &answer("three"));
        assert_eq!(cache.get(Some(3), "/a"), Some(answer("three")));
        assert_eq!(cache.get(Some(3), "/b"), None);
        assert_eq!(cache.get(Some(4), "/a"), None, "the catalog has changed since");
        cache.keep(Some(4), "/b", &answer("four"));
        cache.keep(Some(3), "/a", &answer("late"));
        assert_eq!((cache.get(Some(3), "/a"), cache.get(Some(4), "/a")), (None, None));
        assert_eq!(cache.get(Some(4), "/b"), Some(answer("four")));
    }

    #[test]
    fn nothing_is_kept_of_a_catalog_that_cannot_tell_its_revision() {
        let cache = AnswerCache::default();
        cache.keep(None, "/a", &answer("a"));
        assert_eq!((cache.get(None, "/a"), cache.get(Some(0), "/a")), (None, None));
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let cache = AnswerCache::default();
        let long = answer(&"x".repeat(MAX_BYTES / 4));
        for place in 0..100 {
            cache.keep(Some(1), &place.to_string(), &long);
            let kept = cache.lock();
            assert!(kept.bytes <= MAX_BYTES && kept.answers.len() < 4);
        }
        cache.keep(Some(1), "too long", &answer(&"x".repeat(MAX_BYTES)));
        assert_eq!(cache.get(Some(1), "too long"), None);
        assert!(cache.lock().bytes <= MAX_BYTES);
    }
}
