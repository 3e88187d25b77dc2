// What every script here shares: the server under test, its inbox, and how a refusal looks.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';

import { ScalekitClient } from '@scalekit-sdk/node';

export const url = process.env.SCALEKIT_ENVIRONMENT_URL;
export const clientId = process.env.SCALEKIT_CLIENT_ID;
export const clientSecret = process.env.SCALEKIT_CLIENT_SECRET;

export const OTP = 1;
export const LINK = 2;
export const LINK_OTP = 3;

/** A client that has made no call yet, and so holds no token. */
export function newClient(secret = clientSecret) {
  return new ScalekitClient(url, clientId, secret);
}

/** An address that nobody has used before, so that no quota is touched twice. */
export function freshAddress(name = 'ada') {
  return `${name}.${randomUUID()}@example.com`;
}

/** The next mail to `to`, after the mail `after` if one is given. */
export async function nextMail(to, after) {
  const query = new URLSearchParams({ to, wait: '10' });
  if (after) query.set('after', after.id);
  const answer = await fetch(`${url}/dev/inbox/messages?${query}`);
  assert.equal(answer.status, 200);
  const mails = await answer.json();
  assert.equal(mails.length, 1, `one mail to ${to} within 10 s`);
  return mails[0];
}

/** A code that is surely not `code`, of the same length. */
export function wrongCode(code, step = 1) {
  const wrong = (Number(code) + step) % 10 ** code.length;
  return String(wrong).padStart(code.length, '0');
}

/** Runs `call` and demands that it throws `kind` with this error code and gRPC status. */
export async function refused(call, kind, errorCode, grpcStatus) {
  const error = await call.then(
    (answer) => assert.fail(`expected ${errorCode}, got ${JSON.stringify(answer, (_, v) => (typeof v === 'bigint' ? `${v}` : v))}`),
    (error) => error,
  );
  assert.ok(error instanceof kind, `expected ${kind.name} with ${errorCode}, got ${error}`);
  assert.equal(error.errorCode, errorCode);
  assert.equal(error.grpcStatus, grpcStatus);
  return error;
}

/** One sentence of behaviour; the first that fails ends the script. */
export async function it(sentence, body) {
  try {
    await body();
  } catch (error) {
    console.error(`FAILED: ${sentence}`);
    throw error;
  }
  console.log(`ok: ${sentence}`);
}
