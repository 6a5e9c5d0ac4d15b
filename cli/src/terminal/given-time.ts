import { AppError } from '@cloister/protocol';

const RFC_3339 = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})(?:\.\d{1,9})?(?:Z|[+-](\d{2}):(\d{2}))$/;

/** A time that somebody typed (RFC 3339, section 5.6), with its zone: a local time would mean another on each machine. @throws AppError usage */
export function parseGivenTime(option: string, text: string): Date {
  const fields = RFC_3339.exec(text)?.slice(1).map(field => Number(field));
  const time = new Date(text);
  if (fields === undefined || !isOnCalendar(fields) || Number.isNaN(time.getTime())) {
    throw new AppError('usage', `${option} needs a date, a time of day and its zone`, { hint: `Write it like ${option} 2026-03-01T12:00:00Z.` });
  }
  return time;
}

/** Date would take the 30th of February for the 2nd of March. A leap second is no time here. */
function isOnCalendar([year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, offsetHours = 0, offsetMinutes = 0]: readonly number[]): boolean {
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  const real = date.getUTCFullYear() === year && date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
  // An absent offset is NaN, which is over nothing.
  return real && hour < 24 && minute < 60 && second < 60 && !(offsetHours > 23) && !(offsetMinutes > 59);
}
