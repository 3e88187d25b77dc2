//! The dashboard of the real binary, as browsers and those who mean it ill meet it.
#![expect(clippy::unwrap_used, reason = "a test may")]

mod audit;
mod browser;
mod entering;
mod mails;
mod pages;
mod proving;
mod roles;
mod site;
mod stock;
mod templates;
mod walk;
