//! Precedence, refusals and their words.

use std::path::Path;

use super::*;

const GOOD: &str = r#"
[server]
public_url = "https://auth.example.com"
[data]
root_keys_file = "/etc/postern/root.keys"
"#;

fn layers(file: &str, environment: &[(&str, &str)]) -> Layers {
    let mut layers = Layers::defaults();
    layers
        .text(file, Path::new("postern.toml"))
        .expect("the file of this test is TOML");
    layers.environment(
        environment
            .iter()
            .map(|(name, text)| ((*name).to_owned(), (*text).to_owned())),
    );
    layers
}

fn refusal(file: &str) -> String {
    refusal_with(file, &[])
}

fn refusal_with(file: &str, environment: &[(&str, &str)]) -> String {
    Config::read(&layers(file, environment), Mode::Serve)
        .expect_err("this configuration is refused")
        .to_string()
}

#[test]
fn the_defaults_are_complete_and_name_no_key_that_nothing_reads() {
    let config = Config::read(&Layers::defaults(), Mode::Dev).expect("the defaults make sense");
    assert_eq!(config.server.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(config.data.page_cache, 16 << 20);
    assert_eq!(config.outbox.concurrency, 8);
    assert!(config.metrics.is_none() && config.tls.is_none());
}

#[test]
fn the_file_overrides_the_defaults_the_environment_the_file_and_a_flag_all() {
    let file = format!(
        "{GOOD}[outbox]\nconcurrency = 3\n[log]\nfilter = \"warn\"\n[limits]\nconnections = 5"
    );
    let mut layers = layers(
        &file,
        &[
            ("POSTERN_LOG_FILTER", "debug"),
            ("POSTERN_LIMITS_CONNECTIONS", "6"),
        ],
    );
    layers.put_text("limits.connections", "7", Origin::Flag("--set"));
    let config = Config::read(&layers, Mode::Serve).expect("it makes sense");
    assert_eq!(config.outbox.concurrency, 3);
    assert_eq!(config.log.filter, "debug");
    assert_eq!(config.limits.connections, 7);
}

#[test]
fn every_key_has_its_environment_variable() {
    for (key, value, _) in Layers::defaults().iter() {
        let variable = format!("POSTERN_{}", key.replace('.', "_").to_uppercase());
        let text = value
            .as_str()
            .map_or_else(|| value.to_string(), ToOwned::to_owned);
        let layers = layers("", &[(&variable, &text)]);
        assert_eq!(layers.origin(key), Origin::Environment(variable));
        assert_eq!(layers.problems(), [""; 0]);
    }
}

#[test]
fn an_unknown_key_is_refused_with_its_line_and_the_nearest_one() {
    assert_eq!(
        refusal(&GOOD.replace("[data]", "publik_url = \"x\"\n[data]")),
        "server.publik_url (postern.toml:4) is not a known key: did you mean server.public_url?"
    );
    assert_eq!(
        refusal("[fancy]\nthings = 1"),
        "fancy.things (postern.toml:2) is not a known key: `postern config print` lists every key"
    );
    assert_eq!(
        refusal_with(GOOD, &[("POSTERN_SERVER_LISTEM", "x")]),
        "POSTERN_SERVER_LISTEM (environment) is not a known key: did you mean POSTERN_SERVER_LISTEN?"
    );
}

#[test]
fn what_kubernetes_injects_for_a_service_named_postern_is_let_be() {
    let injected = [
        ("POSTERN_SERVICE_HOST", "10.0.0.1"),
        ("POSTERN_PORT", "tcp://10.0.0.1:80"),
        ("POSTERN_PORT_80_TCP_ADDR", "10.0.0.1"),
        ("POSTERN_WEB_SERVICE_PORT_HTTP", "80"),
    ];
    Config::read(&layers(GOOD, &injected), Mode::Serve).expect("it starts");
}

#[test]
fn a_value_of_another_type_is_refused() {
    assert_eq!(
        refusal("[limits]\nconnections = \"many\""),
        "limits.connections (postern.toml:2) must be a whole number"
    );
    assert_eq!(
        refusal_with(GOOD, &[("POSTERN_SERVER_TLS_TERMINATED_BY_PROXY", "yes")]),
        "server.tls_terminated_by_proxy (POSTERN_SERVER_TLS_TERMINATED_BY_PROXY) must be true or false"
    );
}

#[test]
fn a_duration_without_a_unit_is_refused() {
    let file = GOOD.replace("[data]", "drain = \"5\"\n[data]");
    assert_eq!(
        refusal(&file),
        "server.drain (postern.toml:4): \"5\" is not a duration: write a number with a unit, such as \"300s\", \"5 min\" or \"24h\""
    );
}

#[test]
fn serve_refuses_a_missing_public_url_and_missing_root_keys_together() {
    assert_eq!(
        refusal(""),
        "the configuration is refused:\
         \n  - server.public_url is missing: write the origin that applications use, such as public_url = \"https://auth.example.com\", under [server]\
         \n  - data.root_keys_file is missing: write root_keys_file = \"/etc/postern/root.keys\" under [data] and make the file with `postern keys root add --config FILE`"
    );
}

#[test]
fn serve_refuses_plain_http_on_a_public_address_unless_a_proxy_is_stated() {
    let open = GOOD.replace("[data]", "listen = \"0.0.0.0:80\"\n[data]");
    assert_eq!(
        refusal(&open),
        "server.listen 0.0.0.0:80 is not loopback and would serve plain HTTP: write certificate_file and key_file under [tls], \
         or, when a proxy in front terminates TLS, tls_terminated_by_proxy = true under [server]"
    );
    let stated = open.replace("[data]", "tls_terminated_by_proxy = true\n[data]");
    Config::read(&layers(&stated, &[]), Mode::Serve).expect("a stated proxy is enough");
    let with_tls = format!("{open}[tls]\ncertificate_file = \"c.pem\"\nkey_file = \"k.pem\"");
    Config::read(&layers(&with_tls, &[]), Mode::Serve).expect("TLS is enough");
}

#[test]
fn serve_refuses_the_development_inbox() {
    assert_eq!(
        refusal(&format!("{GOOD}[outbox]\ntransport = \"inbox\"")),
        "outbox.transport = \"inbox\" belongs to `postern dev`: in production every mail would be readable by anybody \
         on this machine; write transport = \"smtp\" under [outbox]"
    );
}

#[test]
fn serve_refuses_half_of_a_certificate_and_a_plain_public_url() {
    assert_eq!(
        refusal(&format!("{GOOD}[tls]\nkey_file = \"k.pem\"")),
        "tls.key_file is set without tls.certificate_file: write both under [tls]"
    );
    assert_eq!(
        refusal(&GOOD.replace("https://", "http://")),
        "server.public_url (postern.toml:3): \"http://auth.example.com\" is plain HTTP: links and tokens need https"
    );
}

#[test]
fn settings_in_the_file_are_refused_with_the_command_that_sets_them() {
    assert_eq!(
        refusal(&format!("{GOOD}[settings]\ncode_length = 8")),
        "[settings] (postern.toml:6) is not configuration: remove it and use `postern settings set KEY=VALUE`"
    );
}

#[test]
fn a_file_that_is_not_toml_is_refused_with_the_place() {
    let error = Layers::defaults()
        .text("[server\n", Path::new("postern.toml"))
        .expect_err("not TOML")
        .to_string();
    assert!(
        error.starts_with("postern.toml:1 is not valid TOML: "),
        "{error}"
    );
}

#[test]
fn a_line_that_does_not_parse_is_not_repeated_because_it_may_hold_a_password() {
    let file = "[data]\ndatabase_url = \"postgres://postern:hunter2@db/postern\n";
    let error = Layers::defaults()
        .text(file, Path::new("postern.toml"))
        .expect_err("not TOML")
        .to_string();
    assert!(
        error.starts_with("postern.toml:2 is not valid TOML: ") && !error.contains("hunter2"),
        "{error}"
    );
}

#[test]
fn numbers_out_of_range_are_refused() {
    assert_eq!(
        refusal(&format!("{GOOD}[outbox]\nconcurrency = -1")),
        "outbox.concurrency (postern.toml:7): -1 is out of range: write 0 to 1000"
    );
}

#[test]
fn every_core_serves_requests_but_for_the_one_of_the_embedded_stores_writer() {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let workers = |file: &str| {
        let read = Config::read(&layers(file, &[]), Mode::Serve).expect("it makes sense");
        read.server.workers.get()
    };
    let shared = "database_url = \"postgres://postern@127.0.0.1/postern?sslmode=disable\"";
    assert_eq!(workers(&format!("{GOOD}{shared}")), cores);
    assert_eq!(workers(GOOD), (cores - 1).max(1));
    assert_eq!(workers(&GOOD.replace("[data]", "workers = 7\n[data]")), 7);
}
