// Signing in with a magic link: `postern dev` with passwordless_type=LINK.

import assert from 'node:assert/strict';

import { ScalekitBadRequestException } from '@scalekit-sdk/node';

import { LINK, freshAddress, it, newClient, nextMail, refused } from './scene.mjs';

const { passwordless } = newClient();
const magiclinkAuthUri = 'https://app.example.com/verify?next=%2Fhome#top';

await it('send, follow the link, verify its token without the auth_request_id', async () => {
  const to = freshAddress();
  const sent = await passwordless.sendPasswordlessEmail(to, {
    magiclinkAuthUri,
    template: 'SIGNUP',
    state: 's-1',
    expiresIn: 3600,
    templateVariables: { first_name: 'Ada' },
  });
  assert.equal(sent.passwordlessType, LINK);
  assert.equal(sent.expiresIn, 3600);

  const mail = await nextMail(to);
  assert.equal(mail.otp ?? null, null);
  const link = new URL(mail.link);
  assert.equal(link.origin + link.pathname, 'https://app.example.com/verify');
  assert.equal(link.searchParams.get('next'), '/home');
  assert.equal(link.hash, '#top');
  const linkToken = link.searchParams.get('link_token');
  assert.equal(linkToken, mail.link_token);

  const verified = await passwordless.verifyPasswordlessEmail({ linkToken });
  assert.equal(verified.email, to);
  assert.equal(verified.state, 's-1');
  assert.equal(verified.template, 2);
  assert.equal(verified.passwordlessType, LINK);

  const again = passwordless.verifyPasswordlessEmail({ linkToken });
  await refused(again, ScalekitBadRequestException, 'AUTH_REQUEST_USED', 9);
});

await it('an older link dies when the mail is sent again', async () => {
  const to = freshAddress();
  const sent = await passwordless.sendPasswordlessEmail(to, { magiclinkAuthUri });
  const first = await nextMail(to);
  await passwordless.resendPasswordlessEmail(sent.authRequestId);
  const second = await nextMail(to, first);
  const old = passwordless.verifyPasswordlessEmail({ linkToken: first.link_token });
  await refused(old, ScalekitBadRequestException, 'LINK_SUPERSEDED', 9);
  const verified = await passwordless.verifyPasswordlessEmail({ linkToken: second.link_token }, sent.authRequestId);
  assert.equal(verified.email, to);
});

await it('a link that was tampered with is refused', async () => {
  const to = freshAddress();
  await passwordless.sendPasswordlessEmail(to, { magiclinkAuthUri });
  const { link_token: token } = await nextMail(to);
  const other = (token[20] === 'A' ? 'B' : 'A');
  const linkToken = token.slice(0, 20) + other + token.slice(21);
  const error = await refused(
    passwordless.verifyPasswordlessEmail({ linkToken }),
    ScalekitBadRequestException,
    'INVALID_LINK',
    3,
  );
  assert.match(error.message, /invalid/i);
});

await it('a link needs somewhere to lead', async () => {
  const missing = passwordless.sendPasswordlessEmail(freshAddress());
  const error = await refused(missing, ScalekitBadRequestException, 'INVALID_ARGUMENT', 3);
  assert.match(error.message, /magiclink_auth_uri is required/);
});
