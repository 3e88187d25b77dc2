// Signing in with a code: `postern dev` with passwordless_type=OTP.

import assert from 'node:assert/strict';

import { ScalekitBadRequestException } from '@scalekit-sdk/node';

import { OTP, freshAddress, it, newClient, nextMail, refused, wrongCode } from './scene.mjs';

const client = newClient();
const { passwordless } = client;

await it('the first call goes out without a token, and works after the retry', async () => {
  assert.equal(client.coreClient.accessToken, null);
  await passwordless.sendPasswordlessEmail(freshAddress());
  assert.equal(typeof client.coreClient.accessToken, 'string');
});

await it('send, read the mail, verify the code', async () => {
  const to = freshAddress('Ada.Lovelace');
  const before = Math.floor(Date.now() / 1000);
  const sent = await passwordless.sendPasswordlessEmail(to, {
    template: 'SIGNIN',
    state: 'cart=42&lang=ä',
    expiresIn: 3600,
    templateVariables: { first_name: 'Ada', plan: '' },
  });
  assert.equal(sent.expiresIn, 3600);
  assert.equal(sent.passwordlessType, OTP);
  assert.equal(typeof sent.expiresAt, 'bigint');
  assert.ok(Math.abs(Number(sent.expiresAt) - before - 3600) <= 10);

  const mail = await nextMail(to);
  assert.match(mail.otp, /^[0-9]{6}$/);
  assert.ok(mail.subject.includes(mail.otp));
  assert.equal(mail.link_token ?? null, null);

  const wrong = passwordless.verifyPasswordlessEmail({ code: wrongCode(mail.otp) }, sent.authRequestId);
  const error = await refused(wrong, ScalekitBadRequestException, 'INVALID_CODE', 3);
  assert.equal(error.httpStatus, 400);
  assert.match(error.message, /invalid/i);

  const verified = await passwordless.verifyPasswordlessEmail({ code: mail.otp }, sent.authRequestId);
  assert.equal(verified.email, to);
  assert.equal(verified.state, 'cart=42&lang=ä');
  assert.equal(verified.template, 1);
  assert.equal(verified.passwordlessType, OTP);

  const again = passwordless.verifyPasswordlessEmail({ code: mail.otp }, sent.authRequestId);
  await refused(again, ScalekitBadRequestException, 'AUTH_REQUEST_USED', 9);
});

await it('a resend keeps the request and supersedes the code', async () => {
  const to = freshAddress();
  const sent = await passwordless.sendPasswordlessEmail(to, { template: 'SIGNUP' });
  assert.equal(sent.expiresIn, 300);
  const first = await nextMail(to);
  const resent = await passwordless.resendPasswordlessEmail(sent.authRequestId);
  assert.equal(resent.authRequestId, sent.authRequestId);
  assert.equal(resent.passwordlessType, OTP);
  const second = await nextMail(to, first);
  assert.notEqual(second.otp, first.otp);

  const old = passwordless.verifyPasswordlessEmail({ code: first.otp }, sent.authRequestId);
  const error = await refused(old, ScalekitBadRequestException, 'CODE_SUPERSEDED', 9);
  assert.match(error.message, /newest/i);
  const verified = await passwordless.verifyPasswordlessEmail({ code: second.otp }, sent.authRequestId);
  assert.equal(verified.email, to);
  assert.equal(verified.template, 2);
  assert.equal(verified.state, undefined);
});

await it('an explicit UNSPECIFIED template is taken', async () => {
  const to = freshAddress();
  const sent = await passwordless.sendPasswordlessEmail(to, { template: 'UNSPECIFIED' });
  const mail = await nextMail(to);
  const verified = await passwordless.verifyPasswordlessEmail({ code: mail.otp }, sent.authRequestId);
  assert.equal(verified.template ?? 0, 0);
});
