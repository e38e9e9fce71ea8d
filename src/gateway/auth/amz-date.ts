/** SigV4's times: ISO 8601 basic format in UTC without fractions, `20150830T123600Z`. */
const AMZ_DATE = /^\d{8}T\d{6}Z$/;

export function toAmzDate(date: Date): string {
  return `${date.toISOString().slice(0, 19).replaceAll("-", "").replaceAll(":", "")}Z`;
}

/** Milliseconds since the epoch, or undefined where the text is no such time. */
export function amzDateMilliseconds(text: string): number | undefined {
  if (!AMZ_DATE.test(text)) return undefined;
  const part = (start: number, end: number) => Number(text.slice(start, end));
  const [month, day, hour, minute, second] = [part(4, 6), part(6, 8), part(9, 11), part(11, 13), part(13, 15)];
  if (month < 1 || month > 12 || hour > 23 || minute > 59 || second > 59) return undefined;
  const time = Date.UTC(part(0, 4), month - 1, day, hour, minute, second);
  // Date.UTC carries over: the 31st of February would silently be the 3rd of March.
  return new Date(time).getUTCDate() === day ? time : undefined;
}
