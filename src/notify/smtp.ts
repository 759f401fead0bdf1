import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { createTransport } from 'nodemailer';
import type SMTPTransport from 'nodemailer/lib/smtp-transport';
import { ComportaError } from '../errors';
import type { SmtpConnection } from '../pipeline/pipeline';
import type { SecretStore } from '../pipeline/secrets';
import { readTlsFiles } from '../tls-files';
import type { Notice, Notifier } from './notice';
import { wordsOf } from './words';

const TIMEOUT_MS = 15_000;
/** Encrypted from the beginning on this port, by STARTTLS on others (RFC 8314). */
const IMPLICIT_TLS_PORT = 465;

/** Sends e-mail by SMTP: one message to all recipients. */
export function createSmtpNotifier(connection: SmtpConnection, secrets: SecretStore): Notifier {
  return {
    async send(notice) {
      const transport = createTransport(await transportOptions(connection, secrets));
      const { text, ...mail } = mailOf(notice);
      let isUnderWay = false;
      // Asked for when the server wants the text: what nodemailer says of a lost connection is the
      // same before and after.
      const content = Readable.from(
        (function* () {
          isUnderWay = true;
          yield text;
        })(),
      );
      try {
        await transport.sendMail({
          from: connection.from,
          to: [...connection.to],
          ...mail,
          text: content,
          textEncoding: 'quoted-printable',
        });
        return 'sent';
      } catch (error) {
        const { responseCode } = error as SmtpError;
        if (isUnderWay && responseCode === undefined) return 'unknown';
        throw refusal(connection, error as SmtpError);
      } finally {
        content.destroy();
        transport.close();
      }
    },
    async check() {
      const transport = createTransport(await transportOptions(connection, secrets));
      try {
        await transport.verify();
      } catch (error) {
        throw refusal(connection, error as SmtpError);
      } finally {
        transport.close();
      }
    },
  };
}

async function transportOptions(
  connection: SmtpConnection,
  secrets: SecretStore,
): Promise<SMTPTransport.Options> {
  const { host, port, user, password, tls } = connection;
  return {
    host,
    port,
    secure: port === IMPLICIT_TLS_PORT && tls.mode !== 'disable',
    ignoreTLS: tls.mode === 'disable',
    requireTLS: tls.mode !== 'disable' && tls.mode !== 'prefer',
    tls: await tlsOptions(connection),
    ...(user === undefined || password === undefined
      ? {}
      : { auth: { user, pass: await secrets.read(password) } }),
    connectionTimeout: TIMEOUT_MS,
    greetingTimeout: TIMEOUT_MS,
    socketTimeout: TIMEOUT_MS,
    disableFileAccess: true,
    disableUrlAccess: true,
  };
}

async function tlsOptions({ name, tls }: SmtpConnection) {
  const { mode } = tls;
  return {
    ...(await readTlsFiles(name, tls)),
    rejectUnauthorized: mode === 'verify-ca' || mode === 'verify-full',
    ...(mode === 'verify-ca' ? { checkServerIdentity: () => undefined } : {}),
  };
}

/** What nodemailer adds to its errors (nodemailer.com, "Errors"). */
interface SmtpError extends Error {
  readonly code?: string;
  /** The server's answer, when it gave one. */
  readonly responseCode?: number;
  /** What was said last: `CONN`, `AUTH PLAIN`, `MAIL FROM`, `RCPT TO`, `DATA`. */
  readonly command?: string;
}

function refusal({ name }: SmtpConnection, error: SmtpError): ComportaError {
  const { code, responseCode, command } = error;
  const answer = responseCode === undefined ? (code ?? 'no answer') : String(responseCode);
  if (code === 'EAUTH') {
    return new ComportaError(
      'AuthenticationFailed',
      `the mail server of ${name} refused the login`,
      { remedy: 'check user and password of the connection', cause: error },
    );
  }
  const isLasting = responseCode !== undefined && responseCode >= 500;
  return new ComportaError(
    isLasting ? 'ConfigurationInvalid' : 'NotificationFailed',
    `the mail server of ${name} did not take the message (${answer} at ${command ?? 'connecting'})`,
    { remedy: 'check host, port, tls and the addresses of the connection', cause: error },
  );
}

/** Subject and text. The id is the batch's, so that a copy that came twice is shown once. */
export function mailOf(notice: Notice): { subject: string; text: string; messageId: string } {
  const { headline, sections, footer } = wordsOf(notice);
  const paragraphs = sections.map(({ title, items }) =>
    [title, ...items.map((item) => `- ${item}`)].join('\n'),
  );
  const link = notice.link === undefined ? [] : [notice.link];
  const id = createHash('sha256').update(`${notice.pipeline}\n${notice.batch}`).digest('hex');
  return {
    subject: `[Comporta] ${headline}`,
    text: [...paragraphs, [footer, ...link].join('\n')].join('\n\n') + '\n',
    messageId: `<${id.slice(0, 32)}@comporta>`,
  };
}
