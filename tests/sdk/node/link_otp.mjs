// Both in one mail: `postern dev` with passwordless_type=LINK_OTP.

import assert from 'node:assert/strict';

import { ScalekitBadRequestException } from '@scalekit-sdk/node';

import { LINK, LINK_OTP, OTP, freshAddress, it, newClient, nextMail, refused } from './scene.mjs';

const { passwordless } = newClient();
const options = {
  magiclinkAuthUri: 'https://app.example.com/verify',
  state: 'both',
  expiresIn: 3600,
  templateVariables: { first_name: 'Ada' },
};

await it('the code of a mail with both verifies, and spends the link', async () => {
  const to = freshAddress();
  const sent = await passwordless.sendPasswordlessEmail(to, options);
  assert.equal(sent.passwordlessType, LINK_OTP);
  assert.equal(sent.expiresIn, 3600);
  const mail = await nextMail(to);
  const verified = await passwordless.verifyPasswordlessEmail({ code: mail.otp }, sent.authRequestId);
  assert.equal(verified.passwordlessType, OTP);
  assert.equal(verified.state, 'both');
  const link = passwordless.verifyPasswordlessEmail({ linkToken: mail.link_token });
  await refused(link, ScalekitBadRequestException, 'AUTH_REQUEST_USED', 9);
});

await it('the link of a mail with both verifies, and spends the code', async () => {
  const to = freshAddress();
  const sent = await passwordless.sendPasswordlessEmail(to, options);
  const mail = await nextMail(to);
  const verified = await passwordless.verifyPasswordlessEmail({ linkToken: mail.link_token });
  assert.equal(verified.passwordlessType, LINK);
  assert.equal(verified.email, to);
  const code = passwordless.verifyPasswordlessEmail({ code: mail.otp }, sent.authRequestId);
  await refused(code, ScalekitBadRequestException, 'AUTH_REQUEST_USED', 9);
});
