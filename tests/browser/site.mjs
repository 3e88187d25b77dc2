// A browser on a running development server: what every script here begins with.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import puppeteer from 'puppeteer-core';

export const url = process.env.POSTERN_URL;
export const data = process.env.POSTERN_DATA;

/** Starts Chromium; a container's kernel may not let it make its own sandbox. */
export async function browser() {
  const chromium = await puppeteer.launch({
    executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu', '--force-color-profile=srgb'],
  });
  // A page that asks before it goes with what was typed is let go.
  chromium.on('targetcreated', async (target) => {
    const page = await target.page();
    if (page) page.on('dialog', (dialog) => dialog.accept());
  });
  return chromium;
}

/** Opens the invitation and presses its button. */
export async function enter(page, invitation) {
  await page.goto(invitation);
  await press(page, 'Open the dashboard');
}

/** Presses the button or link with this text, and waits for the page it leads to. */
export async function press(page, text) {
  for (let left = 3; ; left -= 1) {
    const found = await page.$(`::-p-xpath(//main//*[self::button or self::a][normalize-space()="${text}"])`);
    if (!found) throw new Error(`${page.url()} has no button or link ${text}`);
    try {
      await Promise.all([page.waitForNavigation(), found.click()]);
      return;
    } catch (error) {
      // A list that updates itself put another row in the place of this one meanwhile.
      if (left === 0 || !/detached|not clickable/.test(error.message)) throw error;
    }
  }
}

/** Types into a field, in place of what it holds. */
export async function type(page, field, text) {
  await page.waitForSelector(field);
  await page.$eval(field, (input) => { input.value = ''; });
  await page.type(field, text);
}

/** Waits until the page says so. */
export async function says(page, text) {
  await page.waitForFunction((wanted) => document.body.innerText.includes(wanted), { timeout: 20000 }, text);
}

/** Waits until a page that stays as it was sent would say so, opens it anew, and sees it: the log may be behind. */
export async function becomes(page, text) {
  const answers = async (wanted) => (await (await fetch(location.href)).text()).includes(wanted);
  await page.waitForFunction(answers, { timeout: 20000, polling: 300 }, text);
  await page.reload();
  await says(page, text);
}

/** The mails to an address which came after the one with this id, waiting so many seconds for one. */
export async function mails(to, after = '', wait = 0) {
  const answer = await fetch(`${url}/dev/inbox/messages?to=${encodeURIComponent(to)}&after=${after}&wait=${wait}`);
  return answer.json();
}

/** The newest of them, when there is one. */
export async function mail(to, after = '') {
  return (await mails(to, after, 20)).at(-1);
}

/** The development client's credentials. */
export function credentials() {
  const lines = readFileSync(`${data}/dev.env`, 'utf8').trim().split('\n');
  return Object.fromEntries(lines.map((line) => line.split(/=(.*)/s)));
}

/** The official Node SDK, of the SDK tests, as an app with these credentials makes it. */
export function sdk(id, secret) {
  const require = createRequire(new URL('../sdk/node/package.json', import.meta.url));
  const { ScalekitClient } = require('@scalekit-sdk/node');
  return new ScalekitClient(url, id, secret);
}

/** What a page that shows credentials shows. */
export async function shown(page) {
  const text = await page.$eval('#credentials', (pre) => pre.innerText);
  return Object.fromEntries(text.trim().split('\n').map((line) => line.split(/=(.*)/s)));
}

/** Fills fields of the form that posts to this path, presses its button, and waits for the page it answers. */
export async function save(page, path, values) {
  await page.goto(url + (values.on ?? path));
  const form = `form[method="post"][action="${path}"]`;
  await page.waitForSelector(form);
  for (const [name, value] of Object.entries(values)) {
    if (name === 'on') continue;
    const fields = await page.$$(`${form} [name="${name}"]`);
    if (fields.length === 0) throw new Error(`${path} has no field ${name}`);
    await page.$eval(form, (element, key, wanted) => {
      const field = element.elements[key];
      if (field instanceof RadioNodeList) field.value = wanted;
      else if (field.type === 'checkbox') field.checked = wanted;
      else field.value = wanted;
    }, name, value);
  }
  const button = await page.$(`${form} button.primary`);
  await Promise.all([page.waitForNavigation(), button.evaluate((element) => element.click())]);
}

let kept;

/** Calls the API as the development client; `retry_after` is what the header of a refusal says. */
export async function call(verb, body, fresh = false) {
  const held = credentials();
  const form = new URLSearchParams({
    grant_type: 'client_credentials', client_id: held.SCALEKIT_CLIENT_ID, client_secret: held.SCALEKIT_CLIENT_SECRET,
  });
  if (!kept || fresh) kept = await (await fetch(`${url}/oauth/token`, { method: 'POST', body: form })).json();
  const token = kept;
  const answer = await fetch(`${url}/api/v1/passwordless/email/${verb}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token.access_token}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const told = await answer.json();
  const error = told.details?.[0]?.error_code;
  return { status: answer.status, error, retry_after: Number(answer.headers.get('retry-after')), ...told };
}

/** Some people who sign in, so that pages have something to show. */
export async function life() {
  for (const [name, ending] of [['ada', 'verified'], ['grace', 'verified'], ['katherine', 'wrong'], ['hedy', 'open'], ['radia', 'verified'], ['barbara', 'locked']]) {
    const email = `${name}@example.com`;
    const sent = await call('send', { email });
    const { otp } = await mail(email);
    const wrong = (n) => String((Number(otp) + n) % 1000000).padStart(6, '0');
    const guesses = { wrong: 2, locked: 5 }[ending] ?? 0;
    for (let n = 1; n <= guesses; n += 1) await call('verify', { auth_request_id: sent.auth_request_id, code: wrong(n) });
    if (ending === 'verified') await call('verify', { auth_request_id: sent.auth_request_id, code: otp });
  }
}

/** The pages that can be looked at by their address alone. */
export const PAGES = [
  ['overview', '/dashboard'], ['quickstart', '/dashboard/quickstart'], ['method', '/dashboard/authentication'],
  ['emails', '/dashboard/emails'], ['email-add', '/dashboard/emails/add?preset=sendgrid'],
  ['email-other', '/dashboard/emails/add?preset=other'], ['branding', '/dashboard/emails/branding'],
  ['callbacks', '/dashboard/emails/callbacks'], ['dkim', '/dashboard/emails/dkim'], ['suppression', '/dashboard/suppression'],
  ['templates', '/dashboard/emails/templates'],
  ['template', '/dashboard/emails/templates/signin_link_otp?language=de&reader=de'],
  ['applications', '/dashboard/applications'], ['logs', '/dashboard/logs'],
  ['why', '/dashboard/logs/why?email=barbara@example.com'], ['inbox', '/dashboard/inbox'], ['admins', '/dashboard/admins'],
  ['keys', '/dashboard/keys'], ['audit', '/dashboard/audit'], ['prove', '/dashboard/prove'],
];
