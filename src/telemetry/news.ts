/** Which of many attempts in a row are worth a line: an outage of an hour is no thousand lines. Pure. */

/** @param attempt count of failures in a row; the first three, then each that doubles */
export function isNews(attempt: number): boolean {
  return attempt <= 3 || Number.isInteger(Math.log2(attempt));
}
