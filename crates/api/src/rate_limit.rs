//! How many requests a caller may make: a token bucket each, told in the headers `RateLimit-Policy` and `RateLimit`.
//!
//! Specification: <https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/> (draft 10). A bucket is one number,
//! the moment at which it will be full again; so one that is full is the same as none, and is forgotten.

use std::collections::HashMap;
use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::Mutex;

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use inlet_model::{ConnectorId, KeyId, Timestamp};
use inlet_store::catalog::Actor;

use crate::codes::Code;
use crate::problem::Problem;

const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// The most callers that are told apart. If more have made requests of late, those that come new share one bucket.
const CALLERS: usize = 4096;

const NANOS: i128 = 1_000_000_000;

/// How many requests a caller may make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimit {
    /// In the long run, each second.
    pub per_second: NonZeroU32,
    /// At once, after a pause.
    pub burst: NonZeroU32,
}

impl RateLimit {
    /// So many each second, and ten times as many at once.
    #[must_use]
    pub const fn per_second(per_second: NonZeroU32) -> Self {
        Self { per_second, burst: per_second.saturating_mul(NonZeroU32::new(10).expect("ten is not zero")) }
    }

    /// Between two requests in the long run.
    fn interval(self) -> i128 {
        NANOS / i128::from(self.per_second.get())
    }

    /// Until an empty bucket is full.
    fn window(self) -> i128 {
        self.interval() * i128::from(self.burst.get())
    }
}

impl Default for RateLimit {
    fn default() -> Self {
        Self::per_second(NonZeroU32::new(100).expect("a hundred is not zero"))
    }
}

/// Whose requests are counted together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Limited {
    /// Those with this key, whatever its secret.
    Key(KeyId),
    /// Those with the key of the environment.
    Environment,
    /// Those without a good key from this address; of version 6, from this network.
    Address(IpAddr),
    /// Messages that a secret of this connector has signed.
    Hook(ConnectorId),
    /// All others.
    Others,
}

impl Limited {
    /// `None`: as many as they like. A command on this machine, or whoever reaches a server without keys on its own machine, could
    /// do it more harm otherwise.
    pub(crate) fn of(actor: &Actor) -> Option<Self> {
        match actor {
            Actor::Key(id) => Some(Self::Key(*id)),
            Actor::Environment => Some(Self::Environment),
            Actor::Local | Actor::Anybody => None,
        }
    }

    /// Somebody at this address.
    pub(crate) fn address(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V6(address) => {
                let network = address.to_bits() & (u128::MAX << 64);
                Self::Address(Ipv6Addr::from_bits(network).into())
            }
            address => Self::Address(address),
        }
    }
}

/// The buckets of the callers.
pub(crate) struct Rates {
    limit: Option<RateLimit>,
    /// When each will be full again, in nanoseconds since 1970.
    full_at: Mutex<HashMap<Limited, i128>>,
}

impl fmt::Debug for Rates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rates").field("limit", &self.limit).finish_non_exhaustive()
    }
}

impl Rates {
    pub(crate) fn new(limit: Option<RateLimit>) -> Self {
        Self { limit, full_at: Mutex::default() }
    }

    /// Takes a token for a request, if there is one.
    pub(crate) fn take(&self, caller: Option<Limited>, now: Timestamp) -> Turn {
        let (Some(limit), Some(caller)) = (self.limit, caller) else { return Turn::Unlimited };
        let now = i128::from(now.as_micros()) * 1_000;
        let mut buckets = self.full_at.lock().expect("no holder panics");
        let caller = room(&mut buckets, caller, now);
        let full_at = buckets.entry(caller).or_insert(now);
        // Neither in the past nor, should the clock have been set back, further away than an empty bucket is.
        let before = (*full_at).clamp(now, now + limit.window());
        let after = before + limit.interval();
        let missing = after - now;
        if missing > limit.window() {
            *full_at = before;
            return Turn::Refused { limit, retry_in: missing - limit.window(), full_in: before - now };
        }
        *full_at = after;
        let remaining = (limit.window() - missing) / limit.interval();
        Turn::Granted { limit, remaining, full_in: missing }
    }
}

/// The bucket for the caller. If there are too many, those that are full go, and if none is, it is the one for all others.
fn room(buckets: &mut HashMap<Limited, i128>, caller: Limited, now: i128) -> Limited {
    if buckets.len() < CALLERS || buckets.contains_key(&caller) {
        return caller;
    }
    buckets.retain(|_, full_at| *full_at > now);
    if buckets.len() < CALLERS { caller } else { Limited::Others }
}

/// What came of asking for a token. Times are in nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turn {
    /// Nobody counts.
    Unlimited,
    /// There was one.
    Granted { limit: RateLimit, remaining: i128, full_in: i128 },
    /// There was none.
    Refused { limit: RateLimit, retry_in: i128, full_in: i128 },
}

impl Turn {
    /// The answer, if there was none.
    pub(crate) fn refusal(&self) -> Option<Problem> {
        let Self::Refused { limit, retry_in, .. } = *self else { return None };
        let seconds = seconds(retry_in).max(1);
        let detail = format!(
            "You make more than {} requests a second. Try again in {seconds} s; the header `RateLimit` says how many you have left.",
            limit.per_second
        );
        let mut problem = Problem::new(Code::RateLimited, detail).header(header::RETRY_AFTER, seconds.into());
        for (name, value) in self.headers() {
            problem = problem.header(name, value);
        }
        Some(problem)
    }

    /// Says in an answer how many are left.
    pub(crate) fn tell(&self, headers: &mut HeaderMap) {
        headers.extend(self.headers());
    }

    fn headers(&self) -> Vec<(HeaderName, HeaderValue)> {
        let (limit, remaining, full_in) = match *self {
            Self::Unlimited => return Vec::new(),
            Self::Granted { limit, remaining, full_in } => (limit, remaining, full_in),
            Self::Refused { limit, full_in, .. } => (limit, 0, full_in),
        };
        let value = |text: String| HeaderValue::try_from(text).expect("it is visible ASCII");
        let policy = format!("\"default\";q={};w={}", limit.burst, seconds(limit.window()).max(1));
        let standing = format!("\"default\";r={remaining};t={}", seconds(full_in));
        vec![(RATE_LIMIT_POLICY, value(policy)), (RATE_LIMIT, value(standing))]
    }
}

/// In whole seconds, none too few.
fn seconds(nanos: i128) -> u32 {
    u32::try_from((nanos + NANOS - 1) / NANOS).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LIMIT: RateLimit =
        RateLimit { per_second: NonZeroU32::new(10).unwrap(), burst: NonZeroU32::new(20).unwrap() };

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(1_800_000_000_000 + millis)
    }

    fn granted(rates: &Rates, caller: Limited, now: Timestamp) -> bool {
        rates.take(Some(caller), now).refusal().is_none()
    }

    #[test]
    fn a_burst_is_granted_and_then_so_many_a_second() {
        let rates = Rates::new(Some(LIMIT));
        let burst = (0..100).filter(|_| granted(&rates, Limited::Environment, at(0))).count();
        assert_eq!(burst, 20);
        let granted = (1..=1_000).filter(|tick| granted(&rates, Limited::Environment, at(10 * tick))).count();
        assert_eq!(granted, 100, "in ten seconds");
    }

    #[test]
    fn each_caller_has_a_bucket_and_commands_of_the_machine_have_none() {
        let rates = Rates::new(Some(LIMIT));
        let key = |id: u128| Limited::of(&Actor::Key(KeyId::from_u128(id))).unwrap();
        while granted(&rates, key(1), at(0)) {}
        assert!(granted(&rates, key(2), at(0)));
        for actor in [Actor::Local, Actor::Anybody] {
            assert_eq!(rates.take(Limited::of(&actor), at(0)), Turn::Unlimited);
        }
        assert_eq!(Rates::new(None).take(Some(key(1)), at(0)), Turn::Unlimited);
    }

    #[test]
    fn addresses_of_one_network_are_one_caller() {
        let of = |text: &str| Limited::address(text.parse().unwrap());
        assert_eq!(of("2001:db8::1"), of("2001:db8::ffff:1"));
        assert_ne!(of("2001:db8::1"), of("2001:db8:0:1::1"));
        assert_ne!(of("192.0.2.1"), of("192.0.2.2"));
        assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
    }

    #[test]
    fn the_headers_say_what_is_left() {
        let rates = Rates::new(Some(LIMIT));
        let mut headers = HeaderMap::new();
        rates.take(Some(Limited::Others), at(0)).tell(&mut headers);
        assert_eq!(headers[RATE_LIMIT_POLICY], "\"default\";q=20;w=2");
        assert_eq!(headers[RATE_LIMIT], "\"default\";r=19;t=1");
        while granted(&rates, Limited::Others, at(0)) {}
        let refusal = rates.take(Some(Limited::Others), at(0)).refusal().unwrap().render("req");
        assert_eq!(refusal.headers()[RATE_LIMIT], "\"default\";r=0;t=2");
        assert_eq!(refusal.headers()[header::RETRY_AFTER], "1");
    }

    #[test]
    fn a_clock_that_was_set_back_locks_nobody_out() {
        let rates = Rates::new(Some(LIMIT));
        while granted(&rates, Limited::Others, at(3_600_000)) {}
        assert!(!granted(&rates, Limited::Others, at(0)));
        assert!(granted(&rates, Limited::Others, at(100)));
    }

    #[test]
    fn the_table_is_bounded_and_those_beyond_share_a_bucket() {
        let rates = Rates::new(Some(LIMIT));
        let address = |number: u32| Limited::address(IpAddr::from(number.to_be_bytes()));
        for number in 0..3 * CALLERS as u32 {
            granted(&rates, address(number), at(0));
        }
        assert!(rates.full_at.lock().unwrap().len() <= CALLERS + 1);
        assert!(!granted(&rates, address(u32::MAX), at(0)));
        assert!(granted(&rates, address(u32::MAX), at(10_000)), "the others have long been full");
        assert!(rates.full_at.lock().unwrap().len() < 10);
    }

    proptest! {
        #[test]
        fn no_span_of_time_has_more_than_burst_and_rate_allow(gaps in prop::collection::vec(0i64..300, 1..200)) {
            let rates = Rates::new(Some(LIMIT));
            let (mut now, mut granted_at) = (0, Vec::new());
            for gap in gaps {
                now += gap;
                if granted(&rates, Limited::Others, at(now)) {
                    granted_at.push(now);
                }
            }
            for (first, begin) in granted_at.iter().enumerate() {
                for (last, end) in granted_at.iter().enumerate().skip(first) {
                    let allowed = 20 + (end - begin) / 100;
                    prop_assert!((last - first + 1) as i64 <= allowed + 1);
                }
            }
        }
    }
}
