"""Both in one mail: `postern dev` with passwordless_type=LINK_OTP."""

from scalekit.common.exceptions import ScalekitBadRequestException

from scene import LINK, LINK_OTP, OTP, fresh_address, it, new_client, next_mail, refused

passwordless = new_client().passwordless


def send(to):
    sent, _call = passwordless.send_passwordless_email(
        to,
        magiclink_auth_uri="https://app.example.com/verify",
        state="both",
        expires_in=3600,
        template_variables={"first_name": "Ada"},
    )
    assert sent.passwordless_type == LINK_OTP
    assert sent.expires_in == 3600
    return sent.auth_request_id, next_mail(to)


def by_code(auth_request_id, mail):
    return passwordless.verify_passwordless_email(code=mail["otp"], auth_request_id=auth_request_id)


def by_link(mail):
    return passwordless.verify_passwordless_email(link_token=mail["link_token"])


@it("the code of a mail with both verifies, and spends the link")
def _():
    auth_request_id, mail = send(fresh_address())
    verified, _call = by_code(auth_request_id, mail)
    assert verified.passwordless_type == OTP
    assert verified.state == "both"
    refused(lambda: by_link(mail), ScalekitBadRequestException, "AUTH_REQUEST_USED", 9)


@it("the link of a mail with both verifies, and spends the code")
def _():
    auth_request_id, mail = send(fresh_address())
    verified, _call = by_link(mail)
    assert verified.passwordless_type == LINK
    refused(lambda: by_code(auth_request_id, mail), ScalekitBadRequestException, "AUTH_REQUEST_USED", 9)
