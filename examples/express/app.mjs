// Sign-in by code or link: an Express app with the official Scalekit SDK, unchanged, and Postern.
//
// The address of who is signed in is taken from verify's answer, never from a form. Between send and
// verify the session keeps authRequestId: it is a capability and goes nowhere else.
import { randomBytes, timingSafeEqual } from 'node:crypto';
import { ScalekitClient } from '@scalekit-sdk/node';
import express from 'express';
import session from 'express-session';

const { SCALEKIT_ENVIRONMENT_URL, SCALEKIT_CLIENT_ID, SCALEKIT_CLIENT_SECRET, PORT = '3000' } = process.env;
const { passwordless } = new ScalekitClient(SCALEKIT_ENVIRONMENT_URL, SCALEKIT_CLIENT_ID, SCALEKIT_CLIENT_SECRET);

const app = express();
app.use(express.urlencoded({ extended: false, limit: '8kb' }));
app.use(session({
  name: 'shop', secret: randomBytes(32).toString('hex'), resave: false, saveUninitialized: true,
  // Lax, so that a link in a mail finds the session that asked for it.
  cookie: { httpOnly: true, sameSite: 'lax', secure: false /* true behind https */ },
}));

// Every form carries a token of its session.
app.use((request, response, next) => {
  request.session.csrf ??= randomBytes(18).toString('base64url');
  const given = Buffer.from(String(request.body?.csrf ?? ''));
  const wanted = Buffer.from(request.session.csrf);
  if (request.method === 'POST' && !(given.length === wanted.length && timingSafeEqual(given, wanted))) {
    return response.status(403).send('reload the page and try again');
  }
  return next();
});

const escaped = (text) => String(text).replace(/[&<>"']/g, (letter) => `&#${letter.charCodeAt(0)};`);

function page(request, body, wrong = '') {
  const told = wrong && `<p role="alert">${escaped(wrong)}</p>`;
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>Shop</title><main>${told}${body}</main>`
    .replaceAll('{csrf}', `<input type="hidden" name="csrf" value="${request.session.csrf}">`);
}

const FORM = '<h1>Sign in</h1><form method="post" action="/send">{csrf}<label>E-mail <input name="email" type="email" required></label><button>Mail me a code</button></form>';
const CODE = '<h1>Check your mail</h1><form method="post" action="/verify">{csrf}<label>Code <input name="code" required inputmode="numeric" autocomplete="one-time-code"></label><button>Sign in</button></form>'
  + '<form method="post" action="/resend">{csrf}<button>Mail it again</button></form><p><a href="/">Start again</a></p>';

app.get('/', (request, response) => {
  const { email } = request.session;
  const inside = email && `<h1>Hello</h1><p>Signed in as ${escaped(email)}</p><form method="post" action="/sign-out">{csrf}<button>Sign out</button></form>`;
  response.send(page(request, inside || FORM));
});

app.post('/send', attempt(FORM, async (request, response) => {
  const sent = await passwordless.sendPasswordlessEmail(request.body.email, {
    template: 'SIGNIN',
    magiclinkAuthUri: `${request.protocol}://${request.get('host')}/link`,
  });
  request.session.authRequestId = sent.authRequestId;
  response.redirect(303, '/code');
}));

app.get('/code', (request, response) => response.send(page(request, CODE)));

app.post('/resend', attempt(CODE, async (request, response) => {
  await passwordless.resendPasswordlessEmail(request.session.authRequestId ?? '');
  response.send(page(request, CODE, 'A new mail is on its way.'));
}));

app.post('/verify', attempt(CODE, async (request, response) => {
  const { code } = request.body;
  enter(request, response, await passwordless.verifyPasswordlessEmail({ code }, request.session.authRequestId));
}));

// Mail scanners open links: only the button verifies.
app.get('/link', (request, response) => {
  const token = escaped(request.query.link_token ?? '');
  response.send(page(request, `<h1>One more click</h1><form method="post" action="/link">{csrf}<input type="hidden" name="link_token" value="${token}"><button>Sign me in</button></form>`));
});

app.post('/link', attempt(FORM, async (request, response) => {
  const linkToken = request.body.link_token;
  enter(request, response, await passwordless.verifyPasswordlessEmail({ linkToken }, request.session.authRequestId));
}));

app.post('/sign-out', (request, response) => request.session.destroy(() => response.redirect(303, '/')));

/** A new session, so that nobody can have planted it, for who was verified. */
function enter(request, response, { email }) {
  request.session.regenerate(() => {
    request.session.email = email;
    response.redirect(303, '/');
  });
}

/** Shows what Postern refuses on the page where it can be mended. */
function attempt(body, handler) {
  return async (request, response, next) => {
    try {
      await handler(request, response);
    } catch (error) {
      const told = { INVALID_CODE: error.message, AUTH_REQUEST_EXPIRED: 'That took too long. Ask for a new mail.' };
      if (!(error.httpStatus >= 400 && error.httpStatus < 500)) return next(error);
      response.status(400).send(page(request, body, told[error.errorCode] ?? error.message));
    }
    return undefined;
  };
}

const server = app.listen(Number(PORT), '127.0.0.1', () => {
  console.log(`http://127.0.0.1:${server.address().port}`);
});
