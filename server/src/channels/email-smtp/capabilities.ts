/**
 * Whether a relay offers SMTPUTF8. The library tells only after a mail was sent, and would send an address outside ASCII to a
 * relay that cannot read it; so the first such address makes one connection that asks, and the answer is kept for an hour.
 */
import type { SMTPConnectionOptions } from 'nodemailer/lib/smtp-connection';
import SMTPConnection from 'nodemailer/lib/smtp-connection';

const keepMs = 3_600_000;

/** Rejects with the library's error, or with the signal's reason. */
export type Utf8Probe = (signal: AbortSignal) => Promise<boolean>;

export function createUtf8Probe(options: SMTPConnectionOptions): Utf8Probe {
  let known: { offered: boolean; untilMs: number } | null = null;
  return async (signal) => {
    signal.throwIfAborted();
    if (known && known.untilMs > Date.now()) return known.offered;
    const offered = /^250[ -]SMTPUTF8\b/im.test(await readGreeting(options, signal));
    known = { offered, untilMs: Date.now() + keepMs };
    return offered;
  };
}

/** The answer to EHLO, after STARTTLS where that is used. */
function readGreeting(options: SMTPConnectionOptions, signal: AbortSignal): Promise<string> {
  const connection = new SMTPConnection(options);
  return new Promise<string>((resolve, reject) => {
    const abort = (): void => reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    connection.once('end', () => signal.removeEventListener('abort', abort));
    connection.on('error', reject);
    connection.connect((error) => {
      if (error) reject(error);
      else resolve(String(connection.lastServerResponse));
    });
  }).finally(() => connection.close());
}
