// Links that only the asking browser may use: LINK with enforce_same_browser_origin=true.

import assert from 'node:assert/strict';

import { ScalekitBadRequestException } from '@scalekit-sdk/node';

import { freshAddress, it, newClient, nextMail, refused } from './scene.mjs';

const { passwordless } = newClient();
const options = { magiclinkAuthUri: 'https://app.example.com/verify' };

await it('a link without the auth_request_id is refused, with it accepted', async () => {
  const to = freshAddress();
  const sent = await passwordless.sendPasswordlessEmail(to, options);
  const { link_token: linkToken } = await nextMail(to);
  const without = passwordless.verifyPasswordlessEmail({ linkToken });
  await refused(without, ScalekitBadRequestException, 'OTHER_BROWSER', 3);
  const verified = await passwordless.verifyPasswordlessEmail({ linkToken }, sent.authRequestId);
  assert.equal(verified.email, to);
});

await it('the auth_request_id of another request is refused', async () => {
  const to = freshAddress();
  const other = await passwordless.sendPasswordlessEmail(freshAddress(), options);
  await passwordless.sendPasswordlessEmail(to, options);
  const { link_token: linkToken } = await nextMail(to);
  const call = passwordless.verifyPasswordlessEmail({ linkToken }, other.authRequestId);
  await refused(call, ScalekitBadRequestException, 'OTHER_BROWSER', 3);
});
