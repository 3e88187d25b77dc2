"""Signing in with a magic link: `postern dev` with passwordless_type=LINK."""

from urllib.parse import parse_qs, urlsplit

from scalekit.common.exceptions import ScalekitBadRequestException

from scene import LINK, fresh_address, it, new_client, next_mail, refused

passwordless = new_client().passwordless
AUTH_URI = "https://app.example.com/verify?next=%2Fhome#top"


@it("send, follow the link, verify its token without the auth_request_id")
def _():
    to = fresh_address()
    sent, _call = passwordless.send_passwordless_email(
        to,
        template="SIGNUP",
        magiclink_auth_uri=AUTH_URI,
        state="s-1",
        expires_in=3600,
        template_variables={"first_name": "Ada"},
    )
    assert sent.passwordless_type == LINK
    assert sent.expires_in == 3600

    mail = next_mail(to)
    assert not mail["otp"]
    link = urlsplit(mail["link"])
    query = parse_qs(link.query)
    assert (link.hostname, link.path, link.fragment) == ("app.example.com", "/verify", "top")
    assert query["next"] == ["/home"]
    assert query["link_token"] == [mail["link_token"]]

    def verify():
        return passwordless.verify_passwordless_email(link_token=mail["link_token"])

    verified, _call = verify()
    assert verified.email == to
    assert verified.state == "s-1"
    assert verified.template == 2
    assert verified.passwordless_type == LINK
    refused(verify, ScalekitBadRequestException, "AUTH_REQUEST_USED", 9)


@it("an older link dies when the mail is sent again")
def _():
    to = fresh_address()
    sent, _call = passwordless.send_passwordless_email(to, magiclink_auth_uri=AUTH_URI)
    first = next_mail(to)
    passwordless.resend_passwordless_email(sent.auth_request_id)
    second = next_mail(to, after=first)

    def verify(mail):
        return passwordless.verify_passwordless_email(
            link_token=mail["link_token"], auth_request_id=sent.auth_request_id
        )

    refused(lambda: verify(first), ScalekitBadRequestException, "LINK_SUPERSEDED", 9)
    verified, _call = verify(second)
    assert verified.email == to


@it("a link that was tampered with is refused")
def _():
    to = fresh_address()
    passwordless.send_passwordless_email(to, magiclink_auth_uri=AUTH_URI)
    token = next_mail(to)["link_token"]
    forged = token[:20] + ("B" if token[20] == "A" else "A") + token[21:]
    refused(
        lambda: passwordless.verify_passwordless_email(link_token=forged),
        ScalekitBadRequestException,
        "INVALID_LINK",
        3,
    )


@it("a link needs somewhere to lead")
def _():
    error = refused(
        lambda: passwordless.send_passwordless_email(fresh_address()),
        ScalekitBadRequestException,
        "INVALID_ARGUMENT",
        3,
    )
    assert "magiclink_auth_uri is required" in error.message
