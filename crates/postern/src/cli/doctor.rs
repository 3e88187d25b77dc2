//! `postern doctor`.

use std::io::{IsTerminal as _, Write as _};
use std::net::SocketAddr;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::JoinHandle;
use std::time::Duration;

use super::args::StoreArgs;
use super::exit::{Code, Failure};
use super::{show, store};
use crate::admin::{AdminCommand, AdminReply};
use crate::doctor::Report;

/// Runs every check and tells what was found; fails when something does not work.
pub(super) fn run(
    dns: Option<SocketAddr>,
    strict: bool,
    on: &StoreArgs,
    json: bool,
) -> Result<(), Failure> {
    let waiting = Waiting::shown();
    let answer = store::execute(on, &AdminCommand::Doctor { dns });
    drop(waiting);
    let reply = answer?;
    show::reply(&reply, json)?;
    match &reply {
        AdminReply::Examined(report) => verdict(report, strict),
        _ => Ok(()),
    }
}

fn verdict(report: &Report, strict: bool) -> Result<(), Failure> {
    let well = report.ok && !(strict && report.warnings > 0);
    if well {
        return Ok(());
    }
    let told = format!(
        "{} of {} checks failed, {} warn",
        report.failures,
        report.checks.len(),
        report.warnings
    );
    Err(Failure::new(Code::Unwell, told))
}

/// Every check, one line each.
pub(super) fn lines(report: &Report) -> String {
    let shown = report.checks.iter().map(ToString::to_string);
    shown.fold(String::new(), |all, one| all + &one + "\n")
}

/// A line on the terminal that counts the seconds, gone when it is dropped.
struct Waiting {
    ticking: Option<(Sender<()>, JoinHandle<()>)>,
}

impl Waiting {
    fn shown() -> Self {
        let ticking = std::io::stderr().is_terminal().then(|| {
            let (stop, stopped) = mpsc::channel();
            let ticking = std::thread::spawn(move || {
                for seconds in 0.. {
                    eprint!("\rlooking at DNS, providers, store, keys … {seconds} s ");
                    let _ = std::io::stderr().flush();
                    if stopped.recv_timeout(Duration::from_secs(1))
                        != Err(RecvTimeoutError::Timeout)
                    {
                        eprint!("\r{:60}\r", "");
                        return;
                    }
                }
            });
            (stop, ticking)
        });
        Self { ticking }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if let Some((stop, ticking)) = self.ticking.take() {
            drop(stop);
            let _ = ticking.join();
        }
    }
}
