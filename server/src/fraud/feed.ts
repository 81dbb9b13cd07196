/** What an entry of the ledger tells the fact book. The same for the live node and for a back-test. */
import type { Asked, FactBook } from '../fraud-rules/index.ts';
import type { FraudEntry, FraudMessage } from './ledger-store.ts';

/** What a message said of where it came from. */
export interface Origin {
  ip: string | null;
  deviceId: string | null;
  trusted: boolean;
  captchaPassed: boolean;
}

const textOf = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null);

const originOf = ({ signals }: Pick<FraudMessage, 'signals'>): Origin => ({
  ip: textOf(signals?.['ip']),
  deviceId: textOf(signals?.['device_id']),
  trusted: signals?.['is_trusted_user'] === true,
  captchaPassed: signals?.['captcha_passed'] === true,
});

export const askedOf = (
  message: FraudMessage,
  number: Pick<Asked, 'callingCode' | 'numberType'>,
): Asked & Pick<Origin, 'trusted' | 'captchaPassed'> => ({
  to: message.recipient,
  country: message.country,
  ...number,
  ...originOf(message),
});

export function feed(book: FactBook, { status, atMs, provider, message }: FraudEntry): void {
  if (!message) return;
  const { verificationId } = message;
  if (status === 'plan')
    book.accepted({
      atMs,
      to: message.recipient,
      country: message.country,
      ...originOf(message),
      verificationId,
      endsAtMs: message.endsAtMs,
    });
  if (verificationId === null) return;
  if (status === 'sent' && provider !== null) book.handedOver(verificationId, provider, atMs);
  if (status === 'verified') book.settled(verificationId, 'verified', atMs);
  if (status === 'verified_failed') book.settled(verificationId, 'ended', atMs);
}
