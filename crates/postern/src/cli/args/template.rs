//! Commands on mail templates.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::StoreArgs;
use crate::admin::WantedVersion;
use crate::mail::Part;

/// `postern template …`
///
/// A template is one of signin_otp, signin_link, signin_link_otp, signup_otp, signup_link,
/// signup_link_otp.
#[derive(Debug, Subcommand)]
#[command(
    after_help = "Examples:\n  postern template edit signin_otp --config postern.toml\n  postern template set signin_otp --language de --html otp.mjml --subject '{{ otp }} ist Ihr Code'\n  postern template lint signin_otp --from ./mails\n  postern template preview signin_otp --language ja --out otp.html\n  postern template revert signin_otp\n\nThe language of templates and the rules of lint: docs/templates.md"
)]
pub(crate) enum TemplateCommand {
    /// Show every kind of mail, and what is in force of it.
    #[command(after_help = "Example:\n  postern template list --config postern.toml")]
    List {
        #[command(flatten)]
        store: StoreArgs,
    },
    /// Print a template.
    #[command(after_help = "Example:\n  postern template show signin_otp --config postern.toml")]
    Show {
        #[command(flatten)]
        which: Which,
        /// Which version: in-force, draft (what is in force, where there is none), newest, built-in or a number.
        #[arg(long, default_value = "in-force", value_parser = version)]
        version: WantedVersion,
        /// Print one part only, as it is: subject, text or html.
        #[arg(long, value_parser = part)]
        part: Option<Part>,
        #[command(flatten)]
        store: StoreArgs,
    },
    /// Show the versions of a template, newest first.
    #[command(after_help = "Example:\n  postern template history signin_otp --config postern.toml")]
    History {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        store: StoreArgs,
    },
    /// Open a template in $VISUAL or $EDITOR, as three files: subject, text, and MJML or HTML. What passes lint comes
    /// into force.
    #[command(after_help = "Example:\n  postern template edit signin_otp --config postern.toml")]
    Edit {
        #[command(flatten)]
        which: Which,
        /// What to begin with: draft (what is in force, where there is none), in-force, newest, built-in or a number.
        #[arg(long, default_value = "draft", value_parser = version)]
        version: WantedVersion,
        /// Keep the version as a draft.
        #[arg(long)]
        draft: bool,
        #[command(flatten)]
        store: StoreArgs,
    },
    /// Save a version from files; what passes lint comes into force. A part that is not given stays as it is in force.
    #[command(
        after_help = "Example:\n  postern template set signin_otp --from ./mails --config postern.toml"
    )]
    Set {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        files: Files,
        /// Whose the parts are that are not given: in-force, draft (what is in force, where there is none), newest,
        /// built-in or a number.
        #[arg(long, default_value = "in-force", value_parser = version)]
        version: WantedVersion,
        /// Keep the version as a draft.
        #[arg(long)]
        draft: bool,
        /// What was done, for the history.
        #[arg(long, default_value = "set from files")]
        note: String,
        #[command(flatten)]
        store: StoreArgs,
    },
    /// Write a template into files that `set` and `lint` take with --from.
    #[command(
        after_help = "Example:\n  postern template export signin_otp --to ./mails --config postern.toml"
    )]
    Export {
        #[command(flatten)]
        which: Which,
        /// Which version: in-force, draft (what is in force, where there is none), newest, built-in or a number.
        #[arg(long, default_value = "in-force", value_parser = version)]
        version: WantedVersion,
        /// The directory; made when missing.
        #[arg(long, value_name = "DIR")]
        to: PathBuf,
        #[command(flatten)]
        store: StoreArgs,
    },
    /// Carry a template over that was written for Scalekit (JET), and say what could not be.
    #[command(
        after_help = "Example:\n  postern template import signin_otp --subject '{{app_name}}: Your verification code is {{otp}}' \\\n    --html login.html --text login.txt --check"
    )]
    Import {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        files: Files,
        /// Say what would become of it, and print the result; save nothing.
        #[arg(long)]
        check: bool,
        /// Keep it as a draft, also when something could not be carried.
        #[arg(long)]
        draft: bool,
        #[command(flatten)]
        store: StoreArgs,
    },
    /// Say what is wrong with a template: with a version, or with files, which needs no store.
    #[command(
        after_help = "Example:\n  postern template lint signin_otp --from ./mails --config postern.toml"
    )]
    Lint {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        files: Files,
        /// Which version: draft (what is in force, where there is none), in-force, newest, built-in or a number.
        #[arg(long, default_value = "draft", value_parser = version)]
        version: WantedVersion,
        #[command(flatten)]
        store: StoreArgs,
    },
    /// Fill a template with samples: onto the terminal, into a file or the development inbox.
    #[command(
        after_help = "Example:\n  postern template preview signin_otp --inbox --config postern.toml"
    )]
    Preview {
        #[command(flatten)]
        which: Which,
        /// Which version: draft (what is in force, where there is none), in-force, newest, built-in or a number.
        #[arg(long, default_value = "draft", value_parser = version)]
        version: WantedVersion,
        /// The file; .html, .txt or .eml says what is written.
        #[arg(long, value_name = "FILE", conflicts_with = "inbox")]
        out: Option<PathBuf>,
        /// Put it into the development inbox.
        #[arg(long)]
        inbox: bool,
        /// A variable that the app would supply.
        #[arg(long = "var", value_name = "NAME=VALUE")]
        vars: Vec<String>,
        #[command(flatten)]
        store: StoreArgs,
    },
    /// Put a version in force, or the built-in template.
    #[command(after_help = "Example:\n  postern template use signin_otp 3 --config postern.toml")]
    Use {
        #[command(flatten)]
        which: Which,
        /// A number, or built-in.
        #[arg(value_parser = version)]
        version: WantedVersion,
        #[command(flatten)]
        store: StoreArgs,
    },
    /// Bring back what was in force before; once more undoes that.
    #[command(after_help = "Example:\n  postern template revert signin_otp --config postern.toml")]
    Revert {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        store: StoreArgs,
    },
}

/// Which template.
#[derive(Clone, Debug, Args)]
pub(crate) struct Which {
    /// signin_otp, signin_link, signin_link_otp, signup_otp, signup_link or signup_link_otp.
    pub(crate) template: String,
    /// For readers of this language (BCP 47); without it, for all.
    #[arg(long, value_name = "TAG")]
    pub(crate) language: Option<String>,
}

/// A template's parts in files.
#[derive(Clone, Debug, Args)]
pub(crate) struct Files {
    /// The subject line itself.
    #[arg(long, value_name = "TEXT")]
    pub(crate) subject: Option<String>,
    /// A file of MJML or HTML.
    #[arg(long, value_name = "FILE")]
    pub(crate) html: Option<PathBuf>,
    /// A file of plain text.
    #[arg(long, value_name = "FILE")]
    pub(crate) text: Option<PathBuf>,
    /// A directory that `export` has written.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["subject", "html", "text"])]
    pub(crate) from: Option<PathBuf>,
}

fn version(text: &str) -> Result<WantedVersion, String> {
    match text {
        "in-force" => Ok(WantedVersion::InForce),
        "draft" => Ok(WantedVersion::Draft),
        "newest" => Ok(WantedVersion::Newest),
        "built-in" => Ok(WantedVersion::BuiltIn),
        number => match number.parse() {
            Ok(number) if number > 0 => Ok(WantedVersion::Number(number)),
            _ => Err("it is in-force, draft, newest, built-in or a number".to_owned()),
        },
    }
}

fn part(text: &str) -> Result<Part, String> {
    let found = Part::ALL.into_iter().find(|part| part.as_str() == text);
    found.ok_or_else(|| "it is subject, text or html".to_owned())
}
