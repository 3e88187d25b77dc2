"""Access tokens: issued, checked against /keys, refused, and sent twice."""

from scalekit.common.exceptions import ScalekitUnauthorizedException
from scalekit.common.scalekit import TokenValidationOptions
from scalekit.core import CoreClient

from scene import CLIENT_ID, URL, fresh_address, it, new_client

client = new_client()


@it("a token is valid for this issuer and this client, from the moment it is issued")
def _():
    token = client.get_client_access_token()
    assert client.validate_access_token(token)
    ours = TokenValidationOptions(issuer=URL, audience=[CLIENT_ID])
    assert client.validate_access_token(token, options=ours)
    theirs = TokenValidationOptions(issuer="https://elsewhere.example")
    assert not client.validate_access_token(token, options=theirs)
    claims = client.validate_access_token_and_get_claims(token, options=ours)
    assert claims["iss"] == URL
    assert claims["aud"] == [CLIENT_ID]
    assert claims["jti"].startswith("tkn_")


@it("a token that was tampered with is not valid")
def _():
    token = client.get_client_access_token()
    header, payload, signature = token.split(".")
    changed = ("B" if signature[9] == "A" else "A")
    forged = ".".join([header, payload, signature[:9] + changed + signature[10:]])
    assert not client.validate_access_token(forged)


@it("a wrong secret is refused by the constructor")
def _():
    try:
        new_client("not-the-secret")
    except ScalekitUnauthorizedException:
        return
    raise AssertionError("a client with a wrong secret was made")


@it("of the two authorization values, the newer one may be the only good one")
def _():
    authenticate = CoreClient._CoreClient__authenticate_client
    CoreClient._CoreClient__authenticate_client = lambda core: setattr(core, "access_token", "stale")
    try:
        old = new_client()
    finally:
        CoreClient._CoreClient__authenticate_client = authenticate
    old.core_client.access_token = client.core_client.access_token
    sent, _call = old.passwordless.send_passwordless_email(fresh_address())
    assert sent.auth_request_id
    assert old.core_client.access_token == client.core_client.access_token, "no retry was needed"


@it("of the two authorization values, the older one may be the only good one")
def _():
    fresh = new_client()
    fresh.core_client.access_token = "stale"
    sent, _call = fresh.passwordless.send_passwordless_email(fresh_address())
    assert sent.auth_request_id
    assert fresh.core_client.access_token == "stale", "no retry was needed"


@it("when neither value is good, the SDK gets a new token and the call works")
def _():
    authenticate = CoreClient._CoreClient__authenticate_client
    CoreClient._CoreClient__authenticate_client = lambda core: setattr(core, "access_token", "stale")
    try:
        lost = new_client()
    finally:
        CoreClient._CoreClient__authenticate_client = authenticate
    sent, _call = lost.passwordless.send_passwordless_email(fresh_address())
    assert sent.auth_request_id
    assert lost.core_client.access_token != "stale"
