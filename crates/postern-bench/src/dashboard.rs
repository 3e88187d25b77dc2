//! How fast the pages of the dashboard answer, on a store with many requests.

use std::{net::SocketAddr, time::Duration};

use anyhow::{Context, bail, ensure};
use bytes::Bytes;
use hdrhistogram::Histogram;
use http::{Method, Request, StatusCode, header};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use tokio::net::TcpStream;

use crate::{args::DashboardArgs, database::Database, prefill, spawn::Home, watch};

/// How long the log may take to hold what was filled in.
const CATCHES_UP_WITHIN: Duration = Duration::from_mins(20);

/// Every page that an admin looks at, but those whose address is known only later.
const PAGES: [&str; 29] = [
    "/dashboard?period=1h",
    "/dashboard?period=24h",
    "/dashboard?period=7d",
    "/dashboard?period=30d",
    "/dashboard/quickstart",
    "/dashboard/authentication",
    "/dashboard/emails",
    "/dashboard/emails/add?preset=ses",
    "/dashboard/emails/branding",
    "/dashboard/emails/branding/html?app_name=Tea&app_color=%23114488&default_language=de",
    "/dashboard/emails/dkim",
    "/dashboard/emails/templates",
    "/dashboard/emails/templates/signin_link_otp",
    "/dashboard/emails/templates/signin_link_otp/html",
    "/dashboard/emails/callbacks",
    "/dashboard/suppression",
    "/dashboard/applications",
    "/dashboard/logs",
    "/dashboard/logs/rows?",
    "/dashboard/logs?status=FAILED",
    "/dashboard/logs?status=INITIATED",
    "/dashboard/logs?status=LOST",
    "/dashboard/logs?status=LOST&period=30d",
    "/dashboard/logs?period=1h",
    "/dashboard/logs?email=nobody@example.com",
    "/dashboard/admins",
    "/dashboard/keys",
    "/dashboard/audit",
    "/dashboard/inbox",
];

/// Fills a store, and asks a server on it for every page in turn.
pub(crate) async fn run(args: DashboardArgs) -> anyhow::Result<()> {
    let database = Database::of(args.engine)?;
    let mut home = Home::new(&args.spawn)?;
    if let Some(database) = &database {
        home = home.with("POSTERN_DATA_DATABASE_URL", database.url());
    }
    home.start(true).await?.stop().await?;
    let began = watch::now();
    let over = Duration::from_hours(24) * args.days;
    let url = database.as_ref().map(Database::url);
    prefill::fill(&home.data(), url, args.requests, over).await?;
    database.as_ref().map_or(Ok(()), Database::settle)?;
    println!(
        "{} requests filled in within {:.0?}",
        args.requests,
        began.elapsed()
    );
    let spawned = home.start(true).await?;
    let mut admin = Admin::enter(&home).await?;
    admin.await_log(args.requests).await?;
    println!("the log holds them {:.0?} after the start", began.elapsed());
    let mut pages: Vec<String> = PAGES.iter().map(ToString::to_string).collect();
    pages.extend(admin.found_in_the_log().await?);
    println!(
        "{:<52} {:>8} {:>8} {:>8}",
        "page", "p50 ms", "p99 ms", "most ms"
    );
    let mut slowest = 0.0_f64;
    for page in pages {
        let spans = admin.measure(&page, args.count).await?;
        let ms = |us: u64| Duration::from_micros(us).as_secs_f64() * 1e3;
        let (half, most) = (ms(spans.value_at_quantile(0.5)), ms(spans.max()));
        let p99 = ms(spans.value_at_quantile(0.99));
        slowest = slowest.max(p99);
        println!("{page:<52.52} {half:>8.2} {p99:>8.2} {most:>8.2}");
    }
    println!(
        "slowest p99: {slowest:.2} ms; {} calls a page, one after the other",
        args.count
    );
    spawned.stop().await
}

/// An owner with a browser.
struct Admin {
    connection: SendRequest<Full<Bytes>>,
    authority: String,
    cookie: String,
}

#[derive(Deserialize)]
struct Invited {
    url: String,
}

impl Admin {
    /// Takes an invitation up.
    async fn enter(home: &Home) -> anyhow::Result<Self> {
        let told = home
            .told(&["--json", "admin", "invite", "bench@example.com"])
            .await?;
        let invited: Invited = serde_json::from_slice(&told)?;
        let url: http::Uri = invited.url.parse()?;
        let authority = url
            .authority()
            .context("an invitation has a host")?
            .to_string();
        let query = url.query().context("an invitation has a token")?.to_owned();
        let mut admin = Self {
            connection: open(authority.parse()?).await?,
            authority,
            cookie: String::new(),
        };
        let answer = admin.call(Method::POST, "/dashboard/invite", query).await?;
        let set = answer.headers().get_all(header::SET_COOKIE).iter();
        let session = set
            .filter_map(|cookie| cookie.to_str().ok()?.split(';').next())
            .find(|pair| pair.contains("session="));
        session
            .context("an invitation signs in")?
            .clone_into(&mut admin.cookie);
        Ok(admin)
    }

    async fn call(
        &mut self,
        method: Method,
        path: &str,
        form: String,
    ) -> anyhow::Result<http::Response<Bytes>> {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, &self.authority)
            .header(header::ORIGIN, format!("http://{}", self.authority))
            .header(header::COOKIE, &self.cookie)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Full::new(Bytes::from(form)))?;
        self.connection.ready().await?;
        let (head, body) = self.connection.send_request(request).await?.into_parts();
        Ok(http::Response::from_parts(
            head,
            body.collect().await?.to_bytes(),
        ))
    }

    async fn page(&mut self, path: &str) -> anyhow::Result<String> {
        let answer = self.call(Method::GET, path, String::new()).await?;
        ensure!(
            answer.status() == StatusCode::OK,
            "{path} answered {}",
            answer.status()
        );
        Ok(String::from_utf8_lossy(answer.body()).into_owned())
    }

    /// Waits until the overview counts what was filled in.
    async fn await_log(&mut self, requests: u64) -> anyhow::Result<()> {
        let began = watch::now();
        while began.elapsed() < CATCHES_UP_WITHIN {
            let page = self.page("/dashboard?period=30d").await?;
            let value = page.split_once("class=\"value\">").map(|(_, rest)| rest);
            let value = value
                .and_then(|rest| rest.split('<').next())
                .unwrap_or_default();
            let digits: String = value.chars().filter(char::is_ascii_digit).collect();
            if digits.parse().is_ok_and(|count: u64| count >= requests) {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
        bail!("the log does not hold what was filled in")
    }

    /// One request, its person, why they got no mail, and an older page.
    async fn found_in_the_log(&mut self) -> anyhow::Result<[String; 4]> {
        let page = self.page("/dashboard/logs").await?;
        let between = |from: &str, to: &str| {
            let rest = page.split_once(from).map(|(_, rest)| rest);
            let text = rest
                .and_then(|rest| rest.split_once(to))
                .map(|(text, _)| text);
            text.map(|text| text.replace("&#38;", "&"))
                .with_context(|| format!("no {from} in the log"))
        };
        let id = between("href=\"/dashboard/logs/req_", "\"")?;
        let email = between(&format!("req_{id}\">"), "<")?;
        let older = between("rel=\"next\" href=\"", "\"")?;
        Ok([
            format!("/dashboard/logs/req_{id}"),
            format!("/dashboard/logs?email={email}"),
            format!("/dashboard/logs/why?email={email}"),
            older,
        ])
    }

    async fn measure(&mut self, path: &str, count: u64) -> anyhow::Result<Histogram<u64>> {
        let mut spans = Histogram::new(3)?;
        for _ in 0..count {
            let began = watch::now();
            self.page(path).await?;
            let us = u64::try_from(began.elapsed().as_micros())?;
            spans.record(us.max(1))?;
        }
        Ok(spans)
    }
}

async fn open(address: SocketAddr) -> anyhow::Result<SendRequest<Full<Bytes>>> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let (sender, connection) = handshake(TokioIo::new(stream)).await?;
    tokio::task::spawn_local(connection);
    Ok(sender)
}
