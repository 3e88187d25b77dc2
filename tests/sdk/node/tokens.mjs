// Access tokens: issued, checked against /keys, refused.

import assert from 'node:assert/strict';

import { ScalekitUnauthorizedException } from '@scalekit-sdk/node';

import { clientId, freshAddress, it, newClient, url } from './scene.mjs';

const client = newClient();

await it('a token is valid for this issuer and this client', async () => {
  const token = await client.getClientAccessToken();
  assert.equal(await client.validateAccessToken(token), true);
  assert.equal(await client.validateAccessToken(token, { issuer: url, audience: [clientId] }), true);
  assert.equal(await client.validateAccessToken(token, { issuer: 'https://elsewhere.example' }), false);
  assert.equal(await client.validateAccessToken(token, { audience: ['skc_other'] }), false);
  const claims = await client.validateToken(token);
  assert.equal(claims.iss, url);
  assert.deepEqual(claims.aud, [clientId]);
  assert.equal(claims.client_id, clientId);
  assert.match(claims.jti, /^tkn_/);
});

await it('a token that was tampered with is not valid', async () => {
  const [header, payload, signature] = (await client.getClientAccessToken()).split('.');
  const claims = JSON.parse(Buffer.from(payload, 'base64url'));
  claims.sub = 'somebody-else';
  const forged = Buffer.from(JSON.stringify(claims)).toString('base64url');
  assert.equal(await client.validateAccessToken([header, forged, signature].join('.')), false);
});

await it('every token is distinct', async () => {
  const tokens = await Promise.all(Array.from({ length: 5 }, () => client.getClientAccessToken()));
  assert.equal(new Set(tokens).size, 5);
});

await it('a token that is no longer good is replaced without the application noticing', async () => {
  await client.passwordless.sendPasswordlessEmail(freshAddress());
  client.coreClient.accessToken = 'stale';
  const sent = await client.passwordless.sendPasswordlessEmail(freshAddress());
  assert.ok(sent.authRequestId);
  assert.notEqual(client.coreClient.accessToken, 'stale');
});

await it('a wrong secret is refused on the token call and on the first RPC', async () => {
  const stranger = newClient('not-the-secret');
  await assert.rejects(stranger.getClientAccessToken(), ScalekitUnauthorizedException);
  const send = stranger.passwordless.sendPasswordlessEmail(freshAddress());
  await assert.rejects(send, (error) => error.name === 'AxiosError' && error.response.status === 401);
});
