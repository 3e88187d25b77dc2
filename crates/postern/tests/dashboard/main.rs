//! The dashboard of the real binary, as browsers and those who mean it ill meet it.
#![expect(clippy::unwrap_used, reason = "a test may")]

mod again;
mod asking;
mod audit;
mod authority;
mod browser;
mod entering;
mod log;
mod mails;
mod overview;
mod pages;
mod proving;
mod restored;
mod roles;
mod site;
mod stock;
mod templates;
mod walk;
