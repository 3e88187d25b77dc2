use std::io::BufRead as _;

use postern_client::{Client, SendRequest, VerifyRequest};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let client = Client::new(
        &std::env::var("SCALEKIT_ENVIRONMENT_URL")?,
        std::env::var("SCALEKIT_CLIENT_ID")?,
        std::env::var("SCALEKIT_CLIENT_SECRET")?,
    )?;

    // 1. mail the code; keep auth_request_id in this browser's session
    let request = SendRequest::new("ada@example.com")
        // your page with the button; used where links are mailed
        .magiclink_auth_uri("http://localhost:3000/in");
    let sent = client.passwordless().send(request).await?;

    let mut typed = String::new();
    while typed.is_empty() {
        println!("Code or link of the mail (nothing: mail it again):");
        let line = std::io::stdin().lock().lines().next();
        typed = line.ok_or("nothing was typed")??;
        if typed.is_empty() {
            // 2. the person lost it: mail again, same auth_request_id
            client.passwordless().resend(&sent.auth_request_id).await?;
        }
    }

    // 3. judge what they typed, or what they clicked, in the handler of your button's POST
    let proof = match typed.split_once("link_token=") {
        Some((_, token)) => VerifyRequest::link(token).auth_request_id(sent.auth_request_id),
        None => VerifyRequest::code(sent.auth_request_id, typed),
    };
    let verified = client.passwordless().verify(proof).await?;
    println!("Signed in: {}", verified.email);
    Ok(())
}
