//! A real browser without a window: Debian's Chromium, driven by its own driver (W3C WebDriver).

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

/// How the protocol names an element.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// How long a browser may take to leave.
const LEAVING: Duration = Duration::from_secs(10);

/// A browser with a fresh profile; it ends when dropped.
pub struct Browser {
    driver: Child,
    http: reqwest::Client,
    session: String,
    _profile: TempDir,
}

impl Browser {
    /// Starts it. `chromium` and `chromedriver` have to be installed, which `cargo xtask test` sees to.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn start() -> Self {
        let profile = tempfile::tempdir().expect("a folder for the profile");
        let mut driver = Command::new("chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver starts: apt-get install chromium-driver");
        let port = port(&mut driver);
        let http = reqwest::Client::new();
        let url = format!("http://127.0.0.1:{port}/session");
        let args = [
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--disable-background-networking",
            "--no-first-run",
            &format!("--user-data-dir={}", profile.path().display()),
        ];
        let wanted = json!({"capabilities": {"alwaysMatch": {
            "browserName": "chrome",
            // A press that leads to another page is over before that page is there.
            "timeouts": {"implicit": 10_000},
            "goog:chromeOptions": {"args": args},
        }}});
        let started = call(http.post(&url).json(&wanted)).await;
        let id = started["sessionId"].as_str().expect("a session has an id");
        Self {
            session: format!("{url}/{id}"),
            driver,
            http,
            _profile: profile,
        }
    }

    /// Opens an address and waits until the page is loaded.
    pub async fn visit(&self, url: &str) {
        self.post("url", json!({ "url": url })).await;
    }

    /// Where it is.
    pub async fn url(&self) -> String {
        let url = call(self.http.get(format!("{}/url", self.session))).await;
        url.as_str().unwrap_or_default().to_owned()
    }

    /// Presses the first element that the CSS selector finds.
    ///
    /// # Panics
    /// When there is none after ten seconds, or it cannot be pressed.
    pub async fn click(&self, selector: &str) {
        let element = self.find(selector).await;
        self.post(&format!("element/{element}/click"), json!({}))
            .await;
    }

    /// Types into the first element that the CSS selector finds.
    ///
    /// # Panics
    /// When there is none after ten seconds, or it takes no text.
    pub async fn type_into(&self, selector: &str, text: &str) {
        let element = self.find(selector).await;
        self.post(&format!("element/{element}/value"), json!({ "text": text }))
            .await;
    }

    /// The text that a person sees in the first element that the CSS selector finds.
    ///
    /// # Panics
    /// When there is none after ten seconds.
    pub async fn text(&self, selector: &str) -> String {
        let element = self.find(selector).await;
        let text = call(
            self.http
                .get(format!("{}/element/{element}/text", self.session)),
        )
        .await;
        text.as_str().unwrap_or_default().to_owned()
    }

    /// Runs a script on the page and answers what it returns.
    ///
    /// # Panics
    /// When the script throws.
    pub async fn run(&self, script: &str) -> Value {
        self.post("execute/sync", json!({ "script": script, "args": [] }))
            .await
    }

    async fn find(&self, selector: &str) -> String {
        let by = json!({ "using": "css selector", "value": selector });
        let found = self.post("element", by).await;
        found[ELEMENT]
            .as_str()
            .expect("an element has a name")
            .to_owned()
    }

    async fn post(&self, path: &str, body: Value) -> Value {
        call(
            self.http
                .post(format!("{}/{path}", self.session))
                .json(&body),
        )
        .await
    }
}

impl Drop for Browser {
    /// A session that is ended takes its browser with it; a driver that is killed would not.
    fn drop(&mut self) {
        let _ = end(&self.session);
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

/// Ends a session, by hand: there is no runtime to wait in while something is dropped.
fn end(session: &str) -> std::io::Result<()> {
    let rest = session.trim_start_matches("http://");
    let (address, path) = rest.split_once('/').unwrap_or((rest, ""));
    let mut driver = TcpStream::connect(address)?;
    let request =
        format!("DELETE /{path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    driver.write_all(request.as_bytes())?;
    // It answers once the browser has gone, and keeps the connection.
    driver.set_read_timeout(Some(LEAVING))?;
    driver.read(&mut [0; 64]).map(drop)
}

async fn call(request: reqwest::RequestBuilder) -> Value {
    let answer = request.send().await.expect("the driver answers");
    let mut body: Value = answer.json().await.expect("the driver answers JSON");
    let value = body["value"].take();
    assert!(value["error"].is_null(), "the browser: {value}");
    value
}

/// The port, from what the driver says when it listens.
fn port(driver: &mut Child) -> u16 {
    let out = driver.stdout.take().expect("its output is piped");
    let mut lines = BufReader::new(out).lines().map_while(Result::ok);
    let line = lines
        .find(|line| line.contains("started successfully on port"))
        .expect("chromedriver says where it listens");
    let digits: String = line.chars().filter(char::is_ascii_digit).collect();
    // What it says later goes nowhere, but its pipe has to stay open.
    std::thread::spawn(move || lines.for_each(drop));
    digits.parse().expect("a port is a number")
}
