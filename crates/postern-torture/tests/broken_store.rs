//! The checker is put before stores that break one promise each, in whole runs: it must say which.

use std::collections::BTreeSet;
use std::os::unix::fs::symlink;
use std::process::Command;

const TORTURE: &str = env!("CARGO_BIN_EXE_postern-torture");

const EXISTS: &str = "every acknowledged send exists afterwards";
const MAILED: &str = "the mail of every acknowledged send was sent";
const ONCE: &str = "every auth request was accepted at most once";
const IN_TIME: &str = "none was accepted after its end";
const REPLACED: &str = "none was accepted by a code that a resend had replaced";
const DEAD: &str = "none was accepted after its fifth wrong code";
const FIVE: &str = "no request counted more than five wrong codes";
const BUDGETS: &str = "no address counted more wrong codes than its budget";
const QUOTAS: &str = "no address got more mails than its quota";
const SILENT: &str = "no mail was sent after its credential was spent";
const REPEATS: &str = "a mail was repeated only where its answer was lost";
const AGREE: &str = "the events of every request agree with what its clients saw";
const NOT_DONE: &str = "what was told to be not done was not done";
const CLASSES: &str = "no unexpected class of error";

/// The beginnings of the promises that a run with these arguments found broken.
fn found(arguments: &[&str]) -> BTreeSet<String> {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let postern = folder.path().join("postern");
    symlink(TORTURE, &postern).expect("the folder is ours");
    let mut torture = Command::new(TORTURE);
    torture.args(["run", "--engine=sqlite", "--minutes=0.06", "--binary"]);
    let output = torture
        .arg(&postern)
        .args(arguments)
        .output()
        .expect("it starts");
    let told = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(told.contains("kept"), "no verdict:\n{told}{errors}");
    let broken = told
        .lines()
        .filter_map(|line| line.strip_prefix("BROKEN  "));
    let broken: BTreeSet<_> = broken
        .filter_map(|line| line.split([',', '(']).next())
        .map(|promise| promise.trim().to_owned())
        .collect();
    assert_eq!(output.status.success(), broken.is_empty(), "{told}");
    broken
}

fn breaks(what: &str, promises: &[&str]) {
    let expected = promises.iter().map(|promise| (*promise).to_owned());
    let found = found(&[&format!("--breaks={what}")]);
    let expected: BTreeSet<_> = expected.collect();
    assert_eq!(found, expected);
}

#[test]
fn a_whole_store_breaks_nothing() {
    assert_eq!(found(&["--in-peace"]), BTreeSet::new());
}

#[test]
fn a_store_that_forgets_a_consume_is_found_out() {
    breaks("forget-consume", &[ONCE, AGREE]);
}

#[test]
fn a_store_that_loses_a_send_is_found_out() {
    // What counts against the quota is lost with it.
    breaks("lose-send", &[EXISTS, QUOTAS]);
}

#[test]
fn a_store_that_accepts_what_has_expired_is_found_out() {
    // The run waits a minute for that, in which nobody does anything else.
    breaks("accept-expired", &[IN_TIME]);
}

#[test]
fn a_store_that_accepts_the_right_code_after_the_fifth_wrong_one_is_found_out() {
    // It is used and was locked.
    breaks("accept-dead", &[DEAD, AGREE]);
}

#[test]
fn a_store_that_accepts_a_replaced_code_is_found_out() {
    breaks("accept-superseded", &[REPLACED]);
}

#[test]
fn a_store_that_skips_a_count_is_found_out() {
    breaks("skip-count", &[DEAD, FIVE, BUDGETS, AGREE]);
}

#[test]
fn a_store_that_skips_a_quota_is_found_out() {
    breaks("skip-quota", &[QUOTAS]);
}

#[test]
fn a_store_that_skips_a_budget_is_found_out() {
    breaks("skip-budget", &[BUDGETS]);
}

#[test]
fn a_store_that_loses_a_mail_is_found_out() {
    breaks("lose-mail", &[MAILED]);
}

#[test]
fn a_store_that_repeats_a_mail_is_found_out() {
    breaks("repeat-mail", &[REPEATS]);
}

#[test]
fn a_store_that_hides_from_the_outbox_what_is_spent_is_found_out() {
    breaks("mail-spent", &[SILENT]);
}

#[test]
fn a_store_that_loses_an_event_is_found_out() {
    breaks("lose-event", &[AGREE]);
}

#[test]
fn a_store_that_denies_a_send_that_it_keeps_is_found_out() {
    // Nothing is broken that would explain such an answer.
    breaks("deny-send", &[NOT_DONE, CLASSES]);
}
