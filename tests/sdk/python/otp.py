"""Signing in with a code: `postern dev` with passwordless_type=OTP."""

import re
import time

from scalekit.common.exceptions import ScalekitBadRequestException

from scene import OTP, fresh_address, it, new_client, next_mail, refused, wrong_code

passwordless = new_client().passwordless


@it("send, read the mail, verify the code")
def _():
    to = fresh_address("Ada.Lovelace")
    before = int(time.time())
    sent, _call = passwordless.send_passwordless_email(
        to,
        template="signin",
        state="cart=42&lang=ä",
        expires_in=3600,
        template_variables={"first_name": "Ada", "plan": ""},
    )
    assert sent.expires_in == 3600
    assert sent.passwordless_type == OTP
    assert abs(sent.expires_at - before - 3600) <= 10

    mail = next_mail(to)
    assert re.fullmatch(r"[0-9]{6}", mail["otp"])
    assert mail["otp"] in mail["subject"]

    def verify(code):
        return passwordless.verify_passwordless_email(code=code, auth_request_id=sent.auth_request_id)

    error = refused(lambda: verify(wrong_code(mail["otp"])), ScalekitBadRequestException, "INVALID_CODE", 3)
    assert error.http_status.value == 400
    assert "invalid" in error.message.lower()

    verified, _call = verify(mail["otp"])
    assert verified.email == to
    assert verified.state == "cart=42&lang=ä"
    assert verified.template == 1
    assert verified.passwordless_type == OTP
    refused(lambda: verify(mail["otp"]), ScalekitBadRequestException, "AUTH_REQUEST_USED", 9)


@it("a resend keeps the request and supersedes the code")
def _():
    to = fresh_address()
    sent, _call = passwordless.send_passwordless_email(to, template="SIGNUP")
    assert sent.expires_in == 300
    first = next_mail(to)
    resent, _call = passwordless.resend_passwordless_email(sent.auth_request_id)
    assert resent.auth_request_id == sent.auth_request_id
    second = next_mail(to, after=first)

    def verify(code):
        return passwordless.verify_passwordless_email(code=code, auth_request_id=sent.auth_request_id)

    error = refused(lambda: verify(first["otp"]), ScalekitBadRequestException, "CODE_SUPERSEDED", 9)
    assert "newest" in error.message
    verified, _call = verify(second["otp"])
    assert verified.email == to
    assert verified.template == 2
    assert not verified.HasField("state")


@it("an explicit UNSPECIFIED template is taken")
def _():
    to = fresh_address()
    sent, _call = passwordless.send_passwordless_email(to, template="UNSPECIFIED")
    mail = next_mail(to)
    verified, _call = passwordless.verify_passwordless_email(
        code=mail["otp"], auth_request_id=sent.auth_request_id
    )
    assert verified.template == 0


@it("empty optional strings count as absent")
def _():
    to = fresh_address()
    sent, _call = passwordless.send_passwordless_email(to, state="", magiclink_auth_uri="")
    mail = next_mail(to)
    verified, _call = passwordless.verify_passwordless_email(
        code=mail["otp"], auth_request_id=sent.auth_request_id
    )
    assert not verified.HasField("state")
