"""What is refused, and as which exception an application catches it: passwordless_type=OTP."""

import base64
import re
import time

from scalekit.common.exceptions import (
    ScalekitBadRequestException,
    ScalekitNotFoundException,
    ScalekitNotImplementedException,
    ScalekitTooManyRequestsException,
)

from scene import fresh_address, it, new_client, next_mail, refused, wrong_code

client = new_client()
passwordless = client.passwordless


@it("a third mail within a minute is throttled, at once and with the seconds to wait")
def _():
    to = fresh_address()
    sent, _call = passwordless.send_passwordless_email(to)
    passwordless.resend_passwordless_email(sent.auth_request_id)
    began = time.monotonic()
    error = refused(
        lambda: passwordless.send_passwordless_email(to.upper()),
        ScalekitTooManyRequestsException,
        "RATE_LIMITED",
        8,
    )
    assert time.monotonic() - began < 1, "the SDK does not retry it"
    assert error.http_status.value == 429
    assert re.search(r"[0-9]+ s", error.message)


@it("five different wrong codes kill the request, for the right code too")
def _():
    to = fresh_address()
    sent, _call = passwordless.send_passwordless_email(to)
    code = next_mail(to)["otp"]

    def verify(offered):
        return passwordless.verify_passwordless_email(code=offered, auth_request_id=sent.auth_request_id)

    for step in (1, 1, 2, 3, 4, 5):
        wrong = wrong_code(code, step)
        refused(lambda: verify(wrong), ScalekitBadRequestException, "INVALID_CODE", 3)
    error = refused(lambda: verify(code), ScalekitTooManyRequestsException, "TOO_MANY_ATTEMPTS", 8)
    assert "too many" in error.message.lower()


@it("an auth_request_id that nobody issued is not found")
def _():
    unknown = base64.urlsafe_b64encode(bytes([1]) + bytes(32)).decode()
    refused(
        lambda: passwordless.verify_passwordless_email(code="123456", auth_request_id=unknown),
        ScalekitNotFoundException,
        "AUTH_REQUEST_NOT_FOUND",
        5,
    )
    refused(
        lambda: passwordless.resend_passwordless_email(unknown),
        ScalekitNotFoundException,
        "AUTH_REQUEST_NOT_FOUND",
        5,
    )


@it("a request that breaks a rule names the field")
def _():
    broken = [
        ("email", "<ada@example.com>", {}),
        ("expires_in", fresh_address(), {"expires_in": 0}),
        ("expires_in", fresh_address(), {"expires_in": 3601}),
        ("template_variables", fresh_address(), {"template_variables": {"link": "x"}}),
    ]
    for field, to, options in broken:
        error = refused(
            lambda: passwordless.send_passwordless_email(to, **options),
            ScalekitBadRequestException,
            "INVALID_ARGUMENT",
            3,
        )
        assert field in str(error), "the details name the field"
    refused(
        lambda: passwordless.verify_passwordless_email(),
        ScalekitBadRequestException,
        "INVALID_ARGUMENT",
        3,
    )


@it("the vendor's other calls are not implemented, and say so")
def _():
    try:
        client.organization.list_organizations(page_size=1)
    except ScalekitNotImplementedException:
        return
    raise AssertionError("an organization call was answered")
