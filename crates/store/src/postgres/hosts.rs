//! The hosts of an address, each to be tried by itself.
//!
//! The driver tries them one after the other as well, but a host that takes a connection and then says nothing would use up the time of
//! all, and one that is gone would cost each new connection its share again.

use tokio_postgres::Config;
use tokio_postgres::config::{Host, LoadBalanceHosts};

/// The same for each host alone, in their order. It stays as it is where the driver is to choose, or to complain.
pub(super) fn one_by_one(config: Config) -> Vec<Config> {
    let (names, addresses, ports) = (config.get_hosts(), config.get_hostaddrs(), config.get_ports());
    let count = names.len().max(addresses.len());
    let fits = |len: usize| len == 0 || len == count;
    let is_understood =
        fits(names.len()) && fits(addresses.len()) && (ports.len() <= 1 || ports.len() == count);
    if count <= 1 || !is_understood || config.get_load_balance_hosts() == LoadBalanceHosts::Random {
        return vec![config];
    }
    (0..count).map(|at| alone(&config, at)).collect()
}

fn alone(config: &Config, at: usize) -> Config {
    let mut one = without_hosts(config);
    match config.get_hosts().get(at) {
        Some(Host::Tcp(name)) => _ = one.host(name),
        Some(Host::Unix(path)) => _ = one.host_path(path),
        None => {}
    }
    if let Some(address) = config.get_hostaddrs().get(at) {
        one.hostaddr(*address);
    }
    if let Some(port) = config.get_ports().get(at).or(config.get_ports().first()) {
        one.port(*port);
    }
    one
}

/// What a person may have said but for the hosts; the driver cannot forget these.
fn without_hosts(config: &Config) -> Config {
    let mut bare = Config::new();
    config.get_user().map(|user| bare.user(user));
    config.get_password().map(|password| bare.password(password));
    config.get_dbname().map(|name| bare.dbname(name));
    config.get_options().map(|options| bare.options(options));
    config.get_application_name().map(|name| bare.application_name(name));
    bare.ssl_negotiation(config.get_ssl_negotiation())
        .keepalives(config.get_keepalives())
        .target_session_attrs(config.get_target_session_attrs())
        .channel_binding(config.get_channel_binding());
    bare
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(whole: &str, each: &[&str]) {
        let parsed = |text: &str| text.parse::<Config>().unwrap();
        let each: Vec<Config> = each.iter().map(|one| parsed(one)).collect();
        assert_eq!(one_by_one(parsed(whole)), each, "{whole}");
    }

    #[test]
    fn each_host_keeps_what_was_said_of_all() {
        let said = "user=u password=p dbname=d options='-c a=b' target_session_attrs=read-write channel_binding=disable";
        let each = ["a port=1", "b port=2", "/c port=3"].map(|host| format!("host={host} {said}"));
        check(&format!("host=a,b,/c port=1,2,3 {said}"), &each.each_ref().map(String::as_str));
        check("host=a,b port=7", &["host=a port=7", "host=b port=7"]);
        check(
            "host=a,b hostaddr=10.0.0.1,10.0.0.2",
            &["host=a hostaddr=10.0.0.1", "host=b hostaddr=10.0.0.2"],
        );
    }

    #[test]
    fn what_the_driver_is_to_decide_stays() {
        for whole in ["", "host=a", "host=a,b port=1,2,3", "host=a,b load_balance_hosts=random"] {
            check(whole, &[whole]);
        }
    }
}
