// What is refused, and as which exception an application catches it: passwordless_type=OTP.

import assert from 'node:assert/strict';

import {
  ScalekitBadRequestException,
  ScalekitNotFoundException,
  ScalekitNotImplementedException,
  ScalekitTooManyRequestsException,
} from '@scalekit-sdk/node';

import { freshAddress, it, newClient, nextMail, refused, wrongCode } from './scene.mjs';

const client = newClient();
const { passwordless } = client;

await it('a third mail within a minute is throttled, at once and with the seconds to wait', async () => {
  const to = freshAddress();
  const sent = await passwordless.sendPasswordlessEmail(to);
  await passwordless.resendPasswordlessEmail(sent.authRequestId);
  const began = Date.now();
  const third = passwordless.sendPasswordlessEmail(to.toUpperCase());
  const error = await refused(third, ScalekitTooManyRequestsException, 'RATE_LIMITED', 8);
  assert.ok(Date.now() - began < 1000, 'the SDK does not retry it');
  assert.equal(error.httpStatus, 429);
  assert.match(error.message, /[0-9]+ s/);
  const resend = passwordless.resendPasswordlessEmail(sent.authRequestId);
  await refused(resend, ScalekitTooManyRequestsException, 'RATE_LIMITED', 8);
});

await it('five different wrong codes kill the request, for the right code too', async () => {
  const to = freshAddress();
  const { authRequestId } = await passwordless.sendPasswordlessEmail(to);
  const { otp } = await nextMail(to);
  for (const step of [1, 1, 2, 3, 4, 5]) {
    const wrong = passwordless.verifyPasswordlessEmail({ code: wrongCode(otp, step) }, authRequestId);
    await refused(wrong, ScalekitBadRequestException, 'INVALID_CODE', 3);
  }
  const right = passwordless.verifyPasswordlessEmail({ code: otp }, authRequestId);
  const error = await refused(right, ScalekitTooManyRequestsException, 'TOO_MANY_ATTEMPTS', 8);
  assert.match(error.message, /too many/i);
  const resend = passwordless.resendPasswordlessEmail(authRequestId);
  await refused(resend, ScalekitTooManyRequestsException, 'TOO_MANY_ATTEMPTS', 8);
});

await it('an auth_request_id that nobody issued is not found', async () => {
  const unknown = Buffer.concat([Buffer.from([1]), Buffer.alloc(32)]).toString('base64url');
  const verify = passwordless.verifyPasswordlessEmail({ code: '123456' }, unknown);
  await refused(verify, ScalekitNotFoundException, 'AUTH_REQUEST_NOT_FOUND', 5);
  const resend = passwordless.resendPasswordlessEmail(unknown);
  await refused(resend, ScalekitNotFoundException, 'AUTH_REQUEST_NOT_FOUND', 5);
});

await it('a request that breaks a rule names the field', async () => {
  const broken = [
    ['email', '<ada@example.com>', {}],
    ['expires_in', freshAddress(), { expiresIn: 59 }],
    ['expires_in', freshAddress(), { expiresIn: 3601 }],
    ['state', freshAddress(), { state: 'x'.repeat(1001) }],
    ['template_variables', freshAddress(), { templateVariables: { otp: '000000' } }],
    ['template', freshAddress(), { template: 7 }],
  ];
  for (const [field, to, options] of broken) {
    const send = passwordless.sendPasswordlessEmail(to, options);
    const error = await refused(send, ScalekitBadRequestException, 'INVALID_ARGUMENT', 3);
    const details = JSON.stringify(error.errDetails);
    assert.ok(details.includes(field), `${details} names ${field}`);
  }
  const verify = passwordless.verifyPasswordlessEmail({ code: '123456' });
  await refused(verify, ScalekitBadRequestException, 'INVALID_ARGUMENT', 3);
});

await it("the vendor's other calls are not implemented, and say so", async () => {
  const began = Date.now();
  await assert.rejects(client.organization.listOrganization({ pageSize: 1 }), ScalekitNotImplementedException);
  await assert.rejects(client.events.listEventsPaginated(10), ScalekitNotImplementedException);
  assert.ok(Date.now() - began < 1000, 'the SDK does not retry them');
});
