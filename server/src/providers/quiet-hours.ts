/** The hours of the day in which a provider is not picked, in the time zone they are meant in; pure. */
import type { QuietHours } from './records.ts';

const formats = new Map<string, Intl.DateTimeFormat>();

function formatFor(timeZone: string): Intl.DateTimeFormat {
  let format = formats.get(timeZone);
  if (!format) {
    format = new Intl.DateTimeFormat('en-GB', { timeZone, hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
    formats.set(timeZone, format);
  }
  return format;
}

/** From `from` to just before `to`, over midnight where `to` is the earlier one. */
export function isQuiet({ from, to, time_zone }: QuietHours, nowMs: number): boolean {
  const now = formatFor(time_zone).format(nowMs);
  return from < to ? now >= from && now < to : now >= from || now < to;
}

/** Whether this program knows the IANA name of a time zone. */
export function isTimeZone(name: string): boolean {
  try {
    formatFor(name);
    return true;
  } catch {
    return false;
  }
}
