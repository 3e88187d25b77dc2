// A code that is too old: waits the shortest lifetime there is, a minute. passwordless_type=OTP.

import assert from 'node:assert/strict';
import { setTimeout as wait } from 'node:timers/promises';

import { ScalekitBadRequestException } from '@scalekit-sdk/node';

import { freshAddress, it, newClient, nextMail, refused } from './scene.mjs';

const { passwordless } = newClient();

await it('an expired code is refused, and a resend revives the request', async () => {
  const to = freshAddress();
  const { authRequestId, expiresAt } = await passwordless.sendPasswordlessEmail(to, { expiresIn: 60 });
  const first = await nextMail(to);
  await wait(Number(expiresAt) * 1000 + 1500 - Date.now());
  const late = passwordless.verifyPasswordlessEmail({ code: first.otp }, authRequestId);
  const error = await refused(late, ScalekitBadRequestException, 'AUTH_REQUEST_EXPIRED', 9);
  assert.match(error.message, /auth request expired/i);
  await passwordless.resendPasswordlessEmail(authRequestId);
  const second = await nextMail(to, first);
  const verified = await passwordless.verifyPasswordlessEmail({ code: second.otp }, authRequestId);
  assert.equal(verified.email, to);
});
