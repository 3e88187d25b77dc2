// The smallest SMTP server that takes a mail, so that pictures show a provider and its dialogue.
import { createServer } from 'node:net';

/** Listens on loopback; answers the port. */
export async function relay() {
  const server = createServer((socket) => {
    let message = false;
    socket.on('error', () => {});
    socket.write('220 mail.example.com ESMTP\r\n');
    socket.on('data', (data) => {
      for (const line of data.toString().split('\r\n').filter(Boolean)) {
        if (message) {
          if (line !== '.') continue;
          message = false;
          socket.write('250 2.0.0 Ok: queued as 4bN7Qx2mVz\r\n');
        } else if (/^EHLO/i.test(line)) {
          socket.write('250-mail.example.com\r\n250-PIPELINING\r\n250-SIZE 10240000\r\n250 8BITMIME\r\n');
        } else if (/^DATA/i.test(line)) {
          message = true;
          socket.write('354 End data with <CR><LF>.<CR><LF>\r\n');
        } else if (/^QUIT/i.test(line)) {
          socket.end('221 2.0.0 Bye\r\n');
        } else {
          socket.write('250 2.1.0 Ok\r\n');
        }
      }
    });
  });
  await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  server.unref();
  return server.address().port;
}
