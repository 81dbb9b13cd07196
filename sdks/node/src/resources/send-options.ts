// What may accompany a send or a check beyond the required arguments, and how it is named on the wire.
// Everything is optional and left out of the request when it is not given.

/** What you know about the person's device and network; read by limits and fraud rules. */
export interface Signals {
  /** IPv4 or IPv6 address of the person, not of your server. */
  ip?: string | undefined;
  userAgent?: string | undefined;
  deviceId?: string | undefined;
  sessionId?: string | undefined;
  /** Skips fraud scoring; never lists, limits or locks. */
  isTrustedUser?: boolean | undefined;
  /** The person has just passed a proof of yours, such as a captcha: the answer to a refusal with reason `challenge_required`. */
  captchaPassed?: boolean | undefined;
}

export interface SendOptions {
  /** At most 20 strings that come back in every callback of the message. Never put the code here. */
  customArgs?: Record<string, string> | undefined;
  /** The address for those steps of the chain that do not fit the kind of `to`. */
  alternateTo?: { email?: string | undefined; phone?: string | undefined } | undefined;
  signals?: Signals | undefined;
  /** What the code is for, such as `login`; may be asked for again when checking. */
  purpose?: string | undefined;
  /** 30 to 86400, where the application's policy allows it. */
  ttlSeconds?: number | undefined;
  /** 4 to 10, where the application's policy allows it. */
  codeLength?: number | undefined;
  /** Text language, where the method has no argument for it. */
  language?: string | undefined;
  /** Repeating a send with the same key has no second effect for 24 hours. */
  idempotencyKey?: string | undefined;
}

/** The optional top-level fields of a send request. Undefined ones vanish when the body is encoded. */
export function wireOptions(options: SendOptions): object {
  return {
    custom_args: options.customArgs,
    alternate_to: options.alternateTo,
    signals: wireSignals(options.signals),
    purpose: options.purpose,
    ttl_seconds: options.ttlSeconds,
    code_length: options.codeLength,
  };
}

/** Signals with their wire names. */
export function wireSignals(signals: Signals | undefined): object | undefined {
  if (signals === undefined) return undefined;
  const { userAgent, deviceId, sessionId, isTrustedUser, captchaPassed, ...sameName } = signals;
  return {
    ...(userAgent === undefined ? {} : { user_agent: userAgent }),
    ...(deviceId === undefined ? {} : { device_id: deviceId }),
    ...(sessionId === undefined ? {} : { session_id: sessionId }),
    ...(isTrustedUser === undefined ? {} : { is_trusted_user: isTrustedUser }),
    ...(captchaPassed === undefined ? {} : { captcha_passed: captchaPassed }),
    ...sameName,
  };
}
